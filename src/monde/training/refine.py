"""Dynamics trained further on the latents of a finished encoder, which are computed once.

While both learn, the dynamics chase an encoder that changes at every step, and most of the time goes into encoding.
With the encoder at rest, several times as many windows fit into a second.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from monde.data import Windows
from monde.dynamics import Dynamics
from monde.errors import DataError, TrainingError, UsageError, unknown_name
from monde.models import JEPA
from monde.objectives import Objective, ObjectiveConfig
from monde.store import RunFolder, write_json
from monde.store.typed import to_json
from monde.training.augment import augmented
from monde.training.checkpoint import load_checkpoint, save_checkpoint
from monde.training.config import TrainConfig
from monde.training.device import choose_device, choose_precision
from monde.training.guard import check_gradients, check_losses
from monde.training.loop import optimiser_for
from monde.training.muon import Muon
from monde.training.schedule import learning_rate, share_done
from monde.training.setup import Setup, reopen
from monde.training.sizes import check_sizes
from monde.training.step import TrainStep
from monde.types import Clip, Latents

_FILMS = 32
"""Encoded at once."""

_LEAST_STEPS = 3
"""Of a film that is learned from as a whole."""

_MOMENTS = 3
"""Of such a film, from which the future is imagined."""

Optimiser = Literal["adamw", "muon"]

_MUON = 1.5
"""Learning rate of Muon as a multiple of AdamW's."""

RefineProgress = Callable[[int, float, dict[str, float]], None]
"""Told the step, the share that is done, and the losses."""

Looked = Callable[[int, int], None]
"""Told how many films were looked at, and of how many."""


class Moments(NamedTuple):
    """Frames that are seen before futures are imagined, one number for each future.

    Attributes:
        starts: With all of them in mind.
        alone: With the newest of them alone.
    """

    starts: tuple[int, ...]
    alone: tuple[int, ...]


Spend = Callable[[Latents, Moments], float]
"""Told each batch before it is learned from; says how much of a budget is used up with it, of compute, say: at 1 and
more that step is the last."""


@dataclass(frozen=True, kw_only=True)
class RefineConfig:
    """How the dynamics of a run are trained further.

    Args:
        minutes: Time for it, encoding included; or none.
        steps: Optimiser steps, or none; with `minutes`, whichever ends first.
        windows: Lengths of the windows in model steps, one of which is drawn for each batch; none for whole films,
            which are told apart by length and by how many tokens they fill, so that a batch has no padding. Of whole
            films the moments from which on more than one step is foreseen are drawn, too.
        rollout_steps: As `ObjectiveConfig.rollout_steps`: how far ahead it learns to imagine.
        batch: Windows in a batch.
        optimiser: "adamw", or "muon": orthogonalised momentum for all matrices but those of the last layers (Muon,
            Jordan et al. 2024; its updates scaled as AdamW's are: arXiv 2502.16982), AdamW for the rest.
        learning_rate: Peak rate of AdamW; Muon's is one and a half times that.
        most_frames: Episodes are drawn at random until they have that many frames, and all of them looked at.
        phases: First frames of a step that each episode is seen from, drawn at random; none for every one of them. Who
            sees it from fewer encodes that share of its frames.
        seed: Of batches.
        device: "auto", "cpu", "cuda", …
        precision: "auto", "fp32" or "bf16".

    Raises:
        UsageError: No end, an empty size, no number, or an unknown optimiser.
    """

    minutes: float | None = 10.0
    steps: int | None = None
    windows: tuple[int, ...] = (8, 13)
    rollout_steps: int = 5
    batch: int = 128
    optimiser: Optimiser = "adamw"
    learning_rate: float = 1e-3
    most_frames: int = 1_000_000
    phases: int | None = None
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"

    def __post_init__(self) -> None:
        if self.minutes is None and self.steps is None:
            raise UsageError("refining needs an end", remedy="give minutes or steps")
        if self.optimiser not in get_args(Optimiser):
            raise unknown_name("optimiser", self.optimiser, list(get_args(Optimiser)), UsageError)
        check_sizes(self, "minutes", "steps", "rollout_steps", "learning_rate", "most_frames", "phases")
        if min(self.windows, default=1) < 1 or self.batch < 2:
            got = f"windows {self.windows}, batch {self.batch}"
            raise UsageError("RefineConfig has an empty size", got=got, expected="windows ≥ 1, batch ≥ 2")


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """Latents of every step of many films, one after the other: several of an episode, from different first frames.

    Args:
        latents: [M, N, D].
        starts: [E + 1] first step of each film, and M.
    """

    latents: Float[Tensor, "M N D"]
    starts: Int64[np.ndarray, " E1"]


