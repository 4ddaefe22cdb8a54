"""The page on intuitive physics: its commands and its code, in order, at a small size."""

import re
import shlex
from pathlib import Path

import pytest

from monde.cli import main
from monde.scorecard import Scorecard
from monde.store import read_json

ROOT = Path(__file__).resolve().parent.parent
SMALLER = (
    ("--episodes 1500", "--episodes 36"),
    ("--batch 32", "--batch 4"),
    ("--steps 10", "--steps 3"),
    ("--batch 48 --phases 2 --minutes 3", "--batch 4 --phases 1 --steps 3"),
    ("--n 16 --grades easy", "--n 2 --grades easy --principles inertia"),
    ("--hidden --n 8", "--hidden --n 2"),
)


def test_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs/physics.md").read_text(encoding="utf-8")
    commands = [
        line for block in re.findall(r"```sh\n(.*?)```", page, flags=re.DOTALL) for line in block.splitlines() if line
    ]
    verbs = [shlex.split(command)[1] for command in commands]
    assert verbs == ["record", "train", "refine", "physics", "physics", "report"]
    monkeypatch.chdir(tmp_path)
    told = ""
    for command in commands:
        small = command
        for full, less in SMALLER:
            small = small.replace(full, less)
        assert main(shlex.split(small)[1:]) == 0, command
        told += capsys.readouterr().out
    assert (tmp_path / "runs/physics/report.html").stat().st_size > 10_000
    score = Scorecard.from_json(read_json(tmp_path / "runs/physics/hidden.json"))
    assert [score[f"error_diameters/{seconds}"].n for seconds in ("0.5", "1", "1.5", "2")] == [6] * 4
    assert set(score["error_diameters/1"].floors) == {"last_seen", "constant_velocity", "untrained", "framewise"}
    assert told.count("any event") == 4
    assert "constant velocity" in told
    assert "seconds out of sight" in (tmp_path / "runs/physics/report.html").read_text(encoding="utf-8")
    names: dict[str, object] = {}
    for code in re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL):
        exec(code, names)
    told = capsys.readouterr().out
    assert "PairSet(2d, permanence, hidden, matched, test, films=uint8[8×4×40×3×64×64])" in told
    assert told.count("0.5\n") == 4
    assert "(4, 40)" in told
