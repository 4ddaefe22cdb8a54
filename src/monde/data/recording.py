"""`open_recording`: whatever layout a folder has, as a `Recording`. Further layouts plug in by detection."""

from pathlib import Path
from typing import Protocol, Self, runtime_checkable

from monde.data.folders.reader import VideoFolder, VideoRecording, is_video
from monde.data.hdf5.reader import Hdf5
from monde.data.hub import download, hub_name
from monde.data.lerobot.reader import LeRobotLayout
from monde.data.logs.euroc import Euroc
from monde.data.logs.kitti import KittiRaw
from monde.data.logs.tum import TumRgbd
from monde.data.mcap.reader import Mcap
from monde.data.rlds.reader import Rlds
from monde.data.robot_log import RobotLog
from monde.data.zarr.reader import DiffusionZarr
from monde.errors import DataError, UsageError
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


@runtime_checkable
class Timeless(Layout, Protocol):
    """A layout that stores no times, or several clocks: the rate of its steps is assumed or given."""

    def at_rate(self, rate_hz: float) -> Self:
        """The same layout, read at another rate."""
        ...


FILES: tuple[Layout, ...] = (Hdf5(), DiffusionZarr(), Mcap())
"""The layouts of which a single file can be a dataset."""
LAYOUTS: tuple[Layout, ...] = (
    LeRobotLayout(),
    RobotLog(),
    Rlds(),
    *FILES,
    Euroc(),
    TumRgbd(),
    KittiRaw(),
    VideoFolder(),
)
"""Tried in this order; the first that detects its own opens it."""


def open_recording(path: Path | str, rate_hz: float | None = None) -> Recording:
    """The recording in a folder or file, or on the hub, read lazily.

    Args:
        path: Folder of the dataset, or of plain videos or logs, or a single video, HDF5, MCAP or zipped Zarr file; or,
            where there is no such path, a name on the Hugging Face Hub (`user/dataset`, `user/dataset@revision`), which
            is downloaded.
        rate_hz: Frames per second, for layouts that do not store it (HDF5, RLDS, Zarr); else what is usual in them.
            Steps per second, for logs of sensors with clocks of their own; else a step for every sample of one sensor.

    Raises:
        DataError: There is no dataset of a known layout, or it is malformed, half written or lacks files.
        UsageError: A rate for a layout that has its own.
    """
    root = Path(path)
    name = None if root.exists() else hub_name(str(path))
    if name is not None:
        root = download(name)
    for layout in FILES if root.is_file() else ():
        if layout.detect(root):
            return _at_rate(layout, rate_hz).open(root)
    if root.is_file() and is_video(root):
        _at_rate(VideoFolder(), rate_hz)
        return VideoRecording(root)
    if not root.is_dir():
        raise DataError(
            f"{root} is not a folder" if root.exists() else f"{root} does not exist",
            expected="the folder of a dataset, a video, or a name on the hub (user/dataset)",
            remedy="give the folder that holds meta/ and data/; `monde record` makes one",
        )
    for layout in LAYOUTS:
        if layout.detect(root):
            return _at_rate(layout, rate_hz).open(root)
    raise DataError(
        f"{root} is not a dataset of a known layout",
        got=", ".join(sorted(child.name for child in root.iterdir())[:8]) or "an empty folder",
        expected=" or ".join(layout.name for layout in LAYOUTS),
        remedy="give the folder that holds meta/ and data/; lerobot converts datasets of its older versions",
    )


def _at_rate(layout: Layout, rate_hz: float | None) -> Layout:
    if rate_hz is None:
        return layout
    if isinstance(layout, Timeless):
        return layout.at_rate(rate_hz)
    raise UsageError(f"{layout.name} has times of its own", got=f"rate_hz = {rate_hz}", remedy="leave rate_hz away")
