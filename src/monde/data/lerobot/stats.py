"""Statistics as LeRobot stores them: per episode in meta/episodes, pooled in meta/stats.json."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from jaxtyping import Float32, Shaped, UInt8

from monde.data.lerobot.frames import FrameSource

QUANTILES = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}
"""The quantiles that lerobot 0.4 stores beside the moments."""
_MAX_SAMPLED_FRAMES = 100
_MAX_SAMPLED_PIXELS = 8192


@dataclass(frozen=True)
class FeatureStats:
    """Statistics of one feature over `count` samples; arrays are float64 in the feature's shape (images [3, 1, 1]).

    `quantiles` holds those of `QUANTILES` by their names; none for datasets of older tools.
    """

    low: np.ndarray
    high: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    count: int
    quantiles: Mapping[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def of(cls, values: np.ndarray) -> Self:
        """Over the rows of `values` [T, ...]; a [T] column becomes shape [1]."""
        rows = np.asarray(values, dtype=np.float64).reshape(len(values), *(values.shape[1:] or (1,)))
        if not len(rows):  # a sensor that delivered nothing: it weighs nothing where statistics are pooled
            nothing = np.zeros(rows.shape[1:])
            return cls(nothing, nothing, nothing, nothing, 0, dict.fromkeys(QUANTILES, nothing))
        quantiles = np.quantile(rows, list(QUANTILES.values()), axis=0)
        return cls(
            rows.min(0), rows.max(0), rows.mean(0), rows.std(0), len(rows), dict(zip(QUANTILES, quantiles, strict=True))
        )

    @classmethod
    def pooled(cls, parts: Sequence[Self]) -> Self:
        """Statistics of the union (parallel algorithm of Chan, Golub and LeVeque, 1979).

        Quantiles are averaged by count, which is what lerobot does: of the union they are only an estimate.
        """
        parts = [part for part in parts if part.count] or parts[:1]
        counts = np.array([part.count for part in parts], dtype=np.float64)
        weights = (counts / max(1.0, counts.sum())).reshape(-1, *(1,) * parts[0].mean.ndim)
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
            {
                name: (weights * np.stack([part.quantiles[name] for part in parts])).sum(0)
                for name in QUANTILES
                if all(name in part.quantiles for part in parts)
            },
        )

    def to_json(self) -> dict[str, object]:
        """LeRobot's form: nested lists, and the count as [n]."""
        return {
            "min": self.low.tolist(),
            "max": self.high.tolist(),
            "mean": self.mean.tolist(),
            "std": self.std.tolist(),
            "count": [self.count],
        } | {name: value.tolist() for name, value in self.quantiles.items()}

    @classmethod
    def from_json(cls, fields: Mapping[str, object]) -> Self:
        """Read LeRobot's form back; raises KeyError, TypeError or ValueError on a malformed one."""
        low, high, mean, std = (np.array(fields[name], dtype=np.float64) for name in ("min", "max", "mean", "std"))
        quantiles = {name: np.array(fields[name], dtype=np.float64) for name in QUANTILES if fields.get(name)}
        return cls(low, high, mean, std, int(np.array(fields["count"]).reshape(-1)[0]), quantiles)


def sampled_frames(frames: int) -> frozenset[int]:
    """Numbers of the frames of an episode, spread evenly, that its statistics are taken from."""
    index = np.linspace(0, frames - 1, min(frames, _MAX_SAMPLED_FRAMES)).round().astype(int)
    return frozenset(index.tolist())


class FrameLevels:
    """Counts of the 256 levels of each channel over frames sampled evenly from an episode as they pass by.

    The counts hold everything that statistics of frames need, and cost far less than float copies of the frames.

    Args:
        frames: Frames of the episode.
    """

    def __init__(self, frames: int) -> None:
        self._wanted = sampled_frames(frames)
        self._levels = np.zeros((3, 256), dtype=np.int64)
        self._seen = 0

    def see(self, index: int, frame: UInt8[np.ndarray, "3 h w"]) -> None:
        """The index-th frame; each is to be shown once."""
        if index in self._wanted:
            self._levels += np.stack([np.bincount(plane.ravel(), minlength=256) for plane in frame])
            self._seen += 1

    def stats(self) -> FeatureStats:
        """Statistics per channel of values scaled to 0..1, in shape [3, 1, 1]; `count` is of frames."""
        levels, grid = self._levels, np.arange(256) / 255.0
        total = levels.sum(1, keepdims=True)
        mean = (levels * grid).sum(1, keepdims=True) / total
        variance = (levels * (grid - mean) ** 2).sum(1, keepdims=True) / total
        reached = np.cumsum(levels, axis=1) / total
        quantiles = {name: grid[(reached >= part).argmax(1)].reshape(3, 1, 1) for name, part in QUANTILES.items()}
        return FeatureStats(
            grid[(levels > 0).argmax(1)].reshape(3, 1, 1),
            grid[255 - (levels[:, ::-1] > 0).argmax(1)].reshape(3, 1, 1),
            mean.reshape(3, 1, 1),
            np.sqrt(variance).reshape(3, 1, 1),
            self._seen,
            quantiles,
        )


class DepthLevels:
    """Depth maps sampled evenly from an episode as they pass by.

    Args:
        frames: Frames of the episode.
    """

    def __init__(self, frames: int) -> None:
        self._wanted = sampled_frames(frames)
        self._held: list[np.ndarray] = []

    def see(self, index: int, frame: Float32[np.ndarray, "1 h w"]) -> None:
        """The index-th frame; each is to be shown once. Every k-th pixel is kept, a few thousand of a frame."""
        if index in self._wanted:
            self._held.append(frame.ravel()[:: max(1, frame.size // _MAX_SAMPLED_PIXELS)])

    def stats(self) -> FeatureStats:
        """Statistics in the sensor's unit, in shape [1, 1, 1]; pixels where nothing was measured count as 0."""
        stats = FeatureStats.of(np.concatenate(self._held).reshape(-1, 1, 1, 1))
        return replace(stats, count=len(self._held))


class WatchedFrames:
    """The frames of an episode on their way to where they are stored; `levels` are counted as they pass.

    Args:
        frames: The frames.
        depth: Whether they are depth maps.
    """

    def __init__(self, frames: FrameSource, depth: bool = False) -> None:
        self._frames = frames
        self.levels: FrameLevels | DepthLevels = (DepthLevels if depth else FrameLevels)(len(frames))

    def __len__(self) -> int:
        return len(self._frames)

    def __iter__(self) -> Iterator[Shaped[np.ndarray, "C h w"]]:
        for index, frame in enumerate(self._frames):
            self.levels.see(index, frame)
            yield frame
