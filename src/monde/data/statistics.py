"""Mean and spread of what is put into a model, over training episodes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from monde.data.cache import FrameCache
from monde.errors import ContractError, DataError

_CHUNK_NUMBERS = 1 << 18


@dataclass(frozen=True)
class Moments:
    """Mean and standard deviation of each component.

    Args:
        mean: [n], in the sensor's or action's unit.
        std: [n], likewise; 0 where a component never moved.

    Raises:
        ContractError: Unequal shapes, or values that are not finite.
    """

    mean: Float64[np.ndarray, " n"]
    std: Float64[np.ndarray, " n"]

    def __post_init__(self) -> None:
        if self.mean.shape != self.std.shape or not (np.isfinite(self.mean).all() and np.isfinite(self.std).all()):
            raise ContractError("Moments are unusable", got=f"{self.mean}, {self.std}", expected="finite, one shape")


def action_moments(cache: FrameCache, episodes: Sequence[int]) -> Moments:
    """Moments of single control steps over some episodes; the padding after the last one is left out.

    Raises:
        ContractError: The recording has no actions.
        DataError: NaN (names episode and component), or not one action.
    """
    if cache.controls is None:
        raise ContractError("this recording has no actions")
    return _moments(cache, cache.controls, episodes, "action", last=1)


def sensor_moments(cache: FrameCache, name: str, episodes: Sequence[int]) -> Moments:
    """Moments of a sensor's components over some episodes; n is the size of one sample, flattened.

    Raises:
        ContractError: An unknown sensor, or one of pictures.
        DataError: NaN (names episode and component).
    """
    if cache.sensor(name).picture:
        raise ContractError(f"sensor {name!r} is a camera", expected="a sensor that delivers a few numbers")
    return _moments(cache, cache.values(name), episodes, name, last=0)


def _moments(cache: FrameCache, array: np.ndarray, episodes: Sequence[int], what: str, last: int) -> Moments:
    width = int(np.prod(array.shape[1:]))
    count, mean, squares = 0, np.zeros(width), np.zeros(width)
    chunk = max(1, _CHUNK_NUMBERS // width)
    for episode in episodes:
        first, stop = int(cache.offsets[episode]), int(cache.offsets[episode + 1]) - last
        for start in range(first, stop, chunk):
            part = array[start : min(start + chunk, stop)].reshape(-1, width).astype(np.float64)
            bad = np.argwhere(~np.isfinite(part))
            if len(bad):
                raise DataError(
                    f"episode {episode} holds NaN or infinite values in {what}",
                    got=f"frame {start - first + int(bad[0][0])}, component {int(bad[0][1])}",
                    expected="finite numbers",
                    remedy="leave this episode out; nothing is filled in here",
                )
            # Chan, Golub and LeVeque (1979): pooled without the cancellation of sums of squares.
            delta, total = part.mean(0) - mean, count + len(part)
            squares += ((part - part.mean(0)) ** 2).sum(0) + delta**2 * (count * len(part) / total)
            mean += delta * (len(part) / total)
            count = total
    if count == 0:
        raise DataError(
            f"these episodes hold no {what}", got=f"{len(episodes)} episodes", expected="at least one sample"
        )
    return Moments(mean, np.sqrt(squares / count))
