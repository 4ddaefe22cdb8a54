"""Reading HDF5 recordings: a file of robomimic, or a folder of files of robomimic or ALOHA."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from monde.data.arrays import ArrayDescription, ArrayRecording, rate_of, unequal
from monde.data.bounds import ActionRange
from monde.data.columns import Column, make_column, picture_scale
from monde.data.hdf5.episodes import ACTIONS, OBSERVATIONS, Dialect, Episode, FileContent, look, natural
from monde.data.hdf5.rows import Hdf5Rows
from monde.errors import ContractError, DataError

SUFFIXES = frozenset({".hdf5", ".h5", ".hdf"})
_ASSUMED_HZ: Mapping[Dialect, float] = {"robomimic": 20.0, "ALOHA": 50.0}
"""robosuite's default control_freq, and the rate of ALOHA (Zhao et al., 2023)."""
_SAMPLED_FRAMES = 8


@dataclass(frozen=True)
class Hdf5:
    """The layouts of robomimic (/data/demo_0/{obs,actions}) and ALOHA (/observations, /action; one file per episode).

    Pictures are cameras, other numeric observations states. Splits are robomimic's masks.

    Args:
        rate_hz: Frames per second; by default what env_args says (control_freq), else 20 Hz, and 50 Hz for ALOHA.
    """

    rate_hz: float | None = None
    name = "HDF5 (robomimic, ALOHA)"

    def at_rate(self, rate_hz: float) -> Self:
        """The same layout, read at another rate."""
        return replace(self, rate_hz=rate_hz)

    def detect(self, root: Path) -> bool:
        """Whether it is such a file, or a folder of them, by name."""
        return root.suffix.lower() in SUFFIXES if root.is_file() else bool(_files(root))

    def open(self, root: Path) -> ArrayRecording:
        """Look at names and shapes in all files, and read the actions for their range.

        Raises:
            DataError: Malformed, truncated, or files that do not fit each other.
        """
        contents = [look(path) for path in ([root] if root.is_file() else _files(root))]
        episodes = [episode for content in contents for episode in content.episodes]
        if not episodes:
            raise DataError(f"{root} holds no episodes")
        dialect, rates = contents[0].dialect, {content.rate_hz for content in contents}
        if len({content.dialect for content in contents}) > 1 or len(rates) > 1:
            raise DataError(
                f"{root} holds files of several layouts or rates",
                got=f"{sorted({content.dialect for content in contents})}, {sorted(map(str, rates))} Hz",
                remedy="open them one by one",
            )
        lengths = tuple(_length(episode, ACTIONS[dialect]) for episode in episodes)
        _check_alike(episodes)
        stated = contents[0].rate_hz
        rate, told = rate_of(stated if self.rate_hz is None else self.rate_hz, _ASSUMED_HZ[dialect])
        rows = Hdf5Rows(episodes)
        columns = _columns(episodes[0], dialect, rate, rows, lengths[0])
        action = ACTIONS[dialect]
        spread = ActionRange(_width(episodes[0], action))
        for index, length in enumerate(lengths):
            if length:
                spread.add(rows.read(index, 0, length, [action])[action].reshape(length, -1))
        try:
            actions = spread.spec(rate)
        except ContractError as error:
            raise DataError(f"the actions of {root} cannot be used", got=error) from error
        description = ArrayDescription(
            root=root,
            layout=self.name,
            columns=columns,
            actions=actions,
            action_keys=(action,),
            lengths=lengths,
            rate_hz=rate,
            files=tuple(dict.fromkeys(episode.path for episode in episodes)),
            splits=_splits(contents),
            source={"layout": dialect, **_told(contents[0]), **told},
        )
        return ArrayRecording(description, rows)


def _files(folder: Path) -> list[Path]:
    try:
        found = [path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file()]
    except OSError:
        return []
    return sorted(found, key=lambda path: natural(path.name))


def _length(episode: Episode, action: str) -> int:
    rows = episode.arrays[action].rows
    for key, form in episode.arrays.items():
        if form.rows != rows:
            raise unequal(str(episode), key, form.rows, rows)
    if episode.rows is not None and episode.rows != rows:
        raise DataError(
            f"{episode} says that it has another length than it has",
            got=f"num_samples = {episode.rows}, {rows} rows",
            remedy="restore the file from where the dataset came",
        )
    return rows


def _check_alike(episodes: Sequence[Episode]) -> None:
    first = {key: (form.shape, form.dtype.kind) for key, form in episodes[0].arrays.items()}
    for episode in episodes[1:]:
        other = {key: (form.shape, form.dtype.kind) for key, form in episode.arrays.items()}
        if other != first:
            differ = sorted(key for key in first.keys() | other.keys() if first.get(key) != other.get(key))
            raise DataError(
                f"{episode} holds other arrays than {episodes[0]}",
                got=", ".join(f"{key[:80]}: {other.get(key, ('missing',))[0]}" for key in differ[:4]),
                expected=", ".join(f"{key[:80]}: {first.get(key, ('missing',))[0]}" for key in differ[:4]),
                remedy="leave this episode out, or open the files one by one",
            )


def _columns(episode: Episode, dialect: Dialect, rate: float, rows: Hdf5Rows, length: int) -> tuple[Column, ...]:
    columns = []
    prefix = OBSERVATIONS[dialect] + "/"
    for key, form in episode.arrays.items():
        if not key.startswith(prefix):
            continue
        name = key.removeprefix(prefix).removeprefix("images/").replace("/", ".")
        column = make_column(name, key, form.dtype, form.shape, rate, str(episode))
        if column is not None and column.sensor.kind == "rgb" and form.dtype.kind == "f" and length:
            sample = rows.read(0, 0, min(length, _SAMPLED_FRAMES), [key])[key]
            column = replace(column, scale=picture_scale(sample))
        columns += [] if column is None else [column]
    return tuple(columns)


def _width(episode: Episode, action: str) -> int:
    width = 1
    for side in episode.arrays[action].shape:
        width *= side
    return width


def _splits(contents: Sequence[FileContent]) -> dict[str, tuple[int, ...]]:
    splits: dict[str, tuple[int, ...]] = {}
    offset = 0
    for content in contents:
        numbers = {episode.group.rsplit("/", 1)[-1]: offset + index for index, episode in enumerate(content.episodes)}
        for name, held in content.splits.items():
            found = tuple(numbers[group] for group in held if group in numbers)
            splits[name] = splits.get(name, ()) + found
        offset += len(content.episodes)
    return splits


def _told(content: FileContent) -> dict[str, object]:
    told: dict[str, object] = {"environment": content.environment} if content.environment else {}
    return told if content.simulated is None else told | {"simulated": content.simulated}
