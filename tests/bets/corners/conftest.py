"""A few episodes, and questions of the train split."""

from pathlib import Path

import pytest

from monde.bets.corners.episodes import Episodes, record_episodes
from monde.bets.questions.build import MAKERS, build_set
from monde.bets.types import Question


@pytest.fixture(scope="session")
def episodes(tmp_path_factory: pytest.TempPathFactory) -> Episodes:
    """45 films and 32 episodes of acting."""
    return record_episodes(tmp_path_factory.mktemp("corners") / "episodes", films=45, walks=32, seed=0)


SLOW = ("why", "which-goal")
"""Families of which each question takes a second to make."""


@pytest.fixture(scope="session")
def validation(tmp_path_factory: pytest.TempPathFactory) -> tuple[Question, ...]:
    """Five questions of every family and grade, of the train split: each relation in turn; of slow families one."""
    folder: Path = tmp_path_factory.mktemp("sets")
    quick = tuple(family for family in MAKERS if family not in SLOW)
    five = build_set(folder / "quick", n=5, seed=5, families=quick, split="train")
    one = build_set(folder / "slow", n=1, seed=5, families=SLOW, split="train")
    return (*five.questions(), *one.questions())
