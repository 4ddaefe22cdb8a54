"""How unexpected each frame of a film is to a world model, relative to what it expects of that scene.

The error of a prediction alone tells little: an empty scene is easier to foresee than a moving ball, and a light that
goes out is an error to every model. What tells is the *difference that memory makes*: each frame is predicted twice,
from all that was seen before and from the last moment alone. In a possible film memory helps, or does no harm; where
something vanished, turned or changed while it was not seen, the model that remembers is the more surprised of the two.
What is hard to foresee for both cancels out. What happens in plain sight surprises both
alike: dynamics that tell their doubt also say how much more surprised they are than they expected to be. (Surprise as
prediction error at several context lengths: Garrido et al., arXiv 2502.11831, section 3; the contrast of two contexts
is ours: docs/log.md, 2026-11-26.)
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64, UInt8
from torch import Tensor

from monde.dynamics import Dynamics
from monde.errors import ContractError, DataError
from monde.evaluation.physics.beliefs import encode_films, frames_per_step
from monde.models import JEPA
from monde.types import Latents


@dataclass(frozen=True, kw_only=True)
class SurpriseConfig:
    """How films are judged.

    Args:
        horizons: Model steps that are predicted ahead.
        moments: Lengths of the short contexts, in model steps.
        batch: Films encoded at once.

    Raises:
        ContractError: No horizon or no context, or one below 1.
    """

    horizons: tuple[int, ...] = Dynamics.horizons
    moments: tuple[int, ...] = (1,)
    batch: int = 32

    def __post_init__(self) -> None:
        if not self.horizons or not self.moments or min(*self.horizons, *self.moments, self.batch) < 1:
            raise ContractError("SurpriseConfig is empty", got=self, expected="horizons, moments and batch ≥ 1")

    @property
    def least_steps(self) -> int:
        """Model steps that a film must have."""
        return 1 + max(self.horizons)


def judging(model: JEPA) -> SurpriseConfig:
    """How films are judged by this model, unless told otherwise."""
    return SurpriseConfig(horizons=model.dynamics.horizons)


@dataclass(frozen=True, kw_only=True, repr=False)
class Surprise:
    """n films of T frames.

    Args:
        surprisals: [n, T] surprisal (`Dynamics.surprisal`) of what came, to who predicted it from all that was seen
            before, by horizon in model steps; NaN for frames before the first that can be predicted so far ahead.
        contrasts: [n, T] that less the surprisal to who predicted it from a short context, and the excess of the former
            over what was expected (`Dynamics.excess`), by (horizon, length of the context), both in model steps; NaN
            likewise. Where dynamics tell no doubt it is the logarithm of the ratio of their errors.
        rate_hz: Frames a second.
    """

    surprisals: Mapping[int, Float64[np.ndarray, "n T"]]
    contrasts: Mapping[tuple[int, int], Float64[np.ndarray, "n T"]]
    rate_hz: float

    @property
    def curve(self) -> Float64[np.ndarray, "n T"]:
        """[n, T] surprise at each frame: the mean contrast; 0 where nothing can be predicted yet."""
        return np.nan_to_num(np.stack(list(self.contrasts.values()))).mean(axis=0)

    @property
    def of_film(self) -> Float64[np.ndarray, " n"]:
        """[n] one number a film, the higher the less plausible: the mean of its curve."""
        return self.curve.mean(axis=1)


@torch.no_grad()
def surprise(
    model: JEPA,
    films: UInt8[np.ndarray, "n T 3 h w"],
    rate_hz: float,
    config: SurpriseConfig | None = None,
    see: Callable[[JEPA, UInt8[np.ndarray, "n t 3 h w"]], Latents] = encode_films,
) -> Surprise:
    """How surprised the model is by each frame of these films.

    A model step may span several frames: each film is then seen once from every frame that a step may begin at.

    Args:
        model: In evaluation mode; reads one camera, and no actions.
        films: Of the camera's size.
        rate_hz: Frames a second.
        config: How films are judged; `judging(model)` by default.
        see: Latents of films; `Seen` for models that see alike.

    Raises:
        ContractError: A model that is told actions or reads other sensors, or films of another size.
        DataError: Films of another rate than the model's, or shorter than the context; predictions that are not finite.
    """
    chosen = config or judging(model)
    stride = _stride(model, films, rate_hz, chosen)
    n, T = films.shape[:2]
    surprisals = {k: np.full((n, T), np.nan) for k in chosen.horizons}
    contrasts = {(k, c): np.full((n, T), np.nan) for k in chosen.horizons for c in chosen.moments}
    for rows in _parts(n, chosen.batch):
        for phase in range(stride):
            latents = see(model, films[rows, phase::stride])
            if latents.values.shape[1] < chosen.least_steps:
                continue
            whole, shorter = _compared(model, latents, chosen)
            for k, found in whole.items():
                surprisals[k][rows, phase + k * stride :: stride] = found
            for (k, c), found in shorter.items():
                contrasts[k, c][rows, phase + k * stride :: stride] = found
    return Surprise(surprisals=surprisals, contrasts=contrasts, rate_hz=rate_hz)


def contrast(
    model: JEPA, latents: Latents, config: SurpriseConfig
) -> dict[tuple[int, int], Float64[np.ndarray, "n u"]]:
    """The contrasts of films whose latents at the model's step are known, [n, t - k] by (horizon, short context): of
    models that read other sensors than a camera, too.

    Raises:
        DataError: Predictions that are not finite.
    """
    return _compared(model, latents, config)[1]


def _compared(
    model: JEPA, latents: Latents, config: SurpriseConfig
) -> tuple[dict[int, Float64[np.ndarray, "n u"]], dict[tuple[int, int], Float64[np.ndarray, "n u"]]]:
    """Surprisals to who saw all frames before by horizon, and their contrasts."""
    foreseen = _predictions(model, latents, None, config)
    came = {k: latents.values[:, k:] for k in config.horizons}
    judge = model.dynamics
    whole = {k: _numbers(judge.surprisal(foreseen[k], came[k])) for k in came}
    excess = {k: _numbers(judge.excess(foreseen[k], came[k])) for k in came}
    contrasts: dict[tuple[int, int], Float64[np.ndarray, "n u"]] = {}
    for c in config.moments:
        forgetful = _predictions(model, latents, c, config)
        for k in config.horizons:
            contrasts[k, c] = whole[k] - _numbers(judge.surprisal(forgetful[k], came[k])) + excess[k]
    return whole, contrasts


def _numbers(tensor: Float[Tensor, "n u"]) -> Float64[np.ndarray, "n u"]:
    return tensor.double().cpu().numpy()


def _parts(n: int, size: int) -> Iterator[slice]:
    for start in range(0, n, size):
        yield slice(start, min(n, start + size))


def _predictions(
    model: JEPA, latents: Latents, moment: int | None, config: SurpriseConfig
) -> dict[int, Float[Tensor, "n u N D"]]:
    """Predictions of the frames k steps after each, [n, t - k] by horizon; from all frames before or from the last
    `moment` of them."""
    n, T = latents.values.shape[:2]
    furthest = max(config.horizons)
    nothing = latents.values.new_zeros(n, T, 0)
    if moment is None:
        beliefs = model.recall_each(latents, nothing[:, : T - 1], tuple(range(1, T + 1)))
    else:
        beliefs = model.recall(*_recent(latents, moment))
    futures = model.imagine(beliefs, nothing.new_zeros(T * n, 1, furthest, 0)).latents[:, 0, 0]
    predicted = futures.unflatten(0, (T, n)).transpose(0, 1)  # [n, T, H, N, D]
    if not bool(torch.isfinite(predicted).all()):  # else it would pass for "nothing to tell yet"
        raise DataError(
            "the model's predictions are not finite",
            got=f"{int((~torch.isfinite(predicted)).sum())} of {predicted.numel()} numbers",
            remedy="look for NaN in the weights of the model",
        )
    return {k: predicted[:, : T - k, k - 1] for k in config.horizons}


def _recent(latents: Latents, moment: int) -> tuple[Latents, Tensor]:
    """The last `moment` steps up to each, rows in the order (T, n); the first one stands for those before it."""
    n, T = latents.values.shape[:2]
    index = (torch.arange(T)[:, None] + torch.arange(1 - moment, 1)).clamp_min(0)
    values = latents.values[:, index].transpose(0, 1).flatten(0, 1)  # [T·n, moment, N, D]
    times = latents.times_seconds[:, index].transpose(0, 1).flatten(0, 1)
    return Latents(values, times), values.new_zeros(T * n, moment - 1, 0)


def _stride(model: JEPA, films: UInt8[np.ndarray, "n T 3 h w"], rate_hz: float, config: SurpriseConfig) -> int:
    """Frames in a model step, where the films are long enough to be judged."""
    stride = frames_per_step(model, rate_hz)
    if -(-films.shape[1] // stride) < config.least_steps:
        raise DataError(
            "these films are shorter than the context",
            got=f"{films.shape[1]} frames",
            expected=f"at least {(config.least_steps - 1) * stride + 1}",
            remedy="give longer films, or smaller horizons",
        )
    return stride
