"""Runtime shape and type checks are on for the whole package while tests run; production pays nothing."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from jaxtyping import install_import_hook

install_import_hook("monde", "beartype.beartype")
