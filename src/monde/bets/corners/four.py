"""The four corners by name: taught alike, tuned alike, opened alike."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from monde.bets.corners.episodes import Episodes
from monde.bets.corners.lessons import TAUGHT, Data, Lesson, Progress, Taught
from monde.bets.corners.shown import READ, Rendering
from monde.bets.files import QuestionSet
from monde.bets.marking import Mark, mark
from monde.bets.types import Contestant
from monde.errors import StoreError, UsageError, unknown_name
from monde.store import digest_json, read_json, write_json
from monde.store.typed import from_json, to_json

CORNERS: Mapping[str, tuple[Rendering, str]] = MappingProxyType(
    {
        "sensors-latent": ("sensors", "latent"),
        "state-latent": ("state", "latent"),
        "sensors-tokens": ("sensors", "tokens"),
        "state-tokens": ("state", "tokens"),
    }
)
"""What each sees, and what it predicts."""

WORLD_MODEL = "sensors-latent"
"""The corner that is this project's own."""

RATES = (0.5, 1.0, 2.0)
"""Times a corner's usual learning rate: what each is tuned over."""

TRIAL_SHARE = 0.1
"""Share of a lesson's compute that each trial of tuning takes, on top of it."""


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """What tuning found.

    Args:
        rate: The best.
        right: Share of the validation questions that were answered right, by rate.
        flops: Compute of all trials.
    """

    rate: float
    right: Mapping[str, float]
    flops: float


def teach(name: str, episodes: Episodes, out: Path, lesson: Lesson, progress: Progress | None = None) -> Taught:
    """Teach one corner into the folder `out`.

    Raises:
        UsageError: An unknown corner, `out` exists, or too little compute.
        DataError: The episodes are gone or altered.
    """
    rendering, objective = _corner(name)
    # Each brings torch, and only one is needed.
    if objective == "latent":
        from monde.bets.corners.latents import teach_latents

        return teach_latents(episodes, out, rendering, lesson, progress)
    from monde.bets.corners.tokens import teach_tokens

    return teach_tokens(episodes, out, rendering, lesson, progress)


def teach_all(
    folder: Path,
    episodes: Episodes,
    lesson: Lesson,
    names: Sequence[str] = (),
    validation: QuestionSet | None = None,
    progress: Callable[[str, str], None] | None = None,
) -> dict[str, Taught]:
    """Teach some corners, by default all, each into a folder of its name; those that are there are not taught again.

    Args:
        folder: Of them all.
        episodes: What they learn from.
        lesson: The same for all; where they are tuned, its rate is replaced by the best.
        names: Some of `CORNERS`.
        validation: A set of the train split to tune on, or none to leave rates alone.
        progress: Told a corner's name and what is being done.

    Raises:
        UsageError: An unknown corner, one that was taught with another lesson or other episodes, or too little compute.
        DataError: The episodes are gone or altered.
    """
    found: dict[str, Taught] = {}
    data = Data.of(episodes)
    for name in names or tuple(CORNERS):
        _corner(name)
        out = folder / name

        def tell(what: str, name: str = name) -> None:
            if progress is not None:
                progress(name, what)

        if (out / TAUGHT).exists():
            found[name] = same_lesson(out, lesson, data)
        elif validation is None:
            found[name] = teach(name, episodes, out, lesson, tell)
        else:
            found[name], _ = teach_tuned(name, episodes, out, lesson, validation, tell)
    return found


def same_lesson(folder: Path, lesson: Lesson, data: Data) -> Taught:
    """What a corner that is there was taught, whatever its rate; from which data, as far as that was written down.

    Raises:
        UsageError: With another lesson, or from other episodes.
        StoreError: Malformed.
    """
    taught = Taught.load(folder)
    if replace(taught.lesson, rate=lesson.rate) != lesson:
        raise UsageError(
            f"{folder} was taught with another lesson",
            got=f"{lesson.flops:g} FLOPs, episodes {lesson.episodes}, seed {lesson.seed}",
            expected=f"{taught.lesson.flops:g} FLOPs, episodes {taught.lesson.episodes}, seed {taught.lesson.seed}",
            remedy="ask for the same, remove it, or choose another folder: corners are compared at equal cost",
        )
    if taught.data is not None and taught.data != data:
        raise UsageError(
            f"{folder} learned from other episodes",
            got=data,
            expected=taught.data,
            remedy="restore these episodes, remove it, or choose another folder: corners are compared on equal data",
        )
    return taught