def refine(
    run: Path | str,
    config: RefineConfig | None = None,
    progress: RefineProgress | None = None,
    spend: Spend | None = None,
    looked: Looked | None = None,
) -> Path:
    """Train the dynamics of a run further, its encoder frozen; returns the new checkpoint, beside the earlier one.

    Films are augmented as they were for training, each in one way. With `spend` it ends once that budget is used up, if
    minutes and steps do not end it before.

    Raises:
        UsageError: A run in which somebody acts, or whose encoder was frozen from the start.
        StoreError: Not a run, or the disk is full.
        DataError: The recording is gone or altered, or has no film as long as the windows.
        TrainingError: A loss or a gradient that is not finite, or no time left for a step once the films were looked
            at; nothing is saved then.
    """
    config = config or RefineConfig()
    began = time.perf_counter()
    folder = RunFolder(Path(run))
    trained, setup = reopen(folder.root)
    if not setup.model.actions.unactuated or trained.backbone is not None:
        raise UsageError(
            f"{run} cannot be refined",
            got="a frozen encoder" if trained.backbone is not None else "a run in which somebody acts",
            expected="a run with --action-free and an encoder of its own",
        )
    device = choose_device(config.device)
    module = TrainStep(JEPA(setup.model), trained.minimised)
    whole = optimiser_for(module, trained)
    generator = torch.Generator()
    position = load_checkpoint(folder.latest(), module, whole, generator)
    model = module.model.to(device).eval()
    model.autocast = choose_precision(config.precision, device)
    data = encode_episodes(model, setup, trained, config, looked)
    steps = refine_dynamics(model, data, trained.minimised, config, began, progress, spend)
    if not steps:
        raise TrainingError(
            f"{run} was not refined",
            got=f"{config.minutes} minutes, all of which went into looking at the films",
            expected="time for at least one step",
            remedy="give more minutes, or look at fewer frames (most_frames, phases)",
        )
    seconds = position.seconds + time.perf_counter() - began
    ended = replace(position, step=position.step + steps, seconds=seconds)
    saved = save_checkpoint(folder, module, optimiser_for(module, trained), generator, ended)
    # Said only once it is true: a run that was killed before is refined again.
    write_json(folder.config, folder.read_config() | {"refined": to_json(config)})
    return saved


@torch.no_grad()
def encode_episodes(
    model: JEPA, setup: Setup, trained: TrainConfig, config: RefineConfig, looked: Looked | None = None
) -> Encoded:
    """Latents of training episodes at the model's step, from each frame that a step may begin at (or some of them);
    each episode changed in one of the ways that training changes its clips.

    Who keeps things in mind sees as few frames here as later: of all frames it would find more things that come and go.

    Raises:
        DataError: Latents that are not finite.
    """
    generator = torch.Generator().manual_seed(config.seed)
    rng = np.random.default_rng(config.seed)
    order = rng.permutation(setup.split.train)
    order = order[: 1 + int(np.searchsorted(np.cumsum(setup.cache.lengths[order]), config.most_frames))]
    found, lengths, done = list[Tensor](), [0], 0
    names, known = [sensor.name for sensor in model.sensors], setup.cache.lengths
    for length, same in groupby(sorted(order.tolist(), key=known.__getitem__), known.__getitem__):
        episodes = tuple(same)
        films = Windows(setup.cache, episodes, names, int(length), None)  # one window is one film
        for first in range(0, len(episodes), _FILMS):
            clip = augmented(films.clip(np.arange(first, min(first + _FILMS, len(episodes)))), trained, generator)
            phases = rng.permutation(min(model.actions.block, int(length)))[: config.phases]
            for phase in sorted(phases.tolist()):
                latents = model.encode(_every(clip, model.actions.block, phase)).values.float()
                found.append(latents.flatten(0, 1))
                lengths += [latents.shape[1]] * len(latents)
            done += min(_FILMS, len(episodes) - first)
            if looked is not None:
                looked(done, len(order))
    latents = torch.cat(found)
    if not bool(torch.isfinite(latents).all()):
        raise DataError("the latents are not finite", remedy="run `monde check` on the recording, or train again")
    return Encoded(latents=latents, starts=np.cumsum(lengths))


def refine_dynamics(
    model: JEPA,
    data: Encoded,
    objective: ObjectiveConfig,
    config: RefineConfig,
    began: float,
    progress: RefineProgress | None = None,
    spend: Spend | None = None,
) -> int:
    """Train the dynamics on latents that are there already; returns the steps taken.

    Raises:
        DataError: No episode is as long as the windows.
        TrainingError: A loss or a gradient that is not finite.
    """
    spaced = replace(objective, regulariser_weight=0.0, within_weight=0.0, rollout_steps=config.rollout_steps)
    error = Objective(spaced, model.latent, 0, model.dynamics.error, model.dynamics.counts)
    rng, generator = np.random.default_rng(config.seed), torch.Generator().manual_seed(config.seed)
    weights = list(model.dynamics.parameters())
    optimisers = optimisers_of(model.dynamics, config)
    model.dynamics.train()
    draw = _drawer(data, config, rng)
    step, spent = 0, 0.0
    # Of the time some went into encoding: the rate falls over what is left of it.
    before = share_done(0, config.steps, time.perf_counter() - began, config.minutes)
    while (done := max(spent, share_done(step, config.steps, time.perf_counter() - began, config.minutes))) < 1:
        for optimiser, rate in optimisers:
            for group in optimiser.param_groups:
                group["lr"] = learning_rate(rate, step, 100, (done - before) / (1 - before))
        latents = draw()
        B, T = latents.values.shape[:2]
        moments = Moments(spaced.starts(T), ()) if config.windows else _moments(T, rng)
        spent = spend(latents, moments) if spend is not None else 0.0
        actions = latents.values.new_zeros(B, T - 1, 0)
        predicted = model.predict(latents, actions, moments.starts, config.rollout_steps, moments.alone)
        losses = error(latents.values, actions, predicted, generator)
        check_losses(losses.total, losses.parts, lambda: f"step {step} of refining")  # noqa: B023
        model.dynamics.zero_grad(set_to_none=True)
        losses.total.backward()
        norm = torch.nn.utils.clip_grad_norm_(weights, 1.0)
        check_gradients(norm, model.dynamics, lambda: f"step {step} of refining")  # noqa: B023
        for optimiser, _ in optimisers:
            optimiser.step()
        step += 1
        if progress is not None and step % 100 == 1:
            progress(step, done, {name: float(value) for name, value in losses.parts.items()})
    model.dynamics.eval()
    return step


