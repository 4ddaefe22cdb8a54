"""Statistics as LeRobot stores them: per episode in meta/episodes, pooled in meta/stats.json."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

_MAX_SAMPLED_FRAMES = 100


@dataclass(frozen=True)
class FeatureStats:
    """Statistics of one feature over `count` samples; arrays are float64 in the feature's shape (images [3, 1, 1])."""

    low: np.ndarray
    high: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    count: int

    @classmethod
    def of(cls, values: np.ndarray) -> Self:
        """Over the rows of `values` [T, ...]; a [T] column becomes shape [1]."""
        rows = np.asarray(values, dtype=np.float64).reshape(len(values), *(values.shape[1:] or (1,)))
        return cls(rows.min(0), rows.max(0), rows.mean(0), rows.std(0), len(rows))

    @classmethod
    def of_frames(cls, frames: np.ndarray) -> Self:
        """Over uint8 frames [T, 3, h, w], scaled to 0..1, per channel; long episodes are sampled evenly."""
        index = np.unique(np.linspace(0, len(frames) - 1, min(len(frames), _MAX_SAMPLED_FRAMES)).round().astype(int))
        # Counts of the 256 levels hold everything needed and cost far less than float copies of the frames.
        levels = np.stack([np.bincount(frames[index, channel].ravel(), minlength=256) for channel in range(3)])
        grid, total = np.arange(256) / 255.0, levels.sum(1, keepdims=True)
        mean = (levels * grid).sum(1, keepdims=True) / total
        variance = (levels * (grid - mean) ** 2).sum(1, keepdims=True) / total
        low = grid[(levels > 0).argmax(1)]
        high = grid[255 - (levels[:, ::-1] > 0).argmax(1)]
        shape = (3, 1, 1)
        return cls(
            low.reshape(shape), high.reshape(shape), mean.reshape(shape), np.sqrt(variance).reshape(shape), len(index)
        )

    @classmethod
    def pooled(cls, parts: Sequence[Self]) -> Self:
        """Statistics of the union (parallel algorithm of Chan, Golub and LeVeque, 1979)."""
        counts = np.array([part.count for part in parts], dtype=np.float64)
        weights = (counts / counts.sum()).reshape(-1, *(1,) * parts[0].mean.ndim)
        means = np.stack([part.mean for part in parts])
        variances = np.stack([part.std**2 for part in parts])
        mean = (weights * means).sum(0)
        variance = (weights * (variances + (means - mean) ** 2)).sum(0)
        return cls(
            np.min([part.low for part in parts], axis=0),
            np.max([part.high for part in parts], axis=0),
            mean,
            np.sqrt(variance),
            int(counts.sum()),
        )

    def to_json(self) -> dict[str, object]:
        """LeRobot's form: nested lists, and the count as [n]."""
        return {
            "min": self.low.tolist(),
            "max": self.high.tolist(),
            "mean": self.mean.tolist(),
            "std": self.std.tolist(),
            "count": [self.count],
        }

    @classmethod
    def from_json(cls, fields: Mapping[str, object]) -> Self:
        """Read LeRobot's form back; raises KeyError, TypeError or ValueError on a malformed one."""
        low, high, mean, std = (np.array(fields[name], dtype=np.float64) for name in ("min", "max", "mean", "std"))
        return cls(low, high, mean, std, int(np.array(fields["count"]).reshape(-1)[0]))
