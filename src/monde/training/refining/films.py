"""Films that dynamics are refined on: looked at once, drawn from in batches."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from monde.data import Windows
from monde.errors import DataError
from monde.models import JEPA
from monde.training.augment import augmented
from monde.training.config import TrainConfig
from monde.training.refining.config import RefineConfig
from monde.training.setup import Setup
from monde.types import Clip, Latents

_FILMS = 32
"""Encoded at once."""

_LEAST_STEPS = 3
"""Of a film that is learned from as a whole."""

Looked = Callable[[int, int], None]
"""Told how many films were looked at, and of how many."""


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """Latents of every step of many films, one after the other: several of an episode, from different first frames.

    Args:
        latents: [M, N, D].
        starts: [E + 1] first step of each film, and M.
    """

    latents: Float[Tensor, "M N D"]
    starts: Int64[np.ndarray, " E1"]


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


def check_windows(setup: Setup, config: RefineConfig) -> None:
    """Refuse windows that no film of the training split is as long as, before any is looked at.

    Raises:
        DataError: The longest film is too short.
    """
    block, lengths = setup.model.actions.block, setup.cache.lengths[list(setup.split.train)]
    _check_lengths(-(-int(lengths.max(initial=0)) // block), config)


def _check_lengths(longest: int, config: RefineConfig) -> None:
    if longest < max(config.windows, default=_LEAST_STEPS):
        if config.windows:
            what, remedy = "no film is as long as the windows", "give shorter windows, or none for whole films"
        else:
            what, remedy = "these films are too short to learn from", "record longer ones"
        expected = f"{max(config.windows, default=_LEAST_STEPS)} model steps"
        raise DataError(what, got=f"{longest} model steps at most", expected=expected, remedy=remedy)


def drawing(data: Encoded, config: RefineConfig, rng: np.random.Generator) -> Callable[[], Latents]:
    """Draws batches.

    Raises:
        DataError: No film is as long as the longest windows.
    """
    lengths = np.diff(data.starts)
    _check_lengths(int(lengths.max(initial=0)), config)
    if config.windows:
        return lambda: _windows(data, config, rng)
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
    chosen = rng.choice(fit, config.batch)
    first = data.starts[chosen] + (rng.random(config.batch) * room[chosen]).astype(np.int64)
    return _latents(data, first[:, None] + np.arange(T))


def _every(clip: Clip, block: int, phase: int) -> Clip:
    """The frames of a clip that are steps, if its first step is frame `phase`."""
    return Clip({name: stream.map(lambda held: held[:, phase::block]) for name, stream in clip.streams.items()})
