"""The page on the field's own sets: its code, on a tiny set of the same layout."""

import re
import shlex
from pathlib import Path

import pytest
import tyro

from evaluation.physics_sets import makers
from monde.cli.entry import CONFIG, Command
from monde.cli.physics import Physics

ROOT = Path(__file__).resolve().parent.parent


def test_the_command_is_one_that_the_program_takes() -> None:
    page = (ROOT / "docs/physics_sets.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"```sh\n(.*?)\n```", page, flags=re.DOTALL)
    command = tyro.cli(Command, prog="monde", args=shlex.split(line)[1:], config=CONFIG)
    assert isinstance(command.verb, Physics)
    assert command.verb.set == Path("data/intphys")


def test_the_pages_code_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (ROOT / "docs/physics_sets.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    makers.intphys(
        tmp_path / "data/intphys/dev", {"O1/01": (True, True, False, False), "O1/02": (False, True, True, False)}
    )
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    told = capsys.readouterr().out
    assert "2 missing or left out: O2" in told
    assert "intphys/relative_error/all" in told
    assert "intphys/pairwise_accuracy/all" in told
