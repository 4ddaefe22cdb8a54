import pytest

from monde.worlds.scenes3d import engine


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if engine.backend() is None:
        for item in items:
            if "scenes3d" in str(item.path) and item.path.name != "test_simulate.py":
                item.add_marker(pytest.mark.skip(reason=f"no renderer: {engine.APT}"))