def optimisers_of(dynamics: Dynamics, config: RefineConfig) -> list[tuple[torch.optim.Optimizer, float]]:
    """Optimisers of all weights, and their peak rates."""
    rate, rest = config.learning_rate, list(dynamics.parameters())
    made = list[tuple[torch.optim.Optimizer, float]]()
    if config.optimiser == "muon":
        last = {id(layer.weight) for layer in dynamics.outputs()}
        matrices = [weight for weight in rest if weight.ndim == 2 and id(weight) not in last]
        taken = {id(weight) for weight in matrices}
        rest = [weight for weight in rest if id(weight) not in taken]
        muon = Muon(matrices, lr=_MUON * rate, weight_decay=1e-4)
        made.append((muon, _MUON * rate))
    made.append((torch.optim.AdamW(rest, lr=rate, betas=(0.9, 0.95), weight_decay=1e-4), rate))
    return made


def _moments(steps: int, rng: np.random.Generator) -> Moments:
    """After how many frames of a film futures are imagined, with all that was seen before in mind and without: whoever
    judges by what memory adds (`monde.evaluation.physics.surprise`) asks for both."""
    seen = np.arange(1, steps - 1)
    drawn = rng.choice(seen, min(_MOMENTS, len(seen)), replace=False)
    return Moments(tuple(sorted(drawn.tolist())), (int(rng.choice(seen)),))


def _drawer(data: Encoded, config: RefineConfig, rng: np.random.Generator) -> Callable[[], Latents]:
    """Draws batches."""
    if config.windows:
        return lambda: _windows(data, config, rng)
    lengths = np.diff(data.starts)
    if lengths.max(initial=0) < _LEAST_STEPS:
        raise DataError("these films are too short to learn from", got=int(lengths.max(initial=0)), expected="3 steps")
    filled = np.array([_filled(data.latents[a:b]) for a, b in pairwise(data.starts)])
    kinds = [
        np.flatnonzero((lengths == length) & (filled == n))
        for length, n in sorted(set(zip(lengths.tolist(), filled.tolist(), strict=True)))
        if length >= _LEAST_STEPS
    ]
    share = np.array([len(kind) * lengths[kind[0]] for kind in kinds], dtype=np.float64)

    def draw() -> Latents:
        kind = kinds[int(rng.choice(len(kinds), p=share / share.sum()))]
        first = rng.choice(kind, min(config.batch, len(kind)), replace=False)
        index = data.starts[first][:, None] + np.arange(lengths[kind[0]])
        return _latents(data, index, int(filled[kind[0]]))

    return draw


def _filled(latents: Float[Tensor, "M N D"]) -> int:
    """Tokens up to the last that is ever filled, and one more: what may still be filled is learned, too."""
    ever = torch.nonzero((latents != 0).any(dim=-1).any(dim=0))
    return min(int(ever.max()) + 2 if len(ever) else 1, latents.shape[1])


def _latents(data: Encoded, index: Int64[np.ndarray, "B T"], tokens: int | None = None) -> Latents:
    latents = data.latents[torch.from_numpy(index).to(data.latents.device)][:, :, :tokens]
    return Latents(latents, torch.zeros(index.shape, dtype=torch.float64, device=latents.device))


def _windows(data: Encoded, config: RefineConfig, rng: np.random.Generator) -> Latents:
    T = int(rng.choice(config.windows))
    room = np.diff(data.starts) - T + 1
    fit = np.flatnonzero(room > 0)
    if not len(fit):
        raise DataError("no film is as long as the windows", got=int(np.diff(data.starts).max()), expected=f"{T} steps")
    chosen = rng.choice(fit, config.batch)
    first = data.starts[chosen] + (rng.random(config.batch) * room[chosen]).astype(np.int64)
    return _latents(data, first[:, None] + np.arange(T))


def _every(clip: Clip, block: int, phase: int) -> Clip:
    """The frames of a clip that are steps, if its first step is frame `phase`."""
    return Clip({name: stream.map(lambda held: held[:, phase::block]) for name, stream in clip.streams.items()})
