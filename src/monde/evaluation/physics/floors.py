"""What predicts films without understanding them: the last frame again, and a linear predictor of pixels."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64, UInt8
from torch import Tensor

from monde.errors import DataError

REACH = 2
"""Pixels to each side that a pixel is predicted from, in each of the two frames before."""

SAMPLES = 20_000
"""Pixels of one batch of films that the predictor is fitted on."""

_RIDGE = 1e-3


def copy_last(films: UInt8[np.ndarray, "n T 3 h w"], stride: int) -> Float64[np.ndarray, " n"]:
    """[n] mean error of predicting that a frame looks like the one `stride` before: how much there is that moves."""
    change = films[:, stride:].astype(np.float32) - films[:, :-stride].astype(np.float32)
    return np.asarray(np.sqrt(np.square(change).mean(axis=(2, 3, 4))).mean(axis=1), dtype=np.float64)


@dataclass(frozen=True, kw_only=True, repr=False)
class PixelPredictor:
    """Each pixel of a frame as a linear function of its surroundings in two frames before, alike for all colours.

    Args:
        kernel: [1, 2, k, k], the older frame first.
        bias: What is added, in grey levels of 0 to 1.
        stride: Frames from one to the next.
    """

    kernel: Float[Tensor, "1 2 k k"]
    bias: float
    stride: int

    def __call__(self, films: UInt8[np.ndarray, "n T 3 h w"]) -> Float64[np.ndarray, " n"]:
        """[n] mean root mean squared error over the frames of each film, 0 to 1.

        Raises:
            DataError: Films of fewer than three strides.
        """
        errors = []
        for film in films:
            older, newer, following = _triples(film, self.stride)
            planes = torch.stack([older, newer], dim=2).flatten(0, 1)  # [t·3, 2, h, w]
            padded = torch.nn.functional.pad(planes, (REACH,) * 4, mode="replicate")
            found = torch.nn.functional.conv2d(padded, self.kernel).reshape(following.shape) + self.bias
            errors.append(float((found - following).square().mean(dim=(1, 2, 3)).sqrt().mean()))
        return np.array(errors)


def fit_pixels(batches: Iterable[UInt8[np.ndarray, "n T 3 h w"]], stride: int, seed: int = 0) -> PixelPredictor:
    """Least squares with a ridge over pixels drawn at random from possible films.

    Raises:
        DataError: No films, or films of fewer than three strides.
    """
    width = 2 * (2 * REACH + 1) ** 2 + 1
    gram, cross = torch.zeros(width, width, dtype=torch.float64), torch.zeros(width, dtype=torch.float64)
    generator = torch.Generator().manual_seed(seed)
    for films in batches:
        for film in films:
            older, newer, following = _triples(film, stride)
            planes = torch.stack([older, newer], dim=2).flatten(0, 1)
            padded = torch.nn.functional.pad(planes, (REACH,) * 4, mode="replicate")
            around = torch.nn.functional.unfold(padded, 2 * REACH + 1).transpose(1, 2).flatten(0, 1)
            chosen = torch.randint(len(around), (SAMPLES // len(films),), generator=generator)
            inputs = torch.cat([around[chosen], torch.ones(len(chosen), 1)], dim=1).double()
            gram += inputs.T @ inputs
            cross += inputs.T @ following.flatten()[chosen].double()
    if not gram.any():
        raise DataError("there are no films to fit a pixel predictor on", remedy="give the films of the training part")
    ridge = _RIDGE * torch.diagonal(gram).mean() * torch.eye(width, dtype=torch.float64)
    weights = torch.linalg.solve(gram + ridge, cross).float()
    side = 2 * REACH + 1
    return PixelPredictor(kernel=weights[:-1].reshape(1, 2, side, side), bias=float(weights[-1]), stride=stride)


def _triples(film: UInt8[np.ndarray, "T 3 h w"], stride: int) -> tuple[Tensor, Tensor, Tensor]:
    """Frames two strides before, one before, and those to be predicted: [t, 3, h, w] each, 0 to 1."""
    if len(film) <= 2 * stride:
        raise DataError(
            "a film is too short for the pixel predictor", got=f"{len(film)} frames", expected=f"over {2 * stride}"
        )
    values = torch.from_numpy(np.ascontiguousarray(film)).float() / 255
    return values[: -2 * stride], values[stride:-stride], values[2 * stride :]
