"""Importing the package does nothing; its public names exist and its documentation runs."""

import contextlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import monde
from monde.models import JEPA, check_model, model_config
from monde.scorecard import Scorecard
from monde.store import read_json
from monde.types import ActionSpec, Sensor

ROOT = Path(__file__).resolve().parent.parent


def test_import_is_light() -> None:
    script = "import sys, monde; print([m for m in ('torch', 'numpy', 'pyarrow') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", [name for name in monde.__all__ if name != "__version__"])
def test_public_names_load(name: str) -> None:
    assert getattr(monde, name).__doc__


def test_an_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(AttributeError, match="open_recording"):
        _ = monde.opn_recording


def test_check_model() -> None:
    sensor = Sensor(name="top", kind="rgb", shape=(3, 32, 32), rate_hz=10)
    actions = ActionSpec(low=(-1.0, -1.0), high=(1.0, 1.0), block=2, dt_seconds=0.1)
    torch.manual_seed(0)
    model = JEPA(model_config("nano", (sensor,), actions)).eval()
    assert check_model(model) == []
    # Left in training mode, a row's latents depend on the rows beside it: the checker must notice.
    assert any("alone" in finding for finding in check_model(model.train()))


def blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)


SMALL = {
    "episodes=400": "episodes=20",
    "steps=100": "steps=60",
    "minutes=4": "minutes=None, steps=20, batch=16",
    "minutes=10": "minutes=0.05",
    "minutes=1)": "minutes=None, steps=30, frames=16)",
    "landmarks=512": "landmarks=32, radius_blocks=0.5, reach_blocks=8.0, least_seen=1",
    "levels=2": "levels=2, minutes=0.02, heads=FitActorConfig(minutes=0.02)",
    "episodes=2000, judged=1000": "episodes=150, judged=40",
    "minutes=2)": "minutes=0.05)",
    "±4": "±30",
    "state.x<20,state.y>40": "state.x<40,state.y>20",
}

PAGES = ("README.md", *(f"docs/{page}.md" for page in ("quickstart", "planning", "far", "trust", "robustness")))


BEGINNING = """import monde
monde.record("tworoom", "data/tworoom", episodes=400, steps=100)
monde.train(monde.TrainConfig(data="data/tworoom", run="runs/tworoom", minutes=4))
"""
"""What all these pages do first."""


def run_small(code: str, folder: Path, alone: bool = False) -> None:
    """In a folder, with sizes that fit a test; in a process of its own, where nothing else was imported, or here."""
    for large, small in SMALL.items():
        code = code.replace(large, small)
    if alone:
        done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stderr
        return
    with contextlib.chdir(folder):
        exec(compile(code, "page", "exec"), {"__name__": "__main__"})


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which what all pages do first is done."""
    folder: Path = tmp_path_factory.mktemp("pages")
    run_small(BEGINNING, folder)
    return folder


@pytest.mark.parametrize("page", PAGES)
def test_the_code_in_the_documentation_runs(page: str, begun: Path, tmp_path: Path) -> None:
    """All Python of a page, in order; its recording and run, the same on all pages, are made once for all."""
    code = "\n".join(blocks(page))
    for line in BEGINNING.splitlines():
        assert line in code
    code = code.replace(BEGINNING.splitlines()[-1], "")
    shutil.copytree(begun, tmp_path / "here")
    run_small(code, tmp_path / "here", alone=page == "README.md")


def test_pages_quote_the_committed_figures() -> None:
    """Their tables are what benchmarks/tables.py makes of the result files: no figure in them is typed by hand."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        from tables import PAGES, filled  # type: ignore[import-not-found]
    finally:
        sys.path.pop(0)
    assert len(PAGES) == 3
    for page, tables in PAGES.items():
        text = (ROOT / page).read_text(encoding="utf-8")
        assert filled(text, tables) == text, page


def test_every_figure_lies_within_its_interval() -> None:
    """One that does not is of another statistic than its interval."""
    cards = sorted((ROOT / "benchmarks/results").glob("*.json"))
    rows = [(card.name, row) for card in cards for row in Scorecard.from_json(read_json(card)).rows]
    assert len(rows) > 1000
    for name, row in rows:
        low, high = row.interval or (row.value, row.value)
        assert low - 1e-9 <= row.value <= high + 1e-9, (name, row.metric)


def test_every_figure_has_its_command() -> None:
    """The README names the script of each result file that it quotes."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        from figures import CHAPTERS, FIGURES  # type: ignore[import-not-found]
    finally:
        sys.path.pop(0)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = {line.split("|")[1].strip(): line for line in text.splitlines() if ".py" in line and "|" in line}
    files = [(chapter, name) for chapter, names in CHAPTERS.items() for name in names]
    assert {name for name, *_ in FIGURES} == {name for _, name in files}
    for chapter, name in files:
        script = f"{name.removesuffix('_3d')}.py"
        assert script in commands[chapter], name
        assert (ROOT / "benchmarks" / script).exists()


def test_the_physics_benchmark_writes_what_shortcuts_score_on_every_principle() -> None:
    script = (
        "import json\n"
        "from physics import CHECKS, shortcut_rows\n"
        "print(json.dumps([[row.metric, row.n, row.note] for space in ('2d', '3d') for row in shortcut_rows(space)]))"
    )
    paths = [str(ROOT / "benchmarks"), str(ROOT / "src")]
    words = [sys.executable, "-c", f"import sys\nsys.path[:0] = {paths}\n{script}"]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=120)
    rows = {name: (n, note) for name, n, note in json.loads(done.stdout)}
    assert len(rows) == 2 * 4 * 9
    assert all(n >= 400 for n, _ in rows.values())
    assert rows["shortcut/frame_set/solidity"][1].startswith("easy, the grade furthest from chance; context-swapped")
    assert "scenes_3d.json" in rows["shortcut/motion_sum/3d/colour-constancy"][1]


def test_the_example_runs(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples/plan_in_tworoom.py"), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    assert "reached their goal" in done.stdout
