"""The demo at a small size: made once, as a process; found done the second time; complete in one page."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from monde.cli import main
from monde.cli.demo import Demo
from monde.recipes import RECIPES


def words(out: Path, *more: str) -> list[str]:
    sizes = ["--minutes", "0.05", "--recorded", "20", "--episodes", "2"]
    return ["demo", "--out", str(out), "--json", str(out.parent / "out.json"), *sizes, *more]


def test_demo_is_made_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = words(tmp_path / "demo")
    first = subprocess.run([sys.executable, "-m", "monde", *asked], capture_output=True, text=True, timeout=240)
    assert first.returncode == 0, first.stderr
    for stage in ("1/5 recording", "2/5 training", "3/5 fitting the actor", "4/5 scoring", "5/5 drawing"):
        assert stage in first.stderr
    document = json.loads((tmp_path / "out.json").read_text())
    metrics = {row["metric"] for row in document["score"]["rows"]}
    assert {"success", "plan_seconds", "probe_position_rmse_px", "wall_seconds", "anonymous_bytes"} <= metrics
    page = Path(document["report"])
    html = page.read_text()
    assert "Protocol" in html
    stamp = page.stat().st_mtime_ns
    assert main(asked) == 0
    assert "everything was done already" in capsys.readouterr().out
    assert page.stat().st_mtime_ns == stamp
    assert main([*asked, "--planner", "random-shooting"]) == 0
    swapped = capsys.readouterr().err
    assert "4/5 scoring" in swapped
    assert "2/5 training" not in swapped


def test_each_task_has_a_folder_of_its_own_and_only_known_ones_are_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words(tmp_path / "demo", "--task", "tworoom_windows")) == 2
    assert "tworoom_doors" in capsys.readouterr().err
    assert not (tmp_path / "demo").exists()
    assert "runs/demo_tworoom_doors" in Demo(task="tworoom_doors").kept()
    recipe = RECIPES["tworoom_doors"](tmp_path)
    # Goals of another layout cannot be reached: none may be asked for.
    assert recipe.actor is not None
    assert recipe.actor.goals.elsewhere == 0
    assert recipe.world == "tworoom_doors"
