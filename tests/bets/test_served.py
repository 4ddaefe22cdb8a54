"""The client against a server that others keep: `transformers serve`, with a tiny model that was made here."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from monde.bets.files import QuestionSet
from monde.bets.language import Endpoint, LanguageModel
from monde.bets.running import Budget, run_bets
from monde.errors import UsageError

START_SECONDS = 120.0


@contextmanager
def served(model: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The server, from when it is healthy until it is ended."""
    command = [str(Path(sys.executable).parent / "transformers"), "serve", "--host", "127.0.0.1"]
    process = subprocess.Popen(
        [*command, "--port", str(port), "--device", "cpu", str(model)],
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            assert process.poll() is None, "the server ended by itself"
            try:
                if httpx.get(f"http://127.0.0.1:{port}/health", timeout=1.0).status_code == 200:
                    break
            except httpx.HTTPError:
                time.sleep(0.2)
        yield process
    finally:
        process.kill()
        process.wait()


def test_answers_are_streamed_and_a_dead_server_loses_none(
    tiny_model: Path, few_set: QuestionSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "unused")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    endpoint = Endpoint(
        url=f"http://127.0.0.1:{port}/v1", model=str(tiny_model), max_tokens=12, timeout_seconds=60, retries=1
    )
    model = LanguageModel(endpoint, name="tiny")
    with served(tiny_model, port) as process:
        answer = model.answer(few_set.question(0))
        # A model that knows nothing writes nothing that can be understood: said so, with what it wrote.
        assert answer.failure == "unparsable"
        assert answer.raw
        assert 0 < answer.cost.tokens_out <= 12
        assert answer.cost.tokens_in > 100
        first = run_bets(few_set, model, tmp_path / "run", Budget(tokens=answer.cost.tokens_in * 4))
        assert 0 < first.answered < len(few_set)
        assert first.spent.tokens <= answer.cost.tokens_in * 4
        process.send_signal(signal.SIGKILL)
        process.wait()
        with pytest.raises(UsageError, match="cannot be reached"):
            run_bets(few_set, model, tmp_path / "run", Budget())
    with served(tiny_model, port):
        last = run_bets(few_set, model, tmp_path / "run", Budget())
    assert last.answered == len(few_set)
    assert last.new == len(few_set) - first.answered
