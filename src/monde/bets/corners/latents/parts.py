"""The parts of a lesson of a latent corner: what they run, and the compute that each takes.

Films, of sensors: a model of things, whose perception has nothing to learn, so that all compute goes to its dynamics
(`monde.recipes.physics`). Films, of states: a model with a recurrent belief, half of whose compute goes to the encoder,
half to the dynamics on its latents. Acting: a nano model, and the actor and learned time on its latents
(`monde.recipes.tworoom_doors`).
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from monde.bets.corners.episodes import ACTING, FILMS, Episodes
from monde.bets.corners.latents.spending import Spending
from monde.bets.corners.lessons import FILMS_SHARE, Lesson
from monde.bets.corners.shown import Rendering
from monde.data import open_recording, split_episodes
from monde.objectives import ObjectiveConfig
from monde.training import FitActorConfig, GoalShares, RefineConfig, TrainConfig, fit_actor, refine, train

SENSOR: Mapping[Rendering, str] = {"sensors": "top", "state": "state"}
"""What is read of the recordings."""

FILMS_ENCODER_SHARE, ACTING_ENCODER_SHARE = 0.5, 0.3
"""Share of a model's compute in which the encoder learns; the rest trains what stands on its latents."""

READOUT_SHARE = 0.04
"""Share of all compute that is kept for readouts; what they took is counted."""

ENCODED_SHARE, MOST_ENCODED_FRAMES = 0.25, 100_000
"""Share of a part's compute that may go into the latents that it stands on, and the most frames that are encoded."""

USUAL_RATE, USUAL_HEAD_RATE = 2e-3, 1e-3
"""Learning rates of the models, and of what stands on their latents."""

HELD_OUT = 0.05
"""Share of the episodes that the project's training keeps for its meters."""

