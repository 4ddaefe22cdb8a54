"""Standard normal noise of action sequences: white, or smooth over time.

Drawn once and shared by all rows of the batch (common random numbers): a row's plan depends on its own problem and on
the generator, not on how many other rows are planned with it.
"""

from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from monde.types import ActionSpec


def white_noise(samples: int, horizon: int, width: int, generator: Generator) -> Float[Tensor, "S H A"]:
    """Standard normal noise, shared by all rows; the first is zero, which draws the mode."""
    noise = torch.randn(samples, horizon, width, generator=generator, device=generator.device)
    noise[0] = 0
    return noise


def coloured(noise: Float[Tensor, "S H A"], actions: ActionSpec, beta: float) -> Float[Tensor, "S H A"]:
    """White noise, filtered over its control steps to a power spectrum of 1/f^beta and unit variance.

    Timmer and König 1995, "On generating power law noise": the spectrum is scaled by f^(-beta/2), that of the mean as
    that of the lowest frequency.
    """
    if not beta:
        return noise
    S, H, _ = noise.shape
    steps = noise.reshape(S, H * actions.block, actions.dim)
    return (_filter(H * actions.block, beta, str(noise.device)) @ steps).reshape(noise.shape)


@lru_cache(maxsize=32)
def _filter(steps: int, beta: float, device: str) -> Float[Tensor, "T T"]:
    """The filter as one circulant matrix: scaling a spectrum is a circular convolution."""
    frequency = torch.fft.rfftfreq(steps, dtype=torch.float64)
    frequency[0] = frequency[1] if steps > 1 else 1.0
    kernel = torch.fft.irfft(frequency ** (-beta / 2) + 0j, steps)
    shift = torch.arange(steps)
    matrix = kernel[(shift[:, None] - shift) % steps]
    return (matrix / matrix.square().sum(1, keepdim=True).sqrt()).float().to(device)
