"""Runtime shape and type checks are on for the whole package while tests run; production pays nothing."""

import os
import signal
import sys
from pathlib import Path

# Two test processes on two cores: one thread each.
os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent))

from jaxtyping import install_import_hook

install_import_hook("monde", "typecheck.check")

# A shell's background job ignores Ctrl-C and hands that on to the processes that tests start; a handler of
# our own does not outlive the exec, so those start as they would from a terminal.
signal.signal(signal.SIGINT, signal.default_int_handler)
