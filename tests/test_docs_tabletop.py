"""The table-top page: its commands, in order, on a small recording; its code; and its table of sensors."""

import contextlib
import io
import re
import shlex
from pathlib import Path

import pytest

from monde.cli import main
from monde.worlds.tabletop import Tabletop

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs/tabletop.md").read_text(encoding="utf-8")
SMALL = {
    "--episodes 960 --steps 24": "--episodes 8 --steps 24 --batch 8",
    "--minutes 7": "--steps 2",
    "--batch 96": "--batch 8",
    "--episodes 4 --budget 24": "--episodes 2 --budget 3",
    "--episodes 1 --budget 24": "--episodes 1 --budget 3",
}


def test_the_pages_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL)
    commands = [line for block in blocks for line in block.splitlines() if line]
    assert [shlex.split(command)[1] for command in commands] == ["record", "train", *["plan"] * 6]
    monkeypatch.chdir(tmp_path)
    for command in commands:
        for large, small in SMALL.items():
            command = command.replace(large, small)
        assert main([*shlex.split(command)[1:], "--quiet"]) == 0, command


def test_the_pages_code_runs() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(code, "docs/tabletop.md", "exec"), {})
    assert "(2, 256, 3)" in said.getvalue()


def test_the_page_names_every_sensor() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert named == {sensor.name for sensor in Tabletop(batch=1).sensors}
