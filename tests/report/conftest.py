"""One whole run and its page, for the tests that only look."""

from pathlib import Path

import pytest

from monde.report import build_report
from tests.report.fake_run import make_run


@pytest.fixture(scope="session")
def whole_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a run that has all parts; report.html inside its run folder. Look, do not touch."""
    return build_report(make_run(tmp_path_factory.mktemp("runs") / "demo").root)
