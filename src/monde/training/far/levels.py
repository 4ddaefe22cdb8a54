"""Fitting levels of time above a trained model, each on the frozen latents and the actions of the one below."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Generator, Tensor, nn

from monde.dynamics.time_level import TimeLevel, TimeLevelConfig
from monde.errors import DataError, TrainingError, UsageError
from monde.limits import MAX_TIME_LEVELS
from monde.models import load_model, refuse_placed
from monde.models.load import weights_hash
from monde.store import RunFolder, content_hash, remove_artefact
from monde.store.run import LEVEL_PARTS
from monde.training.actor import ActorSummary, FitActorConfig, fit_heads
from monde.training.device import choose_device, choose_precision
from monde.training.frame_latents import FrameLatents, LevelFrames, encode_frames, sequence
from monde.training.schedule import share_done
from monde.training.setup import reopen
from monde.training.sizes import check_not_negative, check_sizes
from monde.types import ActionSpec

LevelProgress = Callable[[float, float, dict[str, float]], None]
"""Told of the share that is done, of all (1), and of the losses."""


@dataclass(frozen=True, kw_only=True)
class FitLevelsConfig:
    """How levels of time are fitted.

    Args:
        levels: Levels in all, the model's own among them: 2 or more.
        span: Action blocks of the level below in one macro-action.
        code: Numbers in a macro-action.
        hidden: Width of the hidden layers.
        kl_weight: Weight of the code's divergence from a standard normal beside the squared error of the prediction.
        minutes: Time for the dynamics of each level, or none.
        steps: Optimiser steps; with `minutes`, whichever ends first.
        batch: Frames in a step.
        learning_rate: Of AdamW; it falls linearly to nought.
        heads: How the actor and the temporal distance of each level are fitted; distances are in its macro-actions.
        seed: Of weights and batches.
        device: "auto", "cpu", "cuda", …

    Raises:
        UsageError: No level to fit, too many, no end, an empty size, or no number.
    """

    levels: int = 2
    span: int = 5
    code: int = 4
    hidden: int = 256
    kl_weight: float = 3e-3
    minutes: float | None = 0.5
    steps: int | None = None
    batch: int = 256
    learning_rate: float = 1e-3
    heads: FitActorConfig = field(default_factory=lambda: FitActorConfig(minutes=1.0, furthest_blocks=40.0))
    seed: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        if not 2 <= self.levels <= MAX_TIME_LEVELS:
            raise UsageError(
                "so many levels of time cannot be fitted", got=self.levels, expected=f"2 to {MAX_TIME_LEVELS}"
            )
        if self.minutes is None and self.steps is None:
            raise UsageError("fitting a level of time needs an end", remedy="give minutes or steps")
        check_sizes(self, "minutes", "steps", "code", "hidden", "batch", "learning_rate")
        if self.span < 2:
            raise UsageError("FitLevelsConfig.span is an empty size", got=self.span, expected="2 or more")
        check_not_negative(self, "kl_weight")


@dataclass(frozen=True, kw_only=True)
class LevelSummary:
    """One level that was fitted.

    Args:
        level: Its dynamics.
        heads: Its actor and its temporal distance.
        error: Squared error of its prediction, of standardised features; 1 would be no better than their mean.
        still: That of the floor: nothing moves.
        nats: Information in a macro-action.
    """

    level: TimeLevel
    heads: ActorSummary
    error: float
    still: float
    nats: float


def fit_levels(
    run: Path | str, config: FitLevelsConfig | None = None, progress: LevelProgress | None = None
) -> list[LevelSummary]:
    """Fit levels 2, 3, … on a run's newest model, and keep them in its folder.

    Before a level is replaced, those above it are removed: they belong to the one that goes.

    Raises:
        UsageError: A model without actions.
        StoreError: Not a run, or the disk is full or read-only.
        DataError: The recording is gone, altered, or its episodes are shorter than a macro-action.
        TrainingError: A loss that is not finite.
    """
    config, run = config or FitLevelsConfig(), Path(run)
    device = choose_device(config.device)
    _, setup = reopen(run)
    refuse_placed(run, "a level of time")
    model = load_model(run, device).requires_grad_(False)
    if model.actions.unactuated:
        raise UsageError(f"{run} was learned without actions: there is nothing to act with")
    model.autocast = choose_precision("auto", device)
    data, below = encode_frames(model, setup, standing=dict(config.heads.goals.standing)), model.actions
    folder, of, found = RunFolder(run), weights_hash(run), []
    whole = 2 * (config.levels - 1)
    for number in range(2, config.levels + 1):
        done = 2 * (number - 2)
        level, (error, still, nats) = fit_level(data, below, config, _part(progress, done, whole))
        data, below = LevelFrames.above(data, level), level.actions
        settings = replace(config.heads, seed=config.seed)
        heads = fit_heads(level, data, settings, _part(progress, done + 1, whole))
        forget_levels(folder, number)
        place = folder.level(number)
        level.save(place / "dynamics", of)
        of = content_hash(place / "dynamics")
        heads.actor.save(place / "actor", of)
        heads.distance.save(place / "temporal_distance", of)
        found.append(LevelSummary(level=level, heads=heads, error=error, still=still, nats=nats))
    return found


def forget_levels(folder: RunFolder, lowest: int) -> None:
    """Remove the levels of time from `lowest` on, the highest first: what is left always fits together.

    Raises:
        StoreError: A level's folder holds something else.
    """
    for number in range(MAX_TIME_LEVELS, lowest - 1, -1):
        place = folder.level(number)
        for part in reversed(LEVEL_PARTS):
            remove_artefact(place / part)
        if place.is_dir() and not any(place.iterdir()):
            place.rmdir()


def fit_level(
    data: FrameLatents, below: ActionSpec, config: FitLevelsConfig, progress: LevelProgress | None = None
) -> tuple[TimeLevel, tuple[float, float, float]]:
    """One level on top of the frames of the level below; and its error, the error of its floor, and its code's nats.

    Raises:
        DataError: Episodes shorter than a macro-action.
        TrainingError: A loss that is not finite.
    """
    device, length = data.latents.device, config.span * data.block
    usable = (torch.arange(len(data), device=device) + length <= data.last).nonzero()[:, 0]
    if not len(usable):
        raise DataError(
            "no episode is as long as one macro-action",
            got=f"at most {int((data.last - data.first).max())} control steps",
            expected=f"at least {length}",
            remedy="record longer episodes, or take a smaller --span or fewer --levels",
        )
    generator = Generator(device).manual_seed(config.seed)
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(config.seed)
        level = TimeLevel(_sizes(data, below, config)).to(device)
    some = usable[(torch.rand(4096, generator=generator, device=device) * len(usable)).long()]
    level.standardise(data.latents, sequence(data, some, config.span))
    optimiser = torch.optim.AdamW(level.parameters(), lr=config.learning_rate, weight_decay=1e-4)
    began, step = time.perf_counter(), 0
    while (done := share_done(step, config.steps, time.perf_counter() - began, config.minutes)) < 1:
        for group in optimiser.param_groups:
            group["lr"] = config.learning_rate * (1 - done)
        frames = usable[(torch.rand(config.batch, generator=generator, device=device) * len(usable)).long()]
        error, nats = _losses(level, data, frames, length, generator)
        optimiser.zero_grad(set_to_none=True)
        (error + config.kl_weight * nats).backward()
        norm = nn.utils.clip_grad_norm_(level.parameters(), 1.0)
        if not bool(torch.isfinite(norm)):
            raise TrainingError("the gradient of a level is not finite", got=float(norm), remedy="lower learning_rate")
        optimiser.step()
        step += 1
        if progress is not None and step % 50 == 1:
            progress(done, 1.0, {"prediction": float(error.detach()), "nats": float(nats.detach())})
    level.eval().requires_grad_(False)
    error, nats = _losses(level, data, some, length, generator)
    still = (data.latents[some + length] - data.latents[some]).flatten(1) / level.std
    return level, (float(error), float(still.square().mean()), float(nats))


def _sizes(data: FrameLatents, below: ActionSpec, config: FitLevelsConfig) -> TimeLevelConfig:
    tokens, latent = data.latents.shape[1:]
    return TimeLevelConfig(
        tokens=tokens, latent=latent, below=below, span=config.span, code=config.code, hidden=config.hidden
    )


def _losses(
    level: TimeLevel, data: FrameLatents, frames: Tensor, length: int, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Mean squared error of standardised features, and the code's divergence from a standard normal in nats."""
    here, there = data.latents[frames], data.latents[frames + length]
    mean, log_variance = level.code(here, sequence(data, frames, level.config.span))
    noise = torch.randn(mean.shape, generator=generator, device=mean.device)
    predicted = level.predict(here, mean + noise * (0.5 * log_variance).exp())
    error = ((predicted - there).flatten(1) / level.std).square().mean()
    nats = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(-1).mean()
    return error, nats


def _part(progress: LevelProgress | None, part: int, parts: int) -> LevelProgress | None:
    if progress is None:
        return None
    return lambda done, whole, found: progress((part + done / whole) / parts, 1.0, found)
