"""Reading Zarr recordings in the layout of Diffusion Policy (Chi et al., 2023; its ReplayBuffer)."""

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
from jaxtyping import Int64, Shaped

from monde.data.arrays import ArrayDescription, ArrayRecording, rate_of
from monde.data.bounds import ActionRange
from monde.data.columns import Column, make_column, picture_scale
from monde.data.zarr.store import LongArray, arrays, open_group, reading
from monde.errors import ContractError, DataError
from monde.limits import MAX_EPISODES
from monde.types import ActionSpec

_ENDS, _ACTIONS = "episode_ends", ("action", "actions")
_ASSUMED_HZ = 10.0
"""The control rate of Push-T, and of most real sets in this layout (Chi et al., 2023)."""
_NO_SENSORS = frozenset({"reward", "rewards", "done", "dones", "terminal", "terminals", "success", "timestamp"})
_SAMPLED_FRAMES = 8
_ACTION_ROWS = 65_536


@dataclass(frozen=True)
class DiffusionZarr:
    """The layout of Diffusion Policy: data/{img,state,action,…} [N, …] and meta/episode_ends, a folder or a .zip of it.

    Pictures are cameras (bytes, or numbers to 255 or to 1), the rest are states. Formats 2 and 3 of Zarr.

    Args:
        rate_hz: Frames per second, which the layout does not store; 10 Hz by default.
    """

    rate_hz: float | None = None
    name = "Zarr (Diffusion Policy)"

    def at_rate(self, rate_hz: float) -> Self:
        """The same layout, read at another rate."""
        return replace(self, rate_hz=rate_hz)

    def detect(self, root: Path) -> bool:
        """Whether it is a Zarr group by name or by its parts, or a folder with one in it."""
        return _find(root) is not None

    def open(self, root: Path) -> ArrayRecording:
        """Read names, shapes, where episodes end, and the actions for their range.

        Raises:
            DataError: Malformed, damaged, arrays of unequal length, or of objects.
        """
        path = _find(root) or root
        group = open_group(path)
        data, meta = arrays(path, group, "data"), arrays(path, group, "meta")
        ends = _ends(path, meta)
        action = next((name for name in _ACTIONS if name in data), None)
        _check_rows(path, data, int(ends[-1]))
        rate, told = rate_of(self.rate_hz, _ASSUMED_HZ)
        absent = _absent(path, data)
        description = ArrayDescription(
            root=root,
            layout=self.name,
            columns=_columns(path, data, rate),
            actions=None if action is None else _spec(path, data[action], rate),
            action_keys=() if action is None else (action,),
            lengths=tuple(np.diff(ends, prepend=0).tolist()),
            rate_hz=rate,
            files=_files(path),
            source={"layout": self.name, **told, **({"absent_chunks": absent} if absent else {})},
        )
        return ArrayRecording(description, ZarrRows(path, data, ends))


class ZarrRows:
    """Rows of long arrays that hold all episodes one after another (`monde.data.arrays.Rows`).

    Args:
        path: The dataset, for errors.
        data: Its arrays.
        ends: Row after the last of each episode.
    """

    def __init__(self, path: Path, data: Mapping[str, LongArray], ends: Int64[np.ndarray, " episodes"]) -> None:
        self._path, self._data = path, dict(data)
        self._starts = np.concatenate([[0], ends[:-1]]).astype(np.int64)

    def read(
        self, episode: int, start: int, stop: int, keys: Sequence[str]
    ) -> Mapping[str, Shaped[np.ndarray, "_ ..."]]:
        """See `monde.data.arrays.Rows`."""
        first = int(self._starts[episode])
        rows = {}
        for key in keys:
            with reading(f"{self.where(episode)}, data/{key}"):
                rows[key] = np.asarray(self._data[key][first + start : first + stop])
        return rows

    def where(self, episode: int) -> str:
        """The dataset and the episode."""
        return f"{self._path}, episode {episode}"


