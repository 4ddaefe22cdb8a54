"""`open_recording`: whatever layout a folder has, as a `Recording`. Further layouts plug in by detection."""

from pathlib import Path
from typing import Protocol, runtime_checkable

from monde.data.lerobot.reader import LeRobotV3
from monde.errors import DataError
from monde.protocols import Recording


@runtime_checkable
class Layout(Protocol):
    """A way of laying out a dataset on disk."""

    @property
    def name(self) -> str:
        """What it is called in errors."""
        ...

    def detect(self, root: Path) -> bool:
        """Whether `root` has this layout; cheap, and never raises for a folder of another layout."""
        ...

    def open(self, root: Path) -> Recording:
        """The recording in `root`; raises DataError when it is malformed."""
        ...


LAYOUTS: tuple[Layout, ...] = (LeRobotV3(),)
"""Tried in this order; the first that detects its own opens it."""


def open_recording(path: Path | str) -> Recording:
    """The recording in a folder, read lazily.

    Args:
        path: Folder of the dataset.

    Raises:
        DataError: There is no dataset of a known layout, or it is malformed, half written or lacks files.
    """
    root = Path(path)
    if not root.is_dir():
        raise DataError(
            f"{root} is not a folder" if root.exists() else f"{root} does not exist",
            expected="the folder of a dataset",
            remedy="give the folder that holds meta/ and data/; `monde record` makes one",
        )
    for layout in LAYOUTS:
        if layout.detect(root):
            return layout.open(root)
    raise DataError(
        f"{root} is not a dataset of a known layout",
        got=", ".join(sorted(child.name for child in root.iterdir())[:8]) or "an empty folder",
        expected=" or ".join(layout.name for layout in LAYOUTS),
        remedy="give the folder that holds meta/ and data/; lerobot converts datasets of its older versions",
    )
