"""Teaching a latent corner: the project's own training, with the compute that a lesson allows; then readouts of places,
on what is frozen."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ParamSpec

from monde.bets.corners.episodes import ACTING, FILMS, Episodes
from monde.bets.corners.latents.parts import (
    ENCODED_SHARE,
    MOST_ENCODED_FRAMES,
    READOUT_SHARE,
    Metered,
    Part,
    Spent,
    parts_of,
)
from monde.bets.corners.latents.reading import fit_readouts
from monde.bets.corners.lessons import FILMS_SHARE, Data, Lesson, Progress, Stopwatch, Taught, counted
from monde.bets.corners.shown import Rendering
from monde.errors import UsageError
from monde.models import load_model
from monde.training.setup import reopen

TRIAL_EPISODES, FEW_STEPS, MORE_STEPS = 24, 1, 3
"""The FLOPs of a step are counted on so many episodes, between so few steps and so many."""

P = ParamSpec("P")


def teach_latents(
    episodes: Episodes, out: Path, rendering: Rendering, lesson: Lesson, progress: Progress | None = None
) -> Taught:
    """Teach one corner; `out` then holds two runs, their heads and readouts, and what all of it took.

    The FLOPs of a step are counted on two steps of each part, and of each kind of steps where there are several; a part
    then takes as many as its share allows. Where steps differ from film to film, they are counted as they are taken.

    Raises:
        UsageError: `out` exists, or compute that is not enough for a single step of each part.
        DataError: The episodes are gone or altered.
        KeyboardInterrupt: It was asked to stop (SIGINT or SIGTERM).
    """
    if out.exists():
        raise UsageError(f"{out} exists already", remedy="choose another folder, or remove it first")
    data, watch, tell = Data.of(episodes), Stopwatch(), progress or (lambda what: None)
    # What was left by a teaching that was stopped is begun anew; `out` appears whole or not at all.
    making = out.with_name(out.name + ".teaching")
    shutil.rmtree(making, ignore_errors=True)
    parts = parts_of(episodes, rendering, lesson)
    costs = _costs(parts_of(episodes, rendering, replace(lesson, episodes=TRIAL_EPISODES)), out)
    flops, steps, left = dict[str, float](), dict[str, int](), 0.0
    for part in parts:
        if isinstance(part, Metered):
            tell(f"{part.name}, {left:.3g} FLOPs")
            spent, left = part.run(making, left), 0.0
        else:
            spent = _taken(part, part.share * lesson.flops, costs[part.name], making, tell)
            left = part.share * lesson.flops - spent.flops
        flops[part.name], steps[part.name] = spent.flops, spent.steps
    for of, share in ((FILMS, FILMS_SHARE), (ACTING, 1 - FILMS_SHARE)):
        tell(f"readouts of {of}")
        allowed = lesson.flops * READOUT_SHARE * share
        flops[f"readouts of {of}"] = _spent(fit_readouts, making / of, rendering, lesson.seed, allowed)
    taught = Taught(lesson=lesson, flops=flops, steps=steps, cpu_seconds=watch.seconds, data=data)
    taught.save(making)
    making.replace(out)
    return taught


def _taken(part: Part, budget: float, cost: tuple[float, float], making: Path, tell: Progress) -> Spent:
    """As many steps of a part as its share allows.

    Raises:
        UsageError: Not one.
    """
    each, encoding = cost
    frames = min(part.frames, MOST_ENCODED_FRAMES, int(ENCODED_SHARE * budget / encoding)) if part.frames else 0
    fixed = frames * encoding
    count = int((budget - fixed) / each)
    least = part.most or 1  # what comes after these is metered, and cannot do without
    if count < least:
        raise UsageError(
            f"this lesson is not enough for a step of the {part.name}",
            got=f"{budget:.3g} FLOPs",
            expected=f"more than {fixed + least * each:.3g}",
            remedy="give more FLOPs",
        )
    count = min(count, part.most or count)
    tell(f"{part.name}, {count} steps")
    part.run(making, count, frames)
    return Spent(flops=fixed + count * each, steps=count)


def _costs(parts: Sequence[Part | Metered], out: Path) -> dict[str, tuple[float, float]]:
    """By part, the FLOPs of one of its steps, and of one frame that it encodes; counted on a few episodes."""
    trial = out.with_name(out.name + ".trial")
    counting = [part for part in parts if isinstance(part, Part)]
    # One that was killed left its own.
    shutil.rmtree(trial, ignore_errors=True)
    try:
        few = {part.name: _mean_spent(part, trial / "few", FEW_STEPS) for part in counting}
        more = {part.name: _mean_spent(part, trial / "more", MORE_STEPS) for part in counting}
        encoding = {run: _encoding(trial / "few" / run) for run in (FILMS, ACTING)}
    finally:
        shutil.rmtree(trial, ignore_errors=True)
    steps = MORE_STEPS - FEW_STEPS
    return {part.name: ((more[part.name] - few[part.name]) / steps, encoding[part.encoder]) for part in counting}


def _mean_spent(part: Part, out: Path, steps: int) -> float:
    """By so many steps of a part; where they are of several kinds, the mean over these."""
    spent = [_spent(run, out, steps, part.frames) for run in part.kinds or (part.run,)]
    return sum(spent) / len(spent)


def _encoding(run: Path) -> float:
    model, (_, setup) = load_model(run), reopen(run)
    clip = setup.recording.read(setup.split.train[0], 0, 8, [sensor.name for sensor in model.sensors])
    return _spent(model.encode, clip) / clip.steps


def _spent(function: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> float:
    return counted(lambda: function(*args, **kwargs))[1]
