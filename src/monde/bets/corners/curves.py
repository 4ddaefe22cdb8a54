"""Learning curves of corners: the share of physical questions answered right, against compute and against episodes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from monde.bets.corners.episodes import ACTING, EPISODES, FILMS, Episodes
from monde.bets.corners.four import corners_in, marked, open_corner, same_lesson, teach
from monde.bets.corners.lessons import TAUGHT, Data, Lesson, Progress, Taught
from monde.bets.files import QuestionSet
from monde.bets.solving import Guessing
from monde.data import open_recording
from monde.evaluation.statistics import wilson
from monde.scorecard import Row, Scorecard
from monde.store import commit, machine, read_json, utc_now, write_json

SHARES = (1 / 16, 1 / 4)
"""Of the compute, and (at the larger of these shares of the compute) of the episodes."""

GRADES = ("easy", "middle")
"""That curves are told of."""

ASKED = "asked.json"
"""Beside a point: what came of asking it."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """One teaching of a curve.

    Args:
        folder: Of the corner.
        lesson: It was taught with.
        against: compute, episodes, or both where it lies on either curve.
    """

    folder: Path
    lesson: Lesson
    against: tuple[str, ...]


def points(whole: Path, out: Path, lesson: Lesson, episodes: int) -> tuple[Point, ...]:
    """The teachings of a corner's curves: all compute, a quarter and a sixteenth of it with all episodes; and a quarter
    and a sixteenth of the episodes with a quarter of the compute.

    Args:
        whole: Folder of the corner that had all.
        out: Folder of the others.
        lesson: The whole one's.
        episodes: How many it had.
    """
    few, some = SHARES
    quarter = replace(lesson, flops=lesson.flops * some)
    return (
        Point(folder=out / "compute-16th", lesson=replace(lesson, flops=lesson.flops * few), against=("compute",)),
        Point(folder=out / "compute-4th", lesson=quarter, against=("compute", "episodes")),
        Point(folder=whole, lesson=lesson, against=("compute",)),
        *(
            Point(
                folder=out / f"episodes-{round(1 / share)}th",
                lesson=replace(quarter, episodes=max(1, round(episodes * share))),
                against=("episodes",),
            )
            for share in SHARES
        ),
    )


def curve(
    name: str,
    episodes: Episodes,
    all_of: Sequence[Point],
    questions: QuestionSet,
    total_episodes: int,
    progress: Progress | None = None,
) -> list[Row]:
    """Teach what is missing of a corner's points, and ask each: `accuracy/<corner>/compute/<FLOPs>` and
    `accuracy/<corner>/episodes/<n>`, beside guessing."""
    guess = marked(Guessing(), questions, GRADES)
    floor = {"random": sum(one.correct for one in guess) / len(guess)}
    rows, data = [], Data.of(episodes)
    for point in all_of:
        if not (point.folder / TAUGHT).exists():
            teach(name, episodes, point.folder, point.lesson, progress)
        taught = same_lesson(point.folder, point.lesson, data)
        right, n = _right(name, point.folder, questions)
        for against in point.against:
            at = f"{taught.total:.3g}" if against == "compute" else f"{point.lesson.episodes or total_episodes}"
            rows.append(
                Row(
                    metric=f"accuracy/{name}/{against}/{at}",
                    value=right / n,
                    unit="1",
                    interval=wilson(right, n),
                    n=n,
                    floors=floor,
                    note=f"{taught.total:.3g} FLOPs, {taught.cpu_seconds:.0f} s of processor time",
                )
            )
    return rows


def _right(name: str, folder: Path, questions: QuestionSet) -> tuple[int, int]:
    """Of how many questions how many it answers right; kept beside the corner."""
    path = folder / ASKED
    if path.exists():
        kept = read_json(path)
        if kept.get("content_hash") == questions.content_hash:
            return int(str(kept["right"])), int(str(kept["n"]))
    marks = marked(open_corner(name, folder), questions, GRADES)
    right, n = sum(one.correct for one in marks), len(marks)
    write_json(path, {"content_hash": questions.content_hash, "right": right, "n": n})
    return right, n


def curves_card(folder: Path, questions: QuestionSet, progress: Progress | None = None) -> Scorecard:
    """The curves of all corners in the folder of `monde bets teach`.

    Raises:
        StoreError: It holds no corner.
    """
    episodes = Episodes(films=folder / EPISODES / FILMS, acting=folder / EPISODES / ACTING)
    rows: list[Row] = []
    for name in corners_in(folder):
        whole = folder / name
        lesson, most = Taught.load(whole).lesson, len(open_recording(episodes.films).lengths)

        def tell(what: str, name: str = name) -> None:
            if progress is not None:
                progress(f"{name}: {what}")

        rows += curve(name, episodes, points(whole, folder / "curves" / name, lesson, most), questions, most, tell)
    return Scorecard(
        name="bets_curves",
        rows=tuple(rows),
        protocol={
            "set": questions.name,
            "content_hash": questions.content_hash,
            "grades": list(GRADES),
            "compute": "FLOPs of training",
            "episodes": "films; of acting the same number, or all where there are fewer",
        },
        machine=machine(),
        commit=commit(),
        seeds=(questions.seed,),
        created=utc_now(),
    )
