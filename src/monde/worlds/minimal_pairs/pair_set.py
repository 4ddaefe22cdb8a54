"""`PairSet`: sets of possible and impossible films of one principle."""

import hashlib
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Int64, UInt8

from monde.errors import ContractError
from monde.worlds.minimal_pairs.principles import Design
from monde.worlds.minimal_pairs.timing import RATE_HZ, Grade
from monde.worlds.minimal_pairs.variety import Split

Space = Literal["2d", "3d"]
"""What films are of: bodies in the plane, or in space."""


@dataclass(frozen=True, kw_only=True, repr=False)
class PairSet:
    """n sets of four films of one principle and grade.

    Args:
        principle: Its name.
        grade: easy, hidden or long-hidden.
        design: How they were made.
        split: Whose sizes, colours and speeds.
        seed: They come from.
        films: [n, 4, T, 3, h, w]: in each set the possible films first.
        possible: [n, 4].
        event_frame: [n], the first frame that tells an impossible film from the possible one that it began as.
        hidden: [n, 2], first frame and end (exclusive) of the time before the event over which the films of a set look
            the same because what matters is out of sight or just alike.
        ids: n names; equal names mean equal films.
        rate_hz: Frames a second.
        space: 2d or 3d.
    """

    principle: str
    grade: Grade
    design: Design
    split: Split
    seed: int
    films: UInt8[np.ndarray, "n 4 T 3 h w"]
    possible: Bool[np.ndarray, "n 4"]
    event_frame: Int64[np.ndarray, " n"]
    hidden: Int64[np.ndarray, "n 2"]
    ids: tuple[str, ...]
    rate_hz: float = RATE_HZ
    space: Space = "2d"

    def __post_init__(self) -> None:
        n = len(self.films)
        lengths = {len(self.possible), len(self.event_frame), len(self.hidden), len(self.ids)}
        if lengths != {n} or n < 1 or self.films.ndim != 6:
            raise ContractError(
                "a PairSet's parts do not line up", got=sorted(lengths), expected=f"{n} sets, at least 1"
            )

    @property
    def content_hash(self) -> str:
        """SHA-256 of films, which are possible, and events."""
        digest = hashlib.sha256(repr((self.films.shape, self.rate_hz)).encode())
        for array in (self.films, self.possible, self.event_frame, self.hidden):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    @property
    def hidden_seconds(self) -> np.ndarray:
        """[n] seconds out of sight."""
        return (self.hidden[:, 1] - self.hidden[:, 0]) / self.rate_hz

    def __repr__(self) -> str:
        shape = "×".join(map(str, self.films.shape))
        return (
            f"PairSet({self.space}, {self.principle}, {self.grade}, {self.design}, {self.split}, films=uint8[{shape}])"
        )
