"""Which groups of HDF5 files are episodes, and which arrays in them are sensors."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from monde.data.hdf5.files import array, attribute, group, json_attribute, opened
from monde.data.hdf5.pictures import decode
from monde.errors import DataError
from monde.limits import MAX_EPISODES, MAX_NAME_CHARACTERS

if TYPE_CHECKING:
    import h5py

Dialect = Literal["robomimic", "ALOHA"]
OBSERVATIONS: Mapping[Dialect, str] = {"robomimic": "obs", "ALOHA": "observations"}
ACTIONS: Mapping[Dialect, str] = {"robomimic": "actions", "ALOHA": "action"}
COMPRESSED = "compress_len"
_DEPTH = 4
_JPEG_RANK = 2


@dataclass(frozen=True, kw_only=True)
class ArrayForm:
    """One array of an episode.

    Args:
        shape: Of one sample; of a compressed picture its decoded shape, [h, w, 3].
        dtype: Of the values.
        rows: Samples.
        compressed: Rows are JPEG or PNG files padded with zeros.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    rows: int
    compressed: bool = False


@dataclass(frozen=True, kw_only=True)
class Episode:
    """Where one episode is.

    Args:
        path: The file.
        group: The group in it.
        arrays: Its arrays by name relative to the group: observations and the action.
        rows: What the file says its length is, or none.
    """

    path: Path
    group: str
    arrays: Mapping[str, ArrayForm]
    rows: int | None

    def __str__(self) -> str:
        return f"{self.path}, {self.group}"


@dataclass(frozen=True, kw_only=True)
class FileContent:
    """What one file holds.

    Args:
        dialect: Its layout.
        episodes: Its episodes.
        rate_hz: The control rate that it states, or none.
        splits: Names of groups by split (robomimic's /mask).
        environment: The name of the environment, or an empty text.
        simulated: Whether ALOHA says that it is from a simulation, or none.
    """

    dialect: Dialect
    episodes: tuple[Episode, ...]
    rate_hz: float | None
    splits: Mapping[str, tuple[str, ...]]
    environment: str = ""
    simulated: bool | None = None


def look(path: Path) -> FileContent:
    """What a file holds; reads names and shapes only.

    Raises:
        DataError: Unreadable, of no known layout, or an episode without observations or actions.
    """
    with opened(path) as file:
        data = group(file, "data")
        if data is not None:
            return _robomimic(path, file, data)
        if group(file, OBSERVATIONS["ALOHA"]) is not None:
            episode = _episode(path, file, "ALOHA")
            simulated = attribute(file, "sim")
            return FileContent(
                dialect="ALOHA",
                episodes=(episode,),
                rate_hz=None,
                splits={},
                simulated=None if simulated is None else bool(simulated),
            )
        raise DataError(
            f"{path} is of no known layout",
            got=", ".join(list(file)[:8]) or "an empty file",
            expected="/data/demo_0/obs and actions (robomimic), or /observations and /action (ALOHA)",
        )


def natural(name: str) -> tuple[tuple[int, str], ...]:
    """Sorting key by which demo_2 comes before demo_10."""
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d{1,18})", name) if part)


def _robomimic(path: Path, file: "h5py.File", data: "h5py.Group") -> FileContent:
    names = sorted(data, key=natural)
    if len(names) > MAX_EPISODES:
        raise DataError(f"{path} holds too many episodes", got=len(names), expected=f"at most {MAX_EPISODES}")
    episodes = []
    for name in names:
        demo = group(data, name)
        if demo is None:
            raise DataError(f"{path}: /data/{name[:60]} is no episode", expected="a group")
        episodes.append(_episode(path, demo, "robomimic"))
    arguments = json_attribute(data, "env_args")
    kwargs = arguments.get("env_kwargs")
    rate = kwargs.get("control_freq") if isinstance(kwargs, dict) else None
    known = isinstance(rate, int | float) and 0 < rate < float("inf")
    return FileContent(
        dialect="robomimic",
        episodes=tuple(episodes),
        rate_hz=float(str(rate)) if known else None,
        splits=_masks(file),
        environment=str(arguments.get("env_name", ""))[:MAX_NAME_CHARACTERS],
    )


def _masks(file: "h5py.File") -> dict[str, tuple[str, ...]]:
    masks = group(file, "mask")
    splits = {}
    for name in masks if masks is not None else ():
        held = array(masks, name)
        if held is not None and held.ndim == 1:
            values = held[()]
            splits[name] = tuple(v.decode(errors="replace") if isinstance(v, bytes) else str(v) for v in values)
    return splits


def _episode(path: Path, held: "h5py.Group", dialect: Dialect) -> Episode:
    place = f"{path}, {held.name[:MAX_NAME_CHARACTERS]}"
    observations = group(held, OBSERVATIONS[dialect])
    actions = array(held, ACTIONS[dialect])
    if observations is None or actions is None:
        raise DataError(
            f"{place} is no whole episode",
            got=", ".join(list(held)[:8]) or "nothing",
            expected=f"{OBSERVATIONS[dialect]} and {ACTIONS[dialect]}",
            remedy="restore the file from where the dataset came; recording may have been cut off",
        )
    arrays = dict(_arrays(observations, OBSERVATIONS[dialect], place, 0))
    arrays[ACTIONS[dialect]] = _form(actions, place)
    if arrays[ACTIONS[dialect]].dtype.kind not in "fiub":
        raise DataError(f"{place}: the actions are no numbers", got=actions.dtype)
    stated = attribute(held, "num_samples")
    return Episode(
        path=path, group=held.name, arrays=arrays, rows=int(stated) if isinstance(stated, int | float) else None
    )


def _arrays(parent: "h5py.Group", prefix: str, place: str, depth: int) -> "Iterator[tuple[str, ArrayForm]]":
    for name in sorted(parent):
        key, held = f"{prefix}/{name}", array(parent, name)
        if held is not None and held.ndim > 0 and held.dtype.kind in "fiub":
            yield key, _form(held, place)
        inner = group(parent, name) if depth < _DEPTH else None
        if inner is not None:
            yield from _arrays(inner, key, place, depth + 1)


def _form(held: "h5py.Dataset", place: str) -> ArrayForm:
    if held.ndim == 0:
        raise DataError(f"{place}: {held.name} is a single number", expected="one row per frame")
    pictures = held.parent.name.rsplit("/", 1)[-1] == "images"
    if pictures and held.ndim == _JPEG_RANK and held.dtype == np.uint8 and len(held):
        shape = decode(held[0], f"{place}, {held.name}, frame 0").shape
        return ArrayForm(shape=shape, dtype=held.dtype, rows=len(held), compressed=True)
    return ArrayForm(shape=tuple(held.shape[1:]), dtype=held.dtype, rows=len(held))
