"""The page on pretrained encoders: its commands and its code, in order, with a small encoder of that name."""

import re
import shlex
from pathlib import Path

import pytest

from encoders import write_encoder
from monde.cli import main

ROOT = Path(__file__).resolve().parent.parent
NAME = "facebook/dinov2-small"
SMALL = {"--episodes 100 --steps 60": "--episodes 12 --steps 40", "--minutes 4": "--steps 3 --grid 2 --frame 32"}


def test_the_pages_commands_and_code_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs/backbones.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```(sh|python)\n(.*?)```", page, flags=re.DOTALL)
    commands = [line for kind, block in blocks if kind == "sh" for line in block.splitlines() if "pip" not in line]
    assert [shlex.split(command)[1] for command in commands] == ["record", "train", "score", "plan", "report"]
    write_encoder(tmp_path / NAME)
    monkeypatch.chdir(tmp_path)
    for command in commands:
        small = command
        for long, short in SMALL.items():
            small = small.replace(long, short)
        few = {"score": " --n 2", "plan": " --episodes 2"}.get(shlex.split(small)[1])
        if few is not None:
            small += f"{few} --budget 10 --planner random-shooting"
        assert main(shlex.split(small)[1:]) == 0, small
    assert Path("runs/dino/report.html").stat().st_size > 10_000
    (code,) = (block for kind, block in blocks if kind == "python")
    exec(compile(code, "docs/backbones.md", "exec"), {})
    assert list(Path("runs/dino2/checkpoints").glob("step-*"))