def _find(root: Path) -> Path | None:
    """The Zarr group that `root` is, or the only one directly in it."""
    if _is_group(root):
        return root
    try:
        inside = [path for path in root.iterdir() if ".zarr" in path.suffixes] if root.is_dir() else []
    except OSError:
        return None
    return inside[0] if len(inside) == 1 and _is_group(inside[0]) else None


def _is_group(path: Path) -> bool:
    if path.is_dir():
        return path.suffix == ".zarr" or ((path / "meta" / _ENDS).is_dir() and (path / "data").is_dir())
    if path.suffix != ".zip" or not path.is_file():
        return False
    if path.suffixes[-2:] == [".zarr", ".zip"]:
        return True
    try:
        with zipfile.ZipFile(path) as file:
            return any(name.startswith(f"meta/{_ENDS}/") for name in file.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def _ends(path: Path, meta: Mapping[str, LongArray]) -> Int64[np.ndarray, " episodes"]:
    held = meta.get(_ENDS)
    if held is None or len(held.shape) != 1 or held.dtype.kind not in "iu" or not 0 < held.shape[0] <= MAX_EPISODES:
        raise DataError(
            f"{path} does not say where its episodes end",
            got="nothing" if held is None else f"{held.dtype}{list(held.shape)}",
            expected=f"meta/{_ENDS}, 1 to {MAX_EPISODES} whole numbers",
        )
    with reading(path):
        ends = np.asarray(held[:]).astype(np.int64)
    if bool((np.diff(ends, prepend=0) <= 0).any()):
        bad = int(np.argmax(np.diff(ends, prepend=0) <= 0))
        raise DataError(
            f"{path}: meta/{_ENDS} does not grow at episode {bad}",
            got=ends[max(0, bad - 1) : bad + 1].tolist(),
            expected="the row after the last of each episode, every episode of at least one",
        )
    return ends


def _check_rows(path: Path, data: Mapping[str, LongArray], rows: int) -> None:
    for name, array in data.items():
        if array.shape[:1] != (rows,):
            raise DataError(
                f"{path}: array data/{name[:80]} has another length than meta/{_ENDS} says",
                got=f"{list(array.shape)}",
                expected=f"{rows} rows",
                remedy="restore the dataset from where it came; writing it may have been cut off",
            )


def _columns(path: Path, data: Mapping[str, LongArray], rate: float) -> tuple[Column, ...]:
    columns = []
    for name, array in data.items():
        if name in _ACTIONS or name in _NO_SENSORS:
            continue
        column = make_column(name, name, np.dtype(array.dtype), tuple(array.shape[1:]), rate, str(path))
        if column is not None and column.sensor.kind == "rgb" and array.dtype.kind == "f":
            with reading(f"{path}, data/{name}"):
                column = replace(column, scale=picture_scale(np.asarray(array[:_SAMPLED_FRAMES])))
        columns += [] if column is None else [column]
    return tuple(columns)


def _spec(path: Path, array: LongArray, rate: float) -> ActionSpec:
    spread = ActionRange(int(np.prod(array.shape[1:])))
    for start in range(0, array.shape[0], _ACTION_ROWS):
        with reading(path):
            part = np.asarray(array[start : start + _ACTION_ROWS])
        spread.add(part.reshape(len(part), -1).astype(np.float64))
    try:
        return spread.spec(rate)
    except ContractError as error:
        raise DataError(f"the actions of {path} cannot be used", got=error) from error


def _absent(path: Path, data: Mapping[str, LongArray]) -> dict[str, int]:
    """Chunks that are not stored, by array: all zeros, or lost. The format cannot tell: it is said, not refused."""
    with reading(path):
        counts = {name: array.nchunks - array.nchunks_initialized for name, array in data.items()}
    return {name: count for name, count in counts.items() if count > 0}


def _files(path: Path) -> tuple[Path, ...]:
    if path.is_file():
        return (path,)
    return tuple(sorted(file for part in ("data", "meta") for file in (path / part).rglob("*") if file.is_file()))
