"""The demo at a small size, as a process: made once, found done the second time, complete in one page."""

import json
import subprocess
import sys
from pathlib import Path

from monde.cli.demo import Demo
from monde.recipes import RECIPES


def demo(out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "monde", "demo", "--out", str(out), "--json", str(out.parent / "out.json")]
    sizes = ["--minutes", "0.05", "--recorded", "20", "--episodes", "2"]
    return subprocess.run([*command, *sizes, *more], capture_output=True, text=True, timeout=240)


def test_demo_is_made_once(tmp_path: Path) -> None:
    first = demo(tmp_path / "demo")
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
    again = demo(tmp_path / "demo")
    assert again.returncode == 0, again.stderr
    assert "everything was done already" in again.stdout
    assert page.stat().st_mtime_ns == stamp
    swapped = demo(tmp_path / "demo", "--planner", "random-shooting")
    assert swapped.returncode == 0, swapped.stderr
    assert "4/5 scoring" in swapped.stderr
    assert "2/5 training" not in swapped.stderr


def test_each_task_has_a_folder_of_its_own_and_only_known_ones_are_made(tmp_path: Path) -> None:
    unknown = demo(tmp_path / "demo", "--task", "tworoom_windows")
    assert unknown.returncode == 2
    assert "tworoom_doors" in unknown.stderr
    assert not (tmp_path / "demo").exists()
    assert "runs/demo_tworoom_doors" in Demo(task="tworoom_doors").kept()
    recipe = RECIPES["tworoom_doors"](tmp_path)
    # Goals of another layout cannot be reached: none may be asked for.
    assert recipe.actor is not None
    assert recipe.actor.goals.elsewhere == 0
    assert recipe.world == "tworoom_doors"
