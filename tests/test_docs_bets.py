"""The page on the two bets: its commands and its code, in order."""

import re
import shlex
from pathlib import Path

import pytest

from monde.cli import main

ROOT = Path(__file__).resolve().parent.parent


def test_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs/bets.md").read_text(encoding="utf-8")
    commands = [
        line for block in re.findall(r"```sh\n(.*?)```", page, flags=re.DOTALL) for line in block.splitlines() if line
    ]
    assert [shlex.split(command)[2] for command in commands] == ["build", "build", "run", "report"]
    monkeypatch.chdir(tmp_path)
    for command in commands:
        assert main(shlex.split(command)[1:]) == 0, command
    assert (tmp_path / "runs/bets/report.html").stat().st_size > 10_000
    capsys.readouterr()
    names: dict[str, object] = {}
    for code in re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL):
        exec(code, names)
    told = capsys.readouterr().out
    assert "QuestionSet(bets, 12 questions," in told
    assert "Walls: discs stay within x 3 to 61 px" in told
    assert "(13, 3, 64, 64)" in told
