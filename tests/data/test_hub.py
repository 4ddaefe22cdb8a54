"""Names on the hub, against a server on this machine that answers as the hub does."""

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import huggingface_hub.constants
import pytest

from monde.data import EpisodeData, open_recording
from monde.data import hub as hub_module
from monde.data.hub import LIMIT, HubName, hub_name
from monde.errors import DataError, UsageError

Make = Callable[..., list[EpisodeData]]
COMMIT = "a" * 40


@dataclass
class Hub:
    """What the server knows: folders by repository, and which ask for terms to be accepted."""

    folders: dict[str, Path] = field(default_factory=dict)
    gated: set[str] = field(default_factory=set)
    names: dict[str, str] = field(default_factory=dict)
    broken: bool = False
    slow_seconds: float = 0.0
    sent: list[str] = field(default_factory=list)
    endpoint: str = ""

    def files(self, repository: str) -> dict[str, Path]:
        root = self.folders[repository]
        found = {p.relative_to(root).as_posix(): p for p in root.rglob("*") if p.is_file()}
        return {self.names.get(name, name): path for name, path in found.items()}


def handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            """Silence."""

        def answer(self, status: int, body: bytes, **headers: str) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def refuse(self, repository: str, revision: str) -> bool:
            if repository not in hub.folders:
                self.answer(404, b"{}", X_Error_Code="RepoNotFound")
            elif repository in hub.gated:
                self.answer(403, b"{}", X_Error_Code="GatedRepo")
            elif revision not in {"main", "v1", COMMIT}:
                self.answer(404, b"{}", X_Error_Code="RevisionNotFound")
            else:
                return False
            return True

        def do_GET(self) -> None:
            parts = self.path.split("?")[0].strip("/").split("/")
            if parts == [""]:
                time.sleep(hub.slow_seconds)
                self.answer(200, b"")
                return
            if parts[:2] == ["api", "datasets"]:
                repository = "/".join(parts[2:4])
                revision = parts[5] if len(parts) > 5 else "main"
                if not self.refuse(repository, revision):
                    files = [{"rfilename": name} for name in hub.files(repository)]
                    if parts[4:5] == ["tree"]:
                        tree = [
                            {"type": "file", "path": name, "size": path.stat().st_size, "oid": "0" * 40}
                            for name, path in hub.files(repository).items()
                        ]
                        self.answer(200, json.dumps(tree).encode(), Content_Type="application/json")
                        return
                    info = {"id": repository, "sha": COMMIT, "siblings": files, "private": False}
                    self.answer(200, json.dumps(info).encode(), Content_Type="application/json")
                return
            repository, revision, name = "/".join(parts[1:3]), parts[4], "/".join(parts[5:])
            if self.refuse(repository, revision):
                return
            body = hub.files(repository)[name].read_bytes()
            if self.command == "GET":
                hub.sent.append(name)
            if hub.broken and self.command == "GET":
                self.answer(500, b"broken")
                return
            etag = f'"{hashlib.sha256(body).hexdigest()}"'
            self.answer(200, body, ETag=etag, X_Repo_Commit=COMMIT)

        do_HEAD = do_GET  # noqa: N815

    return Handler


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    known = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(known))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    known.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setenv("HF_ENDPOINT", known.endpoint)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.chdir(tmp_path)
    yield known
    server.shutdown()
    server.server_close()
    thread.join()


def serve(hub: Hub, tmp_path: Path, make_dataset: Make, repository: str = "somebody/moves") -> Path:
    folder = tmp_path / "served"
    make_dataset(folder, [5, 9])
    (folder / "train.py").write_text("print('not ours')")
    hub.folders[repository] = folder
    return folder


@pytest.mark.parametrize("name", ["somebody/moves", "somebody/moves@v1", "hf:somebody/moves", "hf://somebody/moves"])
def test_opens_by_name(hub: Hub, tmp_path: Path, make_dataset: Make, name: str) -> None:
    folder = serve(hub, tmp_path, make_dataset)
    here, there = open_recording(folder), open_recording(Path(name) if name[:3] != "hf:" else name)
    assert there.lengths == (5, 9)
    assert there.fingerprint == here.fingerprint
    assert there.root.is_relative_to(tmp_path / "cache")
    assert there.root.name == COMMIT
    assert "train.py" not in hub.sent
    assert "meta/info.json" in hub.sent


