"""`PointTracks`: where each marker was seen at each frame; `Stretch`: a part of one marker's track without a gap."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from monde.errors import ContractError, DataError
from monde.limits import MAX_EPISODE_STEPS, MAX_POINT_MARKERS


@dataclass(frozen=True, repr=False)
class Stretch:
    """Consecutive frames in which one marker was seen.

    Args:
        marker: Its column.
        start: Its first frame.
        points: [t, 3] metres, the third axis upwards.
    """

    marker: int
    start: int
    points: Float64[np.ndarray, "t 3"]

    @property
    def stop(self) -> int:
        """The frame after its last."""
        return self.start + len(self.points)

    def __len__(self) -> int:
        return len(self.points)

    def __repr__(self) -> str:
        return f"Stretch(marker {self.marker}, frames {self.start} to {self.stop - 1})"


@dataclass(frozen=True, repr=False)
class PointTracks:
    """Markers over time.

    Args:
        values: [T, M, 3] metres, the third axis upwards; NaN where a marker was not seen.
        valid: [T, M] whether it was seen.
        rate_hz: Frames per second.
        names: Of the markers; "" of those that the recording does not name.

    Raises:
        ContractError: Shapes that do not line up, points that are seen and not finite, or a rate that is none.
        DataError: No marker is seen in any frame.
    """

    values: Float64[np.ndarray, "T M 3"]
    valid: Bool[np.ndarray, "T M"]
    rate_hz: float
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        T, M = self.valid.shape
        if self.values.shape != (T, M, 3) or len(self.names) != M or not (T >= 1 and M >= 1):
            raise ContractError(
                "PointTracks does not line up",
                got=f"values {list(self.values.shape)}, valid {[T, M]}, {len(self.names)} names",
                expected="values [T, M, 3], valid [T, M], M names",
            )
        if T > MAX_EPISODE_STEPS or M > MAX_POINT_MARKERS:
            raise ContractError(
                "PointTracks is out of limits", got=[T, M], expected=f"≤ {MAX_EPISODE_STEPS} × {MAX_POINT_MARKERS}"
            )
        if not (np.isfinite(self.rate_hz) and self.rate_hz > 0):
            raise ContractError("PointTracks has no usable rate", got=self.rate_hz, expected="a positive number of Hz")
        finite = np.isfinite(self.values).all(-1)
        if not np.array_equal(finite, self.valid):
            t, m = np.argwhere(finite != self.valid)[0]
            raise ContractError(
                "PointTracks must be finite exactly where it is valid",
                got=f"{self.values[t, m]} at frame {t}, marker {m}, valid = {self.valid[t, m]}",
                expected="NaN where a marker was not seen",
            )
        if not self.valid.any():
            raise DataError(
                "no marker is seen in any frame: the recording is all gaps",
                got=f"0 of {T * M} points seen ({T} frames, {M} markers)",
                expected="at least one marker that is seen",
                remedy="export unidentified trajectories too (a choice of the TSV export), or record anew",
            )

    def height_of(self, prefix: str) -> float:
        """Median height in metres of the markers whose names begin with `prefix`: that of what they are fixed to.

        Raises:
            DataError: No such marker is ever seen.
        """
        columns = [index for index, name in enumerate(self.names) if name.startswith(prefix)]
        seen = self.values[:, columns, 2][self.valid[:, columns]]
        if not len(seen):
            raise DataError(
                f"no marker named {prefix}… is seen", got=sorted({*self.names} - {""}), expected=f"one named {prefix}…"
            )
        return float(np.median(seen))

    def raised(self, metres: float) -> "PointTracks":
        """The same with `metres` added to every height."""
        return PointTracks(self.values + np.array([0.0, 0.0, metres]), self.valid, self.rate_hz, self.names)

    def unnamed(self) -> tuple[int, ...]:
        """Columns of the markers without a name: what moves freely, where the fixed ones were labelled."""
        return tuple(index for index, name in enumerate(self.names) if not name)

    def stretches(self, columns: tuple[int, ...], least: int) -> tuple[Stretch, ...]:
        """Every run of at least `least` seen frames of these markers, marker by marker.

        Raises:
            DataError: There is none; says how much was seen.
        """
        found = []
        for marker in columns:
            steps = np.diff(self.valid[:, marker].astype(np.int8), prepend=0, append=0)
            for start, stop in zip(np.flatnonzero(steps == 1), np.flatnonzero(steps == -1), strict=True):
                if stop - start >= least:
                    found.append(Stretch(marker, int(start), self.values[start:stop, marker]))
        if not found:
            seen = int(self.valid[:, list(columns)].sum())
            raise DataError(
                f"no marker is seen for {least} frames in a row",
                got=f"{seen} of {self.valid.shape[0] * len(columns)} points seen, of {len(columns)} markers",
                expected=f"a stretch of {least / self.rate_hz:.3g} s without a gap",
                remedy="fill short gaps in the capture software, or record with more cameras",
            )
        return tuple(found)

    def __repr__(self) -> str:
        T, M = self.valid.shape
        return f"PointTracks({T} frames at {self.rate_hz:g} Hz, {M} markers, {self.valid.mean():.0%} seen)"
