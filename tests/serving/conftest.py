from collections.abc import Iterator

import pytest

from monde.serving import Server

from .served import desk, served


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One server for the tests of a module that leave it as it was."""
    with served(desk()) as held:
        yield held
