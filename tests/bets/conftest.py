"""One small set of questions for all tests of the room."""

from pathlib import Path

import pytest

from monde.bets.files import QuestionSet
from monde.bets.questions.build import MAKERS, build_set


@pytest.fixture(scope="session")
def small_set(tmp_path_factory: pytest.TempPathFactory) -> QuestionSet:
    """Two questions of every family that needs no data of others, and every grade."""
    return build_set(tmp_path_factory.mktemp("sets") / "small", n=2, seed=3, families=tuple(MAKERS))


@pytest.fixture(scope="session")
def few_set(tmp_path_factory: pytest.TempPathFactory) -> QuestionSet:
    """Four questions each of two quick families: choices and plans."""
    folder = tmp_path_factory.mktemp("sets") / "few"
    return build_set(folder, n=4, seed=3, families=("what-if", "how-to-get-there"), grades=("easy",))


@pytest.fixture(scope="session")
def shared_folder(shared_data: Path) -> Path:
    """The folder of puzzles and text tasks; skipped where it is absent."""
    if not (shared_data / "phyre-tasks").is_dir() or not (shared_data / "text-spatial").is_dir():
        pytest.skip("no puzzles and no text tasks")
    return shared_data
