"""A script of ours that runs in a peer's environment and answers requests, one JSON line each."""

import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from peers.environment import clean_environment, peer_environment

BENCHMARKS = Path(__file__).resolve().parents[1]


class Peer:
    """A running script; its answers are figures by name."""

    def __init__(self, process: subprocess.Popen[str], log: IO[str]) -> None:
        self._process, self._log = process, log

    def ask(self, **request: object) -> Mapping[str, float]:
        """Send one request and wait for its answer."""
        if self._process.stdin is None:
            raise RuntimeError("the peer has no standard input")
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return self.answer()

    def answer(self) -> Mapping[str, float]:
        """The next answer; the first says that the script is ready."""
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            self._log.seek(0)
            raise RuntimeError(f"the peer ended with code {self._process.wait(60)}: {self._log.read()[-1500:]}")
        return {str(name): float(value) for name, value in json.loads(line).items()}


@contextmanager
def peer_process(peer: str, script: str, *arguments: object, threads: int = 1) -> Iterator[Peer]:
    """Run the module peers.SCRIPT with a peer's Python for as long as the context lasts."""
    command = [str(peer_environment(peer)), "-W", "ignore", "-m", f"peers.{script}", *map(str, arguments)]
    environment = clean_environment() | {"OMP_NUM_THREADS": str(threads)}
    with tempfile.TemporaryFile("w+", encoding="utf-8") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment,
            cwd=BENCHMARKS,
        )
        try:
            peer_ = Peer(process, log)
            peer_.answer()
            yield peer_
        finally:
            if process.stdin:
                process.stdin.close()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
