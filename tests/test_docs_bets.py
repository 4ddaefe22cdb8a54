"""The page on the two bets: its commands and its code, in order."""

import re
import shlex
from pathlib import Path

import pytest

from monde.cli import main
from monde.store import read_json

ROOT = Path(__file__).resolve().parent.parent

SMALLER = {
    "--films 4000 --walks 2000": "--films 30 --walks 24",
    "--flops 4e13 --validation data/val": "--flops 2e10 --corners state-tokens",
    "--n 24": "--n 1",
}
"""The page teaches for half an hour; here one corner is taught for seconds."""


def test_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs/bets.md").read_text(encoding="utf-8")
    for whole, part in SMALLER.items():
        assert whole in page
        page = page.replace(whole, part)
    commands = [
        line for block in re.findall(r"```sh\n(.*?)```", page, flags=re.DOTALL) for line in block.splitlines() if line
    ]
    first, second = ["build", "build", "run", "report"], ["build", "teach", "curves", "run", "report"]
    assert [shlex.split(command)[2] for command in commands] == [*first, *second]
    monkeypatch.chdir(tmp_path)
    for command in commands:
        assert main(shlex.split(command)[1:]) == 0, command
    report = (tmp_path / "runs/four/report.html").read_text(encoding="utf-8")
    assert "state-tokens" in report
    assert "against episodes" in report
    assert report.count("<svg") > 3
    curves = read_json(tmp_path / "runs/corners/bets_curves.json")
    rows = curves["rows"]
    assert isinstance(rows, list)
    assert len(rows) == 6  # three of compute, three of episodes; the one in the middle lies on both
    capsys.readouterr()
    names: dict[str, object] = {}
    for code in re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL):
        exec(code, names)
    told = capsys.readouterr().out
    assert "QuestionSet(bets, 12 questions," in told
    assert "Walls: discs stay within x 3 to 61 px" in told
    assert "(13, 3, 64, 64)" in told
