"""LeRobot v2.0 and v2.1: a Parquet file and a video a camera for every episode."""

from collections.abc import Sequence
from pathlib import Path

from monde.data.lerobot.described import Description
from monde.data.lerobot.episodes import EpisodeRow, Filmstrip
from monde.data.lerobot.layout import EPISODES_V2, INFO, Place
from monde.data.lerobot.lines import read_lines
from monde.errors import DataError


def read_legacy_episodes(root: Path, description: Description, cameras: Sequence[str]) -> list[EpisodeRow]:
    """The rows of meta/episodes.jsonl, whether their files are there or not.

    Args:
        root: Folder of the dataset.
        description: What it says of itself.
        cameras: Features that are stored as video.

    Raises:
        DataError: The file is missing or malformed, an episode is listed twice, or the totals disagree.
    """
    path = root / EPISODES_V2
    rows: list[EpisodeRow] = []
    first = 0
    for line in sorted(read_lines(path, ("episode_index", "length")), key=lambda line: line["episode_index"]):
        index, length = line["episode_index"], line["length"]
        if not isinstance(index, int) or not isinstance(length, int) or index < 0 or length < 1:
            raise DataError(f"{path} is malformed", got=f"episode {index} of {length} frames")
        if rows and rows[-1].index == index:
            raise DataError(f"{path} lists episode {index} twice", remedy="restore it from where the dataset came")
        place = Place(index // description.chunk_files, index)
        tasks = tuple(map(str, line.get("tasks", [])))
        rows.append(EpisodeRow(index, tasks, length, place, first, {key: Filmstrip(place, 0.0) for key in cameras}))
        first += length
    if (len(rows), first) != description.totals:
        raise DataError(
            f"{root} is half written: {INFO} and {EPISODES_V2} disagree",
            got=f"{len(rows)} episodes, {first} frames",
            expected="{} episodes, {} frames".format(*description.totals),
            remedy="restore meta/ from where the dataset came",
        )
    return rows
