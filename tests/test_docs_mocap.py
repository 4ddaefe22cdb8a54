"""The page on motion capture: its code, on the real recordings where they are, else on simulated throws."""

import contextlib
import io
import os
import re
from pathlib import Path

import pytest

from throwing import write_recording

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("3_throws_tracking_lost_on_each", "6_throws_minimal_tracking_loss", "5_ball_juggling_cut")


def test_the_pages_code_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path(os.environ.get("MONDE_SHARED_DATA", ROOT.parent / "shared/data")) / "mocap-juggling-balls"
    if real.is_dir():
        (tmp_path / "mocap").symlink_to(real, target_is_directory=True)
    else:
        (tmp_path / "mocap").mkdir()
        for seed, name in enumerate(NAMES):
            write_recording(tmp_path / f"mocap/{name}.tsv", seed, throws=6)
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs/mocap.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    assert "steps=300" in code
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(code.replace("steps=300", "steps=4, starts=1, fits=1"), "docs/mocap.md", "exec"), {})
    lines = said.getvalue().splitlines()
    assert re.fullmatch(r"\{'model': '\d+ mm', 'ballistic': '\d+ mm', .*\}", lines[0])
    assert re.fullmatch(r"gravity: 9\.\d\d in the file, \d+\.\d\d imagined", lines[1])
    assert re.fullmatch(r"\d+ of 30 planted edits found", lines[3])
    assert all(line.startswith("Loss(") for line in lines[4:])
