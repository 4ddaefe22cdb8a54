"""Fitting a `PointModel` to recorded points: filters by principal components, then what comes next by gradient."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from monde.errors import ContractError, DataError
from monde.models.points import PointModel, PointModelConfig
from monde.training.points_start import start_filters, start_maps
from monde.training.schedule import learning_rate
from monde.training.sizes import check_not_negative, check_sizes

JUDGED = 1024
"""Windows by which fits are compared, drawn alike from every recording that is trained on."""


@dataclass(frozen=True, kw_only=True)
class PointTrainConfig:
    """How to fit.

    Args:
        steps: Optimiser steps.
        fits: Models that are fitted, from other weights and draws; the one that tells what it learns from best is kept.
        trial: Share of the steps after which that is judged, and only the best goes on.
        starts: Mixtures of linear maps that are tried to begin with.
        sample: Windows that filters and mixtures are fitted to.
        batch: Windows in a step, drawn alike from every recording.
        peak: Largest learning rate.
        started: Share of it for maps and readout, which begin in closed form: steps as large as a network's own shake
            them out of the place where gravity is right.
        early: Share of the steps in which imagination is short.
        short: Frames of short imagination.
        latent_weight: Weight of latent prediction beside that of positions.
        eventful: Share of windows drawn in proportion to how badly the one best linear map tells what follows.
        settled: Share of the steps after which windows are drawn alike. A catch, which nobody foresees, always ends
            above where flight would have led: drawn too often to the end, catches pull imagined gravity down.
        seed: Of weights and draws. Those of fits are seed x fits, seed x fits + 1, …: no two seeds share a fit.

    Raises:
        UsageError: An empty size, a negative share, or no number.
        ContractError: Fits that cannot be compared.
    """

    steps: int = 300
    fits: int = 3
    trial: float = 0.5
    starts: int = 3
    sample: int = 12_288
    batch: int = 192
    peak: float = 2e-3
    started: float = 0.1
    early: float = 0.3
    short: int = 13
    latent_weight: float = 0.1
    eventful: float = 0.5
    settled: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        check_sizes(self, "steps", "starts", "sample", "batch", "peak", "short")
        check_not_negative(self, "started", "early", "latent_weight", "eventful", "settled")
        if self.fits < 1 or not 0.0 <= self.trial <= 1.0:
            raise ContractError(
                "these fits cannot be compared",
                got=f"fits {self.fits}, trial {self.trial:g}",
                expected="1 fit or more, and a share of the steps between 0 and 1",
            )


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
        self.prefer_none()

    def prefer_none(self) -> None:
        """Draw all windows of a recording alike."""
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
    seeds = range(config.seed * config.fits, (config.seed + 1) * config.fits)
    tried = [Fit(recordings, rate_hz, sizes, replace(config, seed=seed)) for seed in seeds]
    halfway = round(config.trial * config.steps) if len(tried) > 1 else 0
    for fit in tried:
        fit.run(halfway)
    best = tried[0]
    if len(tried) > 1:
        windows, after = Draws(recordings, sizes.window, max(sizes.horizons), config.seed).draw(JUDGED)
        best = min(tried, key=lambda fit: training_loss(fit.model, windows, after))
    best.run(config.steps)
    return best.model.eval()


@torch.no_grad()
def training_loss(model: PointModel, windows: Float[Tensor, "B W 3"], after: Float[Tensor, "B H 3"]) -> float:
    """Negative log likelihood of what came after windows that were trained on, summed over horizons; lower is better.

    One that is not finite counts as the worst.
    """
    told = float(_loss(model, windows, after, max(model.config.horizons), 0.0))
    return told if math.isfinite(told) else math.inf


class Fit:
    """One fit, which can be run some way, judged, and run on.

    Args:
        recordings: As for `fit_points`.
        rate_hz: Frames per second.
        sizes: Of the model.
        config: How to fit; its `seed` is that of this fit.

    Attributes:
        model: What is fitted.
    """

    def __init__(
        self,
        recordings: Sequence[Sequence[Float64[np.ndarray, "_ 3"]]],
        rate_hz: float,
        sizes: PointModelConfig,
        config: PointTrainConfig,
    ) -> None:
        torch.manual_seed(config.seed)
        self.model, self._config, self._done = PointModel(sizes, rate_hz), config, 0
        self._draws = Draws(recordings, sizes.window, max(sizes.horizons), config.seed)
        start_filters(self.model, *self._draws.draw(config.sample * 2 // 3))
        self._draws.prefer(self.model, config.eventful, config.short)
        _best_start(self.model, self._draws, config)
        networks = [*self.model.choose_map.parameters(), *self.model.doubt.parameters()]
        self._shares = (1.0, config.started)
        groups = [{"params": networks}, {"params": [self.model.maps, self.model.readout]}]
        self._optimiser = torch.optim.AdamW(groups, lr=config.peak, weight_decay=0.0)

    def run(self, until: int) -> None:
        """Optimiser steps up to this one."""
        config, fitted = self._config, self.model
        for step in range(self._done, until):
            done = step / config.steps
            if done >= config.settled:
                self._draws.prefer_none()
            for group, share in zip(self._optimiser.param_groups, self._shares, strict=True):
                group["lr"] = share * learning_rate(config.peak, step, 20, done)
            frames = config.short if done < config.early else max(fitted.config.horizons)
            loss = _loss(fitted, *self._draws.draw(config.batch), frames, config.latent_weight)
            self._optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(fitted.parameters(), 1.0)
            self._optimiser.step()
        self._done = max(self._done, until)


def _best_start(model: PointModel, draws: Draws, config: PointTrainConfig) -> None:
    """Of several mixtures the one that imagines the drawn windows best (mean logarithm of the last error)."""
    pairs, (windows, after) = draws.draw(config.sample), draws.draw(1024)
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
