"""What a writer finds when it opens a dataset again, and how it puts right what a crash left between two writes.

An append writes, each durably before the next: tasks, videos, data file, episodes file, stats.json, info.json. So after
a crash there may be files with a temporary name, videos or a data file that no episode refers to, or totals that lag
behind the episodes. The first two are removed, the last is written again from the episodes. Anything else is damage,
and is refused.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from monde.data.lerobot.described import read_ours
from monde.data.lerobot.episodes import EpisodeRow, episode_files, read_episodes, read_stats
from monde.data.lerobot.layout import (
    AGE,
    DATA_PATH,
    EPISODES_PATH,
    INFO,
    OURS,
    TASKS,
    VALID,
    VIDEO_PATH,
    Feature,
    Place,
)
from monde.data.lerobot.stats import FeatureStats
from monde.data.lerobot.tables import read_tasks
from monde.errors import DataError
from monde.store import digest_json, read_json
from monde.types import ActionSpec, Sensor


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a dataset has been written.

    Args:
        episodes: Episodes on disk.
        frames: Frames on disk.
        tasks: Task texts, by index.
        stats: Pooled statistics by feature; empty before the first episode.
        data: Where the next data file goes.
        meta: Where the next episodes file goes.
    """

    episodes: int = 0
    frames: int = 0
    tasks: tuple[str, ...] = ()
    stats: Mapping[str, FeatureStats] = field(default_factory=dict)
    data: Place = field(default_factory=lambda: Place(0, 0))
    meta: Place = field(default_factory=lambda: Place(0, 0))


def check_same(
    root: Path, sensors: tuple[Sensor, ...], actions: ActionSpec | None, source: Mapping[str, object]
) -> None:
    """Refuse to continue a dataset that was made of other sensors, actions or source.

    Raises:
        DataError: It is not one of ours, or differs; the error says in what.
    """
    found_sensors, found_actions, found_source = read_ours(root)
    differing: dict[str, tuple[object, object]] = {}
    if found_sensors != sensors:
        differing["sensors"] = (found_sensors, sensors)
    if found_actions != actions:
        differing["actions"] = (found_actions, actions)
    if digest_json(found_source) != digest_json(dict(source)):
        differing["source"] = (found_source, dict(source))
    for part, (found, wanted) in differing.items():
        raise DataError(
            f"{root} holds a recording of other {part}",
            got=_short(wanted),
            expected=_short(found),
            remedy="choose another folder, or record with what this one was begun with",
        )


def check_storage(root: Path, features: Mapping[str, Feature]) -> None:
    """Refuse to continue a dataset whose cameras are stored in another way: its features must stay what they are.

    Raises:
        DataError: Images here and video there.
    """
    if not (root / INFO).exists():
        return
    found = read_json(root / INFO).get("features")
    for key, feature in features.items():
        held = found.get(key) if isinstance(found, dict) else None
        if isinstance(held, dict) and held.get("dtype") != feature["dtype"]:
            raise DataError(
                f"{root} stores {key} in another way",
                got=feature["dtype"],
                expected=held.get("dtype"),
                remedy="continue it with the storage it was begun with, or choose another folder",
            )
    told = sorted(key for key in features if key.startswith((VALID, AGE)))
    begun = sorted(key for key in found if key.startswith((VALID, AGE))) if isinstance(found, dict) else []
    if isinstance(found, dict) and told != begun:
        raise DataError(
            f"{root} was begun with other sensors that may miss samples or have ages",
            got=told,
            expected=begun,
            remedy="declare the same `gaps` and `aged`, or choose another folder",
        )


def recover(root: Path, features: Mapping[str, Feature]) -> Progress:
    """Put a dataset of ours in order after a crash and say how far it is.

    Args:
        root: Folder of the dataset.
        features: Those of its writer; each has statistics.

    Raises:
        DataError: Something that episodes refer to is missing or damaged: that is not what a crash leaves.
    """
    remove_temporary(root)
    files = episode_files(root)
    for index, path in enumerate(files):
        if path != Place.number(index).path(root, EPISODES_PATH):
            raise DataError(
                f"{root} lacks a file of meta/episodes",
                got=path,
                expected=Place.number(index).path(root, EPISODES_PATH),
                remedy="restore the file from a copy",
            )
    rows = read_episodes(files)
    videos = [key for key, feature in features.items() if feature["dtype"] == "video"]
    _check_files(root, rows, videos)
    for path in unreferenced(root, rows):
        path.unlink()
    keys = list(features)
    tasks = read_tasks(root / TASKS) if rows or (root / TASKS).exists() else ()
    stats = [episode for path in files for episode in read_stats(path, keys)] if rows else []
    return Progress(
        episodes=len(rows),
        frames=rows[-1].stop if rows else 0,
        tasks=tasks,
        stats={key: FeatureStats.pooled([episode[key] for episode in stats]) for key in keys} if stats else {},
        data=rows[-1].data.after if rows else Place(0, 0),
        meta=Place.number(len(files)),
    )


def remove_temporary(root: Path) -> None:
    """Remove files whose writing was cut short."""
    for folder in ("meta", "data", "videos"):
        for path in (root / folder).rglob(".incomplete-*"):
            path.unlink()


def unreferenced(root: Path, rows: Iterable[EpisodeRow]) -> list[Path]:
    """Data files and videos that no episode refers to: their episodes were never committed.

    Our writer numbers the videos of a group as its data file.
    """
    places = {row.data for row in rows}
    known = {place.path(root, DATA_PATH) for place in places}
    left = [path for path in sorted((root / "data").glob("chunk-*/file-*.parquet")) if path not in known]
    for folder in sorted((root / "videos").glob("*")):
        filmed = {place.path(root, VIDEO_PATH, video_key=folder.name) for place in places}
        left += [path for path in sorted(folder.glob("chunk-*/file-*.mp4")) if path not in filmed]
    return left


def _check_files(root: Path, rows: Iterable[EpisodeRow], videos: Iterable[str]) -> None:
    for place in sorted({row.data for row in rows}):
        films = [place.path(root, VIDEO_PATH, video_key=key) for key in videos]
        for path in (place.path(root, DATA_PATH), *films):
            if not path.exists():
                raise DataError(
                    f"{path} is missing, and episodes refer to it",
                    remedy="restore it from a copy; a crash of the writer cannot cause this",
                )


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 300 else text[:297] + "…"


def check_folder(root: Path) -> None:
    """Refuse a folder that holds something which is not ours to write into.

    Raises:
        DataError: It is a file, or holds files of someone else.
    """
    if root.exists() and not root.is_dir():
        raise DataError(f"{root} is a file", expected="a folder")
    if not root.is_dir() or (root / OURS).exists():
        return
    # `meta` with at most our lock in it is what a crash leaves before the first file of a new dataset was written.
    strangers = [path for path in root.iterdir() if not path.name.startswith(".") and path.name != "meta"]
    strangers += [path for path in (root / "meta").glob("*") if not path.name.startswith(".")]
    if strangers:
        raise DataError(
            f"{root} is not empty and was not written by monde",
            got=", ".join(sorted(path.name for path in strangers)[:5]),
            expected="a new folder, or a recording to continue",
            remedy="choose another folder",
        )
