"""The page on taking a run elsewhere: its commands and its code, in order, against a hub on this machine."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from monde.cli import main
from monde.export.agreement import TOLERANCE
from tests.export.hub_server import Hub

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

# The hub's library gives its HTTP client bytes in a way that the client no longer likes.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content:DeprecationWarning")

PAGE = Path(__file__).resolve().parents[2] / "docs/export.md"


def test_the_page_runs(
    run: Path, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", page, flags=re.DOTALL)
    commands = [shlex.split(line) for block in blocks for line in block.splitlines() if line]
    assert [words[1] for words in commands] == ["install", "export", "push", "pull", "ask"]
    monkeypatch.chdir(tmp_path)
    shutil.copytree(run, tmp_path / "runs/tworoom")
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(tmp_path / "goal.png")
    # Exporting traces the package as it is without the runtime checks of the tests: in a process of its own.
    words = [sys.executable, "-m", *commands[1], "--calls", "3", "--json", "-"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=290, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert told["max_abs_difference"] <= TOLERANCE
    assert {one["graph"] for one in told["agreement"]} == {"encoder", "begin", "step", "actor", "distance", "chain"}
    manifest = json.loads((tmp_path / "out/tworoom/export.json").read_text())
    assert manifest["graphs"]["encoder"]["inputs"] == {"top": {"dtype": "uint8", "shape": ["B", 3, 64, 64]}}
    capsys.readouterr()
    for code in re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL):
        exec(code, {})
    assert capsys.readouterr().out == "(1, 5, 2)\n"
    for command in commands[2:]:
        assert main(command[1:]) == 0, command
    assert set(hub.files) == {"somebody/tworoom"}
    assert "a belief at 0.00 s" in capsys.readouterr().out
