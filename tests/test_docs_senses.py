"""The page on senses: its code and its commands, in order, on few episodes."""

import contextlib
import io
import json
import re
import shlex
from pathlib import Path

import pytest

from monde.cli import main

ROOT = Path(__file__).resolve().parent.parent


def test_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs/senses.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```(python|sh)\n(.*?)```", page, flags=re.DOTALL)
    assert [kind for kind, _ in blocks] == ["python", "sh", "sh", "python"]
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    said = io.StringIO()
    for kind, code in blocks:
        if kind == "python":
            assert "EPISODES = 200" in code or "load_model" in code
            with contextlib.redirect_stdout(said):
                exec(compile(code.replace("EPISODES = 200", "EPISODES = 24"), "docs/senses.md", "exec"), names)
        else:
            assert main(shlex.split(code.replace("--minutes 4", "--steps 3 --batch 16"))[1:]) == 0, code
    rows = {row["metric"] for row in json.loads((tmp_path / "runs/patrol/score.json").read_text())["rows"]}
    for sense in ("scan", "gnss", "twist"):
        assert {f"use/{sense}", f"use/{sense}/missing", f"senses/position/other/{sense}"} <= rows
    assert {"motion/pose/translation_rmse", "scan/scan/mae"} <= rows
    told = [line for line in said.getvalue().splitlines() if "gone" in line]
    assert [line.split()[0] for line in told] == ["nothing", "gnss", "scan"]
    assert len({line.split(" gone: ")[1] for line in told}) == 3
