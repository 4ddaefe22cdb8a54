"""The page on logs: its commands, in order, on a small robot's log."""

import re
import subprocess
from pathlib import Path

import pytest

from data.mcap.writing import drive
from monde.cli import main

ROOT = Path(__file__).resolve().parent.parent


def test_the_pages_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("rerun", reason="rerun-sdk is not installed: pip install 'monde[view]'")
    page = (ROOT / "docs/logs.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", page, flags=re.DOTALL)
    commands = [line for block in blocks for line in block.splitlines() if line]
    assert [line.split()[1] for line in commands if line.startswith("monde")] == [
        "check",
        "view",
        "train",
        "score",
        "convert",
    ]
    (tmp_path / "logs/drive").mkdir(parents=True)
    for number in range(4):
        drive(tmp_path / f"logs/drive/{number}.mcap", steps=14, seed=number)
    monkeypatch.chdir(tmp_path)
    for command in commands:
        if command.startswith("monde"):
            small = command.replace("--minutes 4", "--steps 3 --batch 4 --frame 32")
            words = small.replace("score runs/drive", "score runs/drive --decoder-seconds 0.1").split()[1:]
            assert main(words) == 0, command
        else:
            subprocess.run(command, shell=True, check=True)
    assert (tmp_path / "drive.rrd").stat().st_size > 10_000
    assert (tmp_path / "data/drive/meta/info.json").exists()
