"""The page of the laser robot: its code, in order, made small."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SMALLER = (
    ('recipe = laser_rooms(Path("laser"), minutes=5)', """recipe = laser_rooms(Path("laser"), minutes=5)
recipe = replace(
    recipe,
    episodes=64,
    steps=12,
    train=replace(recipe.train, minutes=None, steps=2, batch=8),
    motion=replace(recipe.motion, steps=5),
    actor=replace(recipe.actor, minutes=None, steps=2, frames=8),
)"""),
    ("budget_steps=100", "budget_steps=4"),
    ('outdoors = laser_yard(Path("yard"))', """outdoors = laser_yard(Path("yard"), steps=2)
outdoors = replace(
    outdoors,
    episodes=64,
    steps=10,
    train=replace(outdoors.train, batch=8),
    matcher=replace(outdoors.matcher, steps=2, batch=4),
    forecast=replace(outdoors.forecast, batch=4, most=8),
)"""),
)  # fmt: skip


def test_the_pages_code_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs/laser.md").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL))
    for said, smaller in SMALLER:
        assert said in code
        code = code.replace(said, smaller)
    monkeypatch.chdir(tmp_path)
    told: dict[str, object] = {}
    exec(compile(code, "docs/laser.md", "exec"), told)
    assert (tmp_path / "laser/laser_rooms/actor").is_dir()
    assert (tmp_path / "yard/laser_yard/readouts/scan_forecast").is_dir()


def test_the_pictures_of_the_page_are_there() -> None:
    page = (ROOT / "docs/laser.md").read_text(encoding="utf-8")
    pictures = re.findall(r"!\[.*?\]\((.*?)\)", page)
    assert pictures
    for picture in pictures:
        assert (ROOT / "docs" / picture).resolve().is_file(), picture
