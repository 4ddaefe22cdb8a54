"""Runtime shape and type checks are on for the whole package while tests run; production pays nothing."""

import os
import signal
import sys
from pathlib import Path

import pytest

# Two test processes on two cores: one thread each.
os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent))

import torch
from jaxtyping import install_import_hook

import typecheck

install_import_hook("monde", "typecheck.check")

# A shell's background job ignores Ctrl-C and hands that on to the processes that tests start; a handler of
# our own does not outlive the exec, so those start as they would from a terminal.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Each test checks the first calls of every function."""
    typecheck.start_again()
    torch.manual_seed(0)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call() -> None:
    """Each test draws the same numbers of torch, whatever was drawn for what it is given."""
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real recordings; tests that need it are skipped where it is absent."""
    root = Path(os.environ.get("MONDE_SHARED_DATA", Path(__file__).resolve().parents[2] / "shared/data"))
    if not root.is_dir():
        pytest.skip(f"no real recordings in {root}: set MONDE_SHARED_DATA")
    return root