FIRST_STEPS, THINGS_BATCH, THINGS_PHASES = 4, 32, 2
"""Of a model of things: steps that lay its run down, films in a batch, and first frames that each is seen from. With
three times the films and a third of the steps it was right in 66% instead of 75% of 186 questions (docs/log.md)."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of a lesson.

    Args:
        name: What it is.
        share: Of the compute.
        run: Takes so many optimiser steps of it in a folder, on latents of so many frames.
        frames: There are, of which it computes the latents first; 0 where it stands on none.
        encoder: The run whose encoder does.
        most: Steps that it takes at most; what they leave goes to the part after it.
        kinds: As `run`, of steps of one kind alone: where they differ in what they cost, and each is as likely.
    """

    name: str
    share: float
    run: Callable[[Path, int, int], object]
    frames: int = 0
    encoder: str = FILMS
    most: int | None = None
    kinds: tuple[Callable[[Path, int, int], object], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What a part took."""

    flops: float
    steps: int


@dataclass(frozen=True, kw_only=True)
class Metered:
    """A part whose steps differ in what they cost, and which counts as it goes: it takes what the part before it left.

    Args:
        name: What it is.
        run: Spends so many FLOPs in a folder.
    """

    name: str
    run: Callable[[Path, float], Spent]


def parts_of(episodes: Episodes, rendering: Rendering, lesson: Lesson) -> tuple[Part | Metered, ...]:
    """The parts of a lesson, in the order in which they are taken.

    Raises:
        DataError: The episodes are gone or altered.
    """
    share = FILMS_SHARE * (1 - READOUT_SHARE)
    films = _of_things if rendering == "sensors" else _of_memory
    return (*films(episodes.films, lesson, share), *_of_acting(episodes.acting, rendering, lesson))


def _of_things(data: Path, lesson: Lesson, share: float) -> tuple[Part, Metered]:
    """A model of things: all that there is to learn are its dynamics, from whole films.

    Films are seen in mirrors, but not in other colours: discs are called by theirs.
    """
    objective = ObjectiveConfig(regulariser_weight=0.0, context=2, rollout_steps=5)
    watched = replace(_films(data, "sensors", lesson), size="things", warmup_steps=2, mirror=True, objective=objective)
    refined = RefineConfig(
        minutes=None,
        steps=sys.maxsize,
        windows=(),
        batch=THINGS_BATCH,
        optimiser="muon",
        learning_rate=USUAL_RATE * lesson.rate,
        # Of so many first frames of the `block` that there are.
        most_frames=MOST_ENCODED_FRAMES * watched.block // THINGS_PHASES,
        phases=THINGS_PHASES,
        seed=lesson.seed,
    )

    def spend(out: Path, flops: float) -> Spent:
        spending = Spending(out / FILMS, refined, flops)
        _refine(out / FILMS, refined, spending)
        return Spent(flops=spending.flops, steps=spending.steps)

    first = Part(
        name="model of films",
        share=share,
        run=lambda out, n, _: _train(replace(watched, run=str(out / FILMS), steps=n)),
        most=FIRST_STEPS,
    )
    return first, Metered(name="dynamics of films", run=spend)


def _of_memory(data: Path, lesson: Lesson, share: float) -> tuple[Part, Part]:
    """A model of exact states with a recurrent belief."""
    watched = _films(data, "state", lesson)
    refined = RefineConfig(minutes=None, steps=1, learning_rate=USUAL_HEAD_RATE * lesson.rate, seed=lesson.seed)

    def run(windows: tuple[int, ...], out: Path, steps: int, frames: int) -> None:
        _refine(out / FILMS, replace(refined, steps=steps, most_frames=max(1, frames), windows=windows))

    return (
        Part(
            name="model of films",
            share=share * FILMS_ENCODER_SHARE,
            run=lambda out, n, _: _train(replace(watched, run=str(out / FILMS), steps=n)),
        ),
        Part(
            name="dynamics of films",
            share=share * (1 - FILMS_ENCODER_SHARE),
            run=partial(run, refined.windows),
            frames=_frames(data, lesson),
            kinds=tuple(partial(run, (window,)) for window in refined.windows),
        ),
    )


def _of_acting(data: Path, rendering: Rendering, lesson: Lesson) -> tuple[Part, Part]:
    share, acted = (1 - FILMS_SHARE) * (1 - READOUT_SHARE), _acting(data, rendering, lesson)
    # Small, so that there are many steps: with four times the width and a quarter of the steps it got to 52% of goals
    # in the other room instead of 60% (docs/log.md).
    actor = FitActorConfig(
        minutes=None,
        steps=1,
        frames=32,
        hidden=128,
        goals=GoalShares(elsewhere=0.0),
        learning_rate=USUAL_HEAD_RATE * lesson.rate,
        seed=lesson.seed,
    )
    return (
        Part(
            name="model of acting",
            share=share * ACTING_ENCODER_SHARE,
            run=lambda out, n, _: _train(replace(acted, run=str(out / ACTING), steps=n)),
        ),
        Part(
            name="actor",
            share=share * (1 - ACTING_ENCODER_SHARE),
            run=lambda out, n, frames: fit_actor(out / ACTING, replace(actor, steps=n, most_frames=max(1, frames))),
            frames=_frames(data, lesson),
            encoder=ACTING,
        ),
    )


def _train(config: TrainConfig) -> None:
    """The project's training, to its end.

    Raises:
        KeyboardInterrupt: It was asked to stop before that.
    """
    if not train(config).finished:
        raise KeyboardInterrupt


def _refine(run: Path, config: RefineConfig, spend: Spending | None = None) -> None:
    """The project's refining, to its end.

    Raises:
        KeyboardInterrupt: It was asked to stop before that.
    """
    if not refine(run, config, spend=spend).finished:
        raise KeyboardInterrupt


def _films(data: Path, rendering: Rendering, lesson: Lesson) -> TrainConfig:
    objective = ObjectiveConfig(
        regulariser_weight=0.3, within_weight=1.0, kept_weight=1.0, context=2, rollout_steps=3, outliers=0.1
    )
    return TrainConfig(
        data=str(data),
        run="",
        size="memory",
        sensors=(SENSOR[rendering],),
        block=4,
        window=8,
        batch=32,
        steps=1,
        warmup_steps=100,
        learning_rate=USUAL_RATE * lesson.rate,
        held_out=HELD_OUT,
        train_episodes=_episodes(data, lesson),
        action_free=True,
        seed=lesson.seed,
        objective=objective,
    )


def _acting(data: Path, rendering: Rendering, lesson: Lesson) -> TrainConfig:
    return TrainConfig(
        data=str(data),
        run="",
        size="nano",
        sensors=(SENSOR[rendering],),
        block=5,
        window=4,
        steps=1,
        learning_rate=USUAL_RATE * lesson.rate,
        held_out=HELD_OUT,
        train_episodes=_episodes(data, lesson),
        seed=lesson.seed,
        objective=ObjectiveConfig(inverse_weight=1.0),
    )


def _episodes(data: Path, lesson: Lesson) -> int:
    """How many it learns from: all that are not held out where there are fewer than the lesson asks for; 0 is all."""
    count = len(open_recording(data).lengths)
    # A single episode is parted in time instead.
    return min(lesson.episodes, len(split_episodes(count, HELD_OUT, lesson.seed).train)) if count > 1 else 0


def _frames(data: Path, lesson: Lesson) -> int:
    lengths = open_recording(data).lengths
    return sum(lengths[: lesson.episodes or len(lengths)])
