"""A few episodes, and questions of the train split."""

from pathlib import Path

import pytest

from monde.bets.corners.episodes import Episodes, record_episodes
from monde.bets.files import QuestionSet
from monde.bets.questions.build import MAKERS, build_set


@pytest.fixture(scope="session")
def episodes(tmp_path_factory: pytest.TempPathFactory) -> Episodes:
    """45 films and 32 episodes of acting."""
    return record_episodes(tmp_path_factory.mktemp("corners") / "episodes", films=45, walks=32, seed=0)


@pytest.fixture(scope="session")
def validation(tmp_path_factory: pytest.TempPathFactory) -> QuestionSet:
    """Five questions of every family and grade, of the train split: each relation in turn."""
    folder: Path = tmp_path_factory.mktemp("sets") / "validation"
    return build_set(folder, n=5, seed=5, families=tuple(MAKERS), split="train")
