"""A server on this machine that answers as the hub does when a run is pushed and pulled: models, LFS and commits."""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import yaml


@dataclass
class Hub:
    """What it holds.

    Attributes:
        files: By repository, content by path.
        private: Which repositories are.
        uploads: LFS objects by their hash.
        refused: Whether it refuses everybody.
    """

    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    private: dict[str, bool] = field(default_factory=dict)
    uploads: dict[str, bytes] = field(default_factory=dict)
    refused: bool = False
    endpoint: str = ""

    def sha(self, repository: str) -> str:
        """Commit of a repository: of its content."""
        held = sorted((name, hashlib.sha256(data).hexdigest()) for name, data in self.files[repository].items())
        return hashlib.sha1(json.dumps(held).encode()).hexdigest()


@contextmanager
def serving() -> Iterator[Hub]:
    """A hub for as long as the block lasts."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    hub.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            """Silence."""

        def answer(self, status: int, document: object = None, **headers: str) -> None:
            body = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(status)
            kind = "application/octet-stream" if isinstance(document, bytes) else "application/json"
            for name, value in {"Content-Length": str(len(body)), "Content-Type": kind, **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

        def do_PUT(self) -> None:
            data = self.body()
            hub.uploads[hashlib.sha256(data).hexdigest()] = data
            self.answer(200, b"")

        def do_POST(self) -> None:
            data = self.body()
            if hub.refused:
                self.answer(401, {"error": "no token"})
                return
            parts = self.path.split("?")[0].strip("/").split("/")
            if parts == ["api", "repos", "create"]:
                asked = json.loads(data)
                repository = "/".join(filter(None, [asked.get("organization"), asked["name"]]))
                if repository in hub.files:
                    self.answer(409, {"error": "exists", "url": f"{hub.endpoint}/{repository}"})
                    return
                hub.files[repository] = {}
                hub.private[repository] = bool(asked.get("private") or asked.get("visibility") == "private")
                self.answer(200, {"url": f"{hub.endpoint}/{repository}"})
            elif parts == ["api", "validate-yaml"]:
                front = json.loads(data)["content"].split("---")[1]
                known = yaml.safe_load(front)
                fits = isinstance(known, dict) and known.get("library_name") == "monde"
                self.answer(200, {"errors": [] if fits else [{"message": "no metadata"}], "warnings": []})
            elif parts[-1] == "batch":
                objects = [
                    {**one, "actions": {"upload": {"href": f"{hub.endpoint}/upload/{one['oid']}"}}}
                    for one in json.loads(data)["objects"]
                ]
                self.answer(200, {"transfer": "basic", "objects": objects})
            elif parts[4:5] == ["preupload"]:
                modes = [
                    {
                        "path": one["path"],
                        "uploadMode": "lfs" if one["path"].endswith(".safetensors") else "regular",
                        "shouldIgnore": False,
                    }
                    for one in json.loads(data)["files"]
                ]
                self.answer(200, {"files": modes})
            elif parts[4:5] == ["commit"]:
                repository = "/".join(parts[2:4])
                self.commit(repository, [json.loads(line) for line in data.splitlines()])
            else:
                self.answer(404, {"error": self.path})

        def commit(self, repository: str, lines: list[dict[str, dict[str, str]]]) -> None:
            for line in lines:
                value = line["value"]
                if str(line["key"]) == "file":
                    hub.files[repository][value["path"]] = base64.b64decode(value["content"])
                elif str(line["key"]) == "lfsFile":
                    hub.files[repository][value["path"]] = hub.uploads[value["oid"]]
            sha = hub.sha(repository)
            url = f"{hub.endpoint}/{repository}/commit/{sha}"
            self.answer(200, {"commitUrl": url, "commitOid": sha, "pullRequestUrl": None})

        def do_GET(self) -> None:
            parts = self.path.split("?")[0].strip("/").split("/")
            api = parts[:2] == ["api", "models"]
            repository = "/".join(parts[2:4] if api else parts[:2])
            if repository not in hub.files:
                self.answer(404, {}, X_Error_Code="RepoNotFound")
                return
            held, sha = hub.files[repository], hub.sha(repository)
            if api and parts[4:5] == ["tree"]:
                tree = [{"type": "file", "path": n, "size": len(d), "oid": "0" * 40} for n, d in held.items()]
                self.answer(200, tree)
            elif api:
                siblings = [{"rfilename": name} for name in held]
                self.answer(200, {"id": repository, "sha": sha, "siblings": siblings, "private": False})
            else:
                name = "/".join(parts[4:])
                if name not in held:
                    self.answer(404, {}, X_Error_Code="EntryNotFound")
                    return
                data = held[name]
                self.answer(200, data, ETag=f'"{hashlib.sha256(data).hexdigest()}"', X_Repo_Commit=sha)

        do_HEAD = do_GET  # noqa: N815

    return Handler
