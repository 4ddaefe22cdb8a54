"""The robot page: its commands, in order, on a small log of the same layout."""

import re
import shlex
from pathlib import Path

import pytest

from data.test_lerobot_legacy import make
from monde.cli import main

ROOT = Path(__file__).resolve().parent.parent


def test_the_pages_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs/robot.md").read_text(encoding="utf-8")
    commands = [
        line for block in re.findall(r"```sh\n(.*?)```", page, flags=re.DOTALL) for line in block.splitlines() if line
    ]
    assert [shlex.split(command)[1] for command in commands] == ["check", "convert", "train", "score", "report"]
    make(tmp_path / "logs/robot", [60, 70, 80])
    monkeypatch.chdir(tmp_path)
    for command in commands:
        small = command.replace("--minutes 4", "--steps 3 --batch 8").replace("--frame 128", "--frame 32")
        small = small.replace("score runs/robot", "score runs/robot --decoder-seconds 0.1")
        assert main(shlex.split(small)[1:]) == 0, command
    assert (tmp_path / "runs/robot/report.html").stat().st_size > 10_000
