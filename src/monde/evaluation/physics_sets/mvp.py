"""Minimal Video Pairs, MVP or "MVPBench" (Krojer et al., arXiv 2506.09987): two films, one question, opposite answers.

    <subset>/<split>.jsonl or <subset>/<split>-….parquet    video_id, question, candidates, answer, video_path
    videos/<source>/…                                       the films, fetched from nine other sets

Subsets: human_object_interactions, intuitive_physics, robot_object_interactions, temporal_reasoning; splits mini (about
9,000 questions) and full. The partners of a pair are the two rows whose `video_id` agree up to the last "_".

Seen in stored sources: the makers' README, Makefile (folders of videos) and `tasks/mvp/utils.py` (keys, pairs,
metrics). The annotation files themselves were not seen, and sources disagree on their form; so JSON lines and Parquet
are read, in the subset's folder or as <subset>_<split>.jsonl in the set's. `candidates` may be a list or its text, and
`video_path` may begin with "/": both as in that code.

Another set is called MVPBench too ("Multi-Video Perception"); it is not this one.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from monde.errors import DataError
from monde.evaluation.physics_sets.films import Movie
from monde.evaluation.physics_sets.items import Absence, Item, PhysicsSet, Question, SetReport, sorted_out
from monde.evaluation.physics_sets.tables import inside, json_lines, malformed, parquet_rows

SUBSETS = ("human_object_interactions", "intuitive_physics", "robot_object_interactions", "temporal_reasoning")
SPLITS = ("mini", "full")
KEYS = ("video_id", "question", "candidates", "answer", "video_path")
LOOKS_FOR = "a subset's rows (intuitive_physics/mini.jsonl or .parquet, or intuitive_physics_mini.jsonl) beside videos/"


def find_mvp(root: Path) -> Path | None:
    """The set's folder, or none."""
    return root if any(_lists(root, subset, split) for subset in SUBSETS for split in SPLITS) else None


def open_mvp(root: Path, split: str | None = None) -> PhysicsSet:
    """Open all subsets of one split.

    Args:
        root: The set's folder.
        split: "mini" or "full"; mini if there is any of it, else full.

    Raises:
        DataError: A malformed row (the error names the line), a path that leaves the folder, or no video.
    """
    wanted = split or next((name for name in SPLITS if any(_lists(root, subset, name) for subset in SUBSETS)), "mini")
    items, absent = sorted_out(each for subset in SUBSETS for each in _subset(root, subset, wanted))
    if not items:
        raise DataError(
            f"{root} holds none of the videos that it lists",
            got=SetReport(absent),
            expected=f"{LOOKS_FOR}, split {wanted!r}",
            remedy="fetch the films of the nine sources into videos/, as the set's makers describe",
        )
    report = SetReport(absent)
    return PhysicsSet(name="mvp", version=wanted, root=root, items=items, pair_lengths="free", report=report)


def _subset(root: Path, subset: str, split: str) -> Iterator[Item | Absence]:
    lists = _lists(root, subset, split)
    if not lists:
        yield Absence(subset, f"{subset}/{split}.jsonl", "the subset is not there")
    for listed in lists:
        rows = parquet_rows(listed, KEYS) if listed.suffix == ".parquet" else json_lines(listed, KEYS)
        for line, row in rows:
            yield _item(root / "videos", subset, listed, line, row)


def _lists(root: Path, subset: str, split: str) -> list[Path]:
    """The files of one subset's rows: the first form that there is."""
    one = [root / subset / f"{split}.jsonl", root / f"{subset}_{split}.jsonl"]
    several = [sorted((root / subset).glob(f"{split}-*.parquet")), [root / subset / f"{split}.parquet"]]
    forms = [*([path] for path in one), *several]
    return next(([path for path in form if path.is_file()] for form in forms if any(p.is_file() for p in form)), [])


def _item(videos: Path, subset: str, listed: Path, line: int, row: dict[str, object]) -> Item | Absence:
    video_id, path = str(row["video_id"]), str(row["video_path"]).lstrip("/")
    film = inside(videos, path, listed, line)
    stem, mark, _ = video_id.rpartition("_")
    if not mark or not stem:
        raise malformed(listed, line, f"video_id {video_id!r}", 'the pair, "_" and the film')
    candidates = _candidates(row["candidates"])
    if len(candidates) != 2 or str(row["answer"]) not in candidates:
        raise malformed(
            listed, line, f"candidates {candidates}, answer {row['answer']!r}", "two, one of them the answer"
        )
    name, pair = f"{subset}/{video_id}", f"{subset}/{stem}"
    if not film.is_file():
        return Absence(name, f"videos/{path}", "the video is not there")
    question = Question(text=str(row["question"]), candidates=candidates, answer=str(row["answer"]))
    return Item(id=name, principle=subset, group=pair, pair=pair, possible=None, film=Movie(film), question=question)


def _candidates(found: object) -> tuple[str, ...]:
    if isinstance(found, str):
        try:
            found = ast.literal_eval(found)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            found = None
    return tuple(str(each) for each in found) if isinstance(found, list | tuple) else ()