def test_what_was_downloaded_is_used_again(hub: Hub, tmp_path: Path, make_dataset: Make) -> None:
    serve(hub, tmp_path, make_dataset)
    first = open_recording("somebody/moves")
    sent = list(hub.sent)
    assert open_recording("somebody/moves").root == first.root
    assert hub.sent == sent


def test_without_a_connection(hub: Hub, tmp_path: Path, make_dataset: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(hub, tmp_path, make_dataset)
    open_recording("somebody/moves")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    assert open_recording("somebody/moves").lengths == (5, 9)
    with pytest.raises(DataError, match="cannot be reached") as caught:
        open_recording("somebody/else")
    assert "HF_HUB_OFFLINE" in str(caught.value.remedy)


def test_nobody_answers(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(DataError, match="cannot be reached"):
        open_recording("somebody/moves")


def test_refused(hub: Hub, tmp_path: Path, make_dataset: Make) -> None:
    serve(hub, tmp_path, make_dataset)
    with pytest.raises(DataError, match="neither a path nor on the hub"):
        open_recording("nobody/moves")
    with pytest.raises(DataError, match="no such revision"):
        open_recording("somebody/moves@v9")
    hub.gated.add("somebody/moves")
    with pytest.raises(DataError, match="terms"):
        open_recording("somebody/moves")


def test_the_server_fails(hub: Hub, tmp_path: Path, make_dataset: Make) -> None:
    serve(hub, tmp_path, make_dataset)
    hub.broken = True
    with pytest.raises(DataError, match="somebody/moves cannot be downloaded"):
        open_recording("somebody/moves")
    hub.broken = False
    assert open_recording("somebody/moves").lengths == (5, 9)


def test_a_name_that_leaves_the_folder(hub: Hub, tmp_path: Path, make_dataset: Make) -> None:
    """A hostile hub lists a file as ../../../planted.json: nothing appears outside its folder of the cache."""
    folder = serve(hub, tmp_path, make_dataset)
    (folder / "planted.json").write_text("{}")
    hub.names["planted.json"] = "../../../planted.json"
    with pytest.raises(DataError):
        open_recording("somebody/moves")
    assert [path for path in tmp_path.rglob("planted.json") if not path.is_relative_to(folder)] == []


def test_no_dataset_there(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "served").mkdir()
    (tmp_path / "served/notes.json").write_text("{}")
    hub.folders["somebody/notes"] = tmp_path / "served"
    with pytest.raises(DataError, match="known layout"):
        open_recording("somebody/notes")


@pytest.mark.parametrize(
    "text",
    [
        *("moves", "/somebody/moves", "./somebody/moves", "../moves", "a/b/c", "somebody/..", "some body/moves"),
        *("s" * 200 + "/moves", "somebody/" + "m" * 200, "somebody/moves@", "somebody/moves@../x", "", "hf:", "a//b"),
    ],
)
def test_no_name_of_the_hub(text: str) -> None:
    assert hub_name(text) is None


def test_a_path_that_is_mistyped_stays_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    with pytest.raises(DataError, match="does not exist"):
        open_recording("data/mistyped")
    assert hub_name("hf:data/mistyped") == HubName(repository="data/mistyped")
    assert hub_name("lerobot/pusht@v2.1") == HubName(repository="lerobot/pusht", revision="v2.1")


def test_a_dataset_larger_than_the_limit(
    hub: Hub, tmp_path: Path, make_dataset: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(hub, tmp_path, make_dataset)
    monkeypatch.setenv(LIMIT, "0.000001")
    with pytest.raises(DataError, match=rf"somebody/moves is larger than may be downloaded.*{LIMIT}=1 allows it"):
        open_recording("somebody/moves")
    assert hub.sent == []
    # Nor does the limit fall where the hub is slow.
    hub.slow_seconds = 0.3
    with monkeypatch.context() as hurried:
        hurried.setattr(hub_module, "MAX_DOWNLOAD_SECONDS_TO_ANSWER", 0.1)
        with pytest.raises(DataError, match="larger than may be downloaded"):
            open_recording("somebody/moves")
    assert hub.sent == []
    monkeypatch.setenv(LIMIT, "0.1")
    open_recording("somebody/moves")
    sent = list(hub.sent)
    monkeypatch.setenv(LIMIT, "0.000001")
    assert open_recording("somebody/moves").lengths == (5, 9)  # what is here already does not count
    assert hub.sent == sent
    monkeypatch.setenv(LIMIT, "much")
    with pytest.raises(UsageError, match="no size"):
        open_recording("somebody/moves")
