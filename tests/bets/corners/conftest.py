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


@pytest.fixture(scope="session")
def validation(tmp_path_factory: pytest.TempPathFactory) -> tuple[Question, ...]:
    """A question of every family and grade, of the train split, and of every relation."""
    folder: Path = tmp_path_factory.mktemp("sets")
    others = tuple(family for family in MAKERS if family != "spatial-relations")
    each = build_set(folder / "each", n=1, seed=5, families=others, split="train")
    relations = build_set(folder / "relations", n=5, seed=5, families=("spatial-relations",), split="train")
    return (*each.questions(), *relations.questions())
