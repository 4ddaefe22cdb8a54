"""Reading RLDS datasets: TFRecord files with features.json and dataset_info.json beside them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from monde.data.arrays import ArrayDescription, ArrayRecording, rate_of
from monde.data.columns import Column, make_column
from monde.data.rlds.features import FEATURES, STEPS, Described, read_features
from monde.data.rlds.index import build_index
from monde.data.rlds.rows import RecordRows
from monde.data.rlds.tfrecord import Record, index_records
from monde.errors import ContractError, DataError, StoreError
from monde.store import read_json

INFO = "dataset_info.json"
_FILE = re.compile(r"(?P<name>.+)-(?P<split>[^-]+)\.tfrecord-(?P<shard>\d{5,})-of-(?P<shards>\d{5,})")
_OBSERVATION, _ACTION = f"{STEPS}/observation/", f"{STEPS}/action"
_KNOWN_HZ = {"bridge_dataset": 5.0, "bridge": 5.0, "fractal20220817_data": 3.0}
"""RLDS stores no rate. BridgeData V2 (Walke et al., 2023) acts at 5 Hz, RT-1 (Brohan et al., 2022) at 3 Hz."""


@dataclass(frozen=True)
class Rlds:
    """The layout of RLDS: a folder of TFRecord files of one version, or the folder that holds one version's.

    Pictures of `steps/observation` are cameras, its numbers states; text embeddings are left out, and the
    instruction is the episode's task. The splits of file names are in `splits`.

    Args:
        rate_hz: Steps per second, which RLDS does not store; by default what is known of a few datasets, by name.
    """

    rate_hz: float | None = None
    name = "RLDS (TFRecord)"

    def at_rate(self, rate_hz: float) -> Self:
        """The same layout, read at another rate."""
        return replace(self, rate_hz=rate_hz)

    def detect(self, root: Path) -> bool:
        """Whether there are TFRecord files, named as TensorFlow Datasets does."""
        return root.is_dir() and bool(_version_folders(root))

    def open(self, root: Path) -> ArrayRecording:
        """Index all records (see `build_index`), in the order of splits and shards.

        Raises:
            DataError: Malformed, half there, not described, or of a rate that is neither given nor known.
        """
        folders = _version_folders(root)
        if len(folders) != 1:
            raise DataError(
                f"{root} holds several versions of a dataset",
                got=", ".join(folder.name for folder in folders[:8]),
                expected="one",
                remedy="open one of these folders",
            )
        return _open(root, folders[0], self.rate_hz)


def _open(root: Path, folder: Path, rate_hz: float | None) -> ArrayRecording:
    shards, features, info = _shards(folder), read_features(folder), _info(folder)
    name = str(info.get("name", "") or next(iter(shards.values()))[0].name.rsplit("-", 4)[0])
    if rate_hz is None and name not in _KNOWN_HZ:
        raise DataError(
            f"RLDS does not store the rate of {name or folder}",
            expected="steps per second",
            remedy="say it (--rate HZ, or open_recording(…, rate_hz=HZ)): BridgeData V2 has 5 Hz, RT-1 (fractal) 3 Hz",
        )
    rate, told = rate_of(rate_hz, _KNOWN_HZ.get(name, 0.0))
    columns = _columns(features, rate, folder)
    action_keys = tuple(
        key for key, one in features.items() if one.form == "tensor" and (key + "/").startswith(_ACTION + "/")
    )
    records: list[Record] = []
    splits: dict[str, tuple[int, ...]] = {}
    for split, paths in shards.items():
        found = [record for path in paths for record in index_records(path)]
        _check_count(folder, info, split, len(found))
        splits[split] = tuple(range(len(records), len(records) + len(found)))
        records += found
    used = {one.key: one for one in features.values() if one.form == "text" or one.key in action_keys}
    used |= {column.key: features[column.key] for column in columns}
    index = build_index(records, {key: features[key] for key in used}, action_keys)
    files = [path for paths in shards.values() for path in paths]
    try:
        actions = None if index.actions is None else index.actions.spec(rate, _names(features, action_keys))
    except ContractError as error:
        raise DataError(f"the actions of {folder} cannot be used", got=error) from error
    description = ArrayDescription(
        root=root,
        layout=Rlds.name,
        columns=columns,
        actions=actions,
        action_keys=action_keys,
        lengths=index.lengths,
        rate_hz=rate,
        files=(folder / FEATURES, *files),
        tasks=index.tasks,
        splits=splits,
        source={"layout": Rlds.name, "dataset": name, "version": str(info.get("version", "")), **told},
    )
    return ArrayRecording(description, RecordRows(records, features, index.lengths))


def _version_folders(root: Path) -> list[Path]:
    try:
        if _files(root):
            return [root]
        return sorted(child for child in root.iterdir() if child.is_dir() and _files(child))
    except OSError:
        return []


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.tfrecord-*") if _FILE.fullmatch(path.name))


def _shards(folder: Path) -> dict[str, list[Path]]:
    """The files of each split, in order.

    Raises:
        DataError: A shard is missing.
    """
    found: dict[str, dict[int, Path]] = {}
    totals: dict[str, int] = {}
    for path in _files(folder):
        match = _FILE.fullmatch(path.name)
        if match is not None:
            found.setdefault(match["split"], {})[int(match["shard"])] = path
            totals[match["split"]] = max(totals.get(match["split"], 0), int(match["shards"]))
    for split, shards in found.items():
        absent = [number for number in range(min(totals[split], len(shards) + 1)) if number not in shards]
        if absent or len(shards) != totals[split]:
            raise DataError(
                f"{folder} lacks TFRecord files of the split {split!r}",
                got=f"{len(shards)} of {totals[split]}, no {absent[:5]}",
                expected="all of them",
                remedy="copy the rest from where the dataset came",
            )
    return {split: [shards[number] for number in sorted(shards)] for split, shards in sorted(found.items())}


def _info(folder: Path) -> Mapping[str, object]:
    """dataset_info.json; a dataset can be read without it."""
    if not (folder / INFO).exists():
        return {}
    try:
        return read_json(folder / INFO)
    except StoreError as error:
        raise DataError(error.what, got=error.got, expected=error.expected, remedy=error.remedy) from error


def _check_count(folder: Path, info: Mapping[str, object], split: str, count: int) -> None:
    listed = info.get("splits")
    for one in listed if isinstance(listed, list) else []:
        lengths = one.get("shardLengths") if isinstance(one, dict) and one.get("name") == split else None
        if isinstance(lengths, list) and sum(int(str(length)) for length in lengths if str(length).isdigit()) != count:
            raise DataError(
                f"{folder / INFO} and the files of the split {split!r} disagree",
                got=f"{count} episodes",
                expected=", ".join(map(str, lengths[:8])),
                remedy="restore both from where the dataset came",
            )


def _columns(features: Mapping[str, Described], rate: float, folder: Path) -> tuple[Column, ...]:
    columns = []
    for key, one in features.items():
        if not key.startswith(_OBSERVATION) or one.dtype is None or "language" in key or "embedding" in key:
            continue
        name = key.removeprefix(_OBSERVATION).replace("/", ".")
        column = make_column(name, key, one.dtype, one.shape, rate, str(folder / FEATURES))
        columns += [] if column is None else [column]
    return tuple(columns)


def _names(features: Mapping[str, Described], keys: Sequence[str]) -> tuple[str, ...]:
    """Names of the action components where the action is made of parts; none where it is one vector."""
    if list(keys) == [_ACTION]:
        return ()
    return tuple(f"{key.removeprefix(_ACTION + '/')}.{index}" for key in keys for index in range(features[key].size))
