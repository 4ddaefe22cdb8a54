"""Fitting a `PointModel` to recorded points: filters by principal components, then what comes next by gradient."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from monde.errors import DataError
from monde.models.points import PointModel, PointModelConfig
from monde.training.points_start import start_filters, start_maps
from monde.training.schedule import learning_rate


@dataclass(frozen=True, kw_only=True)
class PointTrainConfig:
    """How to fit.

    Args:
        steps: Optimiser steps.
        starts: Mixtures of linear maps that are tried to begin with.
        batch: Windows in a step, drawn alike from every recording.
        peak: Largest learning rate.
        early: Share of the steps in which imagination is short.
        short: Frames of short imagination.
        latent_weight: Weight of latent prediction beside that of positions.
        eventful: Share of windows drawn in proportion to how badly the one best linear map tells what follows.
        seed: Of weights and draws.
    """

    steps: int = 300
    starts: int = 3
    batch: int = 192
    peak: float = 2e-3
    early: float = 0.3
    short: int = 13
    latent_weight: float = 0.1
    eventful: float = 0.5
    seed: int = 0


class Draws:
    """Windows of positions and what came after, drawn alike from every recording.

    Args:
        recordings: The stretches [t, 3] of each recording in metres.
        window: Frames before.
        ahead: Frames after; fewer where a stretch ends.
        seed: Of the draws.

    Raises:
        DataError: No stretch is longer than a window.
    """

    def __init__(
        self, recordings: Sequence[Sequence[Float64[np.ndarray, "_ 3"]]], window: int, ahead: int, seed: int
    ) -> None:
        self._window, self._ahead = window, ahead
        self._generator = torch.Generator().manual_seed(seed)
        self._points, self._starts = [], []
        for stretches in recordings:
            usable = [points for points in stretches if len(points) > window]
            if not usable:
                raise DataError(
                    "a recording has no stretch that is longer than a window",
                    got=f"at most {max((len(points) for points in stretches), default=0)} frames without a gap",
                    expected=f"more than {window}",
                    remedy="leave it out, or record with fewer gaps",
                )
            padded = [np.concatenate([p, np.full((ahead, 3), np.nan)]) for p in usable]
            firsts = np.cumsum([0, *[len(p) for p in padded]])
            self._points.append(torch.from_numpy(np.concatenate(padded)).float())
            self._starts.append(
                torch.cat([torch.arange(int(f), int(f) + len(p) - window) for f, p in zip(firsts, usable)])
            )
        self._weights = [torch.ones(len(starts)) for starts in self._starts]

    def prefer(self, model: PointModel, share: float, frames: int) -> None:
        """Draw a share of the windows in proportion to how badly `model` tells what comes within `frames` frames."""
        for index, (points, starts) in enumerate(zip(self._points, self._starts, strict=True)):
            with torch.no_grad():
                cut = points[starts[:, None] + torch.arange(self._window + 1)]
                off = (model.imagine(model.begin(cut[:, :-1]), 1)[:, 0] - cut[:, -1]).norm(dim=-1)
            off = torch.nan_to_num(off)
            ahead = torch.nn.functional.pad(off, (0, frames - 1))[None]
            worst = torch.nn.functional.max_pool1d(ahead, frames, 1)[0]
            self._weights[index] = (1 - share) / len(starts) + share * worst / worst.sum()

    def draw(self, rows: int) -> tuple[Float[Tensor, "B W 3"], Float[Tensor, "B H 3"]]:
        """Windows, and the frames after each; NaN beyond the end of its stretch."""
        parts: list[Tensor] = []
        for points, starts in zip(self._points, self._starts, strict=True):
            weights = self._weights[len(parts)]
            share = rows // len(self._points)
            chosen = starts[torch.multinomial(weights, share, replacement=True, generator=self._generator)]
            parts.append(points[chosen[:, None] + torch.arange(self._window + self._ahead)])
        cut = torch.cat(parts)
        return cut[:, : self._window], cut[:, self._window :]


def fit_points(
    recordings: Sequence[Sequence[Float64[np.ndarray, "_ 3"]]],
    rate_hz: float,
    model: PointModelConfig | None = None,
    train: PointTrainConfig | None = None,
) -> PointModel:
    """A model of how points move in these recordings.

    Args:
        recordings: For each recording its stretches without a gap [t, 3], metres, the third axis upwards.
        rate_hz: Frames per second.
        model: Sizes.
        train: How to fit.

    Raises:
        DataError: A recording without a stretch that is longer than a window.
    """
    sizes, config = model or PointModelConfig(), train or PointTrainConfig()
    torch.manual_seed(config.seed)
    fitted = PointModel(sizes, rate_hz)
    draws = Draws(recordings, sizes.window, max(sizes.horizons), config.seed)
    start_filters(fitted, *draws.draw(8192))
    draws.prefer(fitted, config.eventful, config.short)
    _best_start(fitted, draws, config)
    optimiser = torch.optim.AdamW(fitted.parameters(), lr=config.peak, weight_decay=0.0)
    for step in range(config.steps):
        done = step / config.steps
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(config.peak, step, 20, done)
        frames = config.short if done < config.early else max(sizes.horizons)
        loss = _loss(fitted, *draws.draw(config.batch), frames, config.latent_weight)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(fitted.parameters(), 1.0)
        optimiser.step()
    return fitted.eval()


def _best_start(model: PointModel, draws: Draws, config: PointTrainConfig) -> None:
    """Of several mixtures the one that imagines the drawn windows best (mean logarithm of the last error)."""
    pairs, (windows, after) = draws.draw(12_288), draws.draw(1024)
    ahead = max(model.config.horizons)
    there = ~torch.isnan(after[:, ahead - 1, 0])
    best, kept = float("inf"), model.state_dict()
    for start in range(config.starts):
        start_maps(model, *pairs, seed=config.seed * config.starts + start)
        with torch.no_grad():
            off = (model.imagine(model.begin(windows), ahead)[:, -1] - after[:, ahead - 1])[there].norm(dim=-1)
        told = float((off + 1e-3).log().mean()) if bool(there.any()) else 0.0
        if told < best:
            best, kept = told, {name: value.clone() for name, value in model.state_dict().items()}
    model.load_state_dict(kept)


def _loss(model: PointModel, windows: Tensor, after: Tensor, frames: int, latent_weight: float) -> Tensor:
    """Negative log likelihood of where the point was, plus how far imagined latents are from those then seen."""
    belief = model.begin(windows)
    scale = model.expected_error(belief)
    imagined = model.beliefs(belief, frames)
    whole = torch.cat([windows, after], 1)
    total = windows.new_zeros(())
    W = windows.shape[1]
    for index, horizon in enumerate(h for h in model.config.horizons if h <= frames):
        there = ~torch.isnan(after[:, horizon - 1, 0])
        ahead = imagined[horizon - 1]
        off = torch.nan_to_num(after[:, horizon - 1]) - ahead.position
        squared = torch.stack([off[:, :2].square().sum(-1), off[:, 2].square()], -1) / scale[:, index].square()
        width = off.new_tensor([2.0, 1.0])
        likely = (width * scale[:, index].log() + (3.0 + width) / 2 * torch.log1p(squared / 3.0)).sum(-1)
        total = total + likely[there].mean()
        if latent_weight:
            target = model.begin(whole[there, horizon : horizon + W]).latent.detach()
            total = total + latent_weight * torch.nn.functional.smooth_l1_loss(ahead.latent[there], target)
    return total
