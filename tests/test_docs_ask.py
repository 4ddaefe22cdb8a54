"""The page on asking: its commands and its code, in order, at a small size."""

import json
import re
import shlex
from pathlib import Path

import pytest

from monde.cli import main
from monde.mind import learning

ROOT = Path(__file__).resolve().parent.parent
SMALLER = (
    ("--episodes 400", "--episodes 40"),
    (
        "train data/tworoom --run runs/tworoom --minutes 4",
        "train data/tworoom --run runs/tworoom --steps 60 --batch 16",
    ),
    ("--minutes 1", "--minutes 0.05"),
)


def test_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs/ask.md").read_text(encoding="utf-8")
    commands = [
        line for block in re.findall(r"```sh\n(.*?)```", page, flags=re.DOTALL) for line in block.splitlines() if line
    ]
    asked = [words[3] for words in map(shlex.split, commands) if words[1] == "ask"]
    assert set(asked) == {"state", "imagine", "compare", "plan", "surprise", "explain", "goal_of"}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(learning, "DECODER_STEPS", 5)
    for command in commands:
        small = command
        for full, less in SMALLER:
            small = small.replace(full, less)
        capsys.readouterr()
        assert main(shlex.split(small)[1:]) == 0, command
    answer = json.loads(capsys.readouterr().out)["answer"]
    assert answer["type"] == "PlanAnswer"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["bent.png", "course-3.png", "right.png"]
    names: dict[str, object] = {}
    for code in re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL):
        exec(code, names)
    told = capsys.readouterr().out
    assert "state [" in told
    assert "straight" in told
    assert "corner first" in told
