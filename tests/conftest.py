"""Runtime shape and type checks are on for the whole package while tests run; production pays nothing."""

import os
import sys
from pathlib import Path

# Two test processes on two cores: one thread each.
os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent))

from jaxtyping import install_import_hook

install_import_hook("monde", "typecheck.check")