def open_corner(name: str, folder: Path) -> Contestant:
    """A corner that was taught.

    Raises:
        UsageError: An unknown corner.
        StoreError: The folder holds no such corner, another one, or an altered one.
    """
    rendering, objective = _corner(name)
    if not folder.is_dir():
        remedy = "teach it first: monde bets teach"
        raise StoreError(f"{folder} holds no corner", got="no such folder", remedy=remedy)
    if objective == "latent":
        from monde.bets.corners.latents import open_latents

        return open_latents(folder, rendering)
    from monde.bets.corners.tokens import open_tokens

    return open_tokens(folder, rendering)


def open_corners(folder: Path) -> list[Contestant]:
    """Every corner in the folder of `monde bets teach`.

    Raises:
        StoreError: There is none, or an altered one.
    """
    return [open_corner(name, folder / name) for name in corners_in(folder)]


def corners_in(folder: Path) -> tuple[str, ...]:
    """Names of the corners in such a folder.

    Raises:
        StoreError: There is none.
    """
    found = tuple(name for name in CORNERS if (folder / name / TAUGHT).exists())
    if not found:
        raise StoreError(f"{folder} holds no corners", expected=list(CORNERS), remedy="teach them: monde bets teach")
    return found


def tune(
    name: str,
    episodes: Episodes,
    out: Path,
    lesson: Lesson,
    validation: QuestionSet,
    progress: Progress | None = None,
) -> Tuned:
    """Try each of `RATES` with `TRIAL_SHARE` of the lesson's compute, and take the one that answers most of the
    validation questions right: the same budget and the same yardstick for every corner.

    Args:
        name: Of the corner.
        episodes: As for teaching.
        out: Folder for the trials; removed before and afterwards.
        lesson: Whose compute is meant.
        validation: A set of the train split.
        progress: Told what is being done.

    Raises:
        UsageError: A validation set of the test split.
    """
    if validation.split != "train":
        raise UsageError(
            "corners are not tuned on what they are judged by", got=f"split {validation.split!r}", expected="train"
        )
    right, flops = dict[str, float](), 0.0
    # One that was killed left its trials, and what they were in.
    shutil.rmtree(out, ignore_errors=True)
    for rate in RATES:
        folder = out / f"{rate:g}"
        if progress is not None:
            progress(f"trying {rate:g} times the usual learning rate")
        tried = teach(name, episodes, folder, replace(lesson, flops=lesson.flops * TRIAL_SHARE, rate=rate), progress)
        flops += tried.total
        marks = marked(open_corner(name, folder), validation)
        right[f"{rate:g}"] = float(np.mean([one.correct for one in marks]))
    shutil.rmtree(out, ignore_errors=True)
    best = max(RATES, key=lambda rate: right[f"{rate:g}"])
    return Tuned(rate=best, right=right, flops=flops)


def teach_tuned(
    name: str,
    episodes: Episodes,
    out: Path,
    lesson: Lesson,
    validation: QuestionSet,
    progress: Progress | None = None,
) -> tuple[Taught, Tuned]:
    """Tune, then teach at the rate found; what tuning found lies beside the corner's folder before it is there."""
    kept, told = tuned_path(out), [to_json(lesson), validation.content_hash]
    asked = digest_json([*told, to_json(Data.of(episodes))])
    # Files of before what was learned from was written down do not know it.
    if kept.exists() and read_json(kept).get("asked") in (asked, digest_json(told)):
        tuned = from_json(Tuned, read_json(kept).get("tuned"), kept.name)
    else:
        tuned = tune(name, episodes, out.with_name(out.name + ".tuning"), lesson, validation, progress)
        write_json(kept, {"asked": asked, "tuned": to_json(tuned)})
    return teach(name, episodes, out, replace(lesson, rate=tuned.rate), progress), tuned


def tuned_path(folder: Path) -> Path:
    """Where what tuning found lies, of a corner's folder."""
    return folder.with_name(folder.name + ".tuned.json")


def marked(contestant: Contestant, questions: QuestionSet, grades: Sequence[str] = ()) -> list[Mark]:
    """Its marks on those questions of a set that corners are asked, of some grades or of all."""
    truths = questions.truths()
    return [
        mark(question, truths[question.id], contestant.answer(question))
        for question in questions.questions()
        if str(question.about.get("ask")) in READ and (not grades or question.grade in grades)
    ]


def _corner(name: str) -> tuple[Rendering, str]:
    if name not in CORNERS:
        raise unknown_name("corner", name, list(CORNERS))
    return CORNERS[name]
