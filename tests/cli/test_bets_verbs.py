"""`monde bets`: what it refuses before anyone is asked."""

from pathlib import Path

import pytest

from monde.bets.questions.build import build_set
from monde.cli import main


def test_few_shot_shows_nothing_of_the_test_split(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = build_set(tmp_path / "set", n=1, seed=1, families=("what-if",), grades=("easy",))
    assert made.split == "test"
    words = ["bets", "run", str(tmp_path / "set"), "--out", str(tmp_path / "run"), "--contestants", "random"]
    words += ["--url", "http://127.0.0.1:9/v1", "--model", "none", "--style", "few-shot"]
    for training, got in (([], "no --training"), (["--training", str(tmp_path / "set")], "a set of the test split")):
        assert main([*words, *training]) == 2
        told = capsys.readouterr().err
        assert "of the train split" in told
        assert got in told
        assert "--split train" in told
    assert not (tmp_path / "run").exists()
