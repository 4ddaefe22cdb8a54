"""When what happens in a film of a pair, by its grade; and the dice that everything else is thrown with."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

Grade = Literal["easy", "hidden", "long-hidden"]
GRADES: tuple[Grade, ...] = get_args(Grade)

RATE_HZ = 20.0
"""Frames a second of all pairs."""

HIDDEN_FRAMES = {"easy": 1, "hidden": 6, "long-hidden": 20}
"""Frames, at least, over which what matters is out of sight: at 20 Hz, one frame, 0.3 s and 1 s."""

SEEN_FRAMES = 5
"""Frames, at least, that what matters is in view before it is hidden, and after."""

RISE_FRAMES = 3
"""Frames a screen takes to rise."""

SINK_FRAMES = 6
"""Frames it takes to sink. Slower than it rises, so that the greatest change in a film is the same in every film that
shares its first half."""


@dataclass(frozen=True)
class Span:
    """Frames `start` to `stop` (exclusive)."""

    start: int
    stop: int

    @property
    def frames(self) -> int:
        """How many."""
        return self.stop - self.start


@dataclass(frozen=True, kw_only=True)
class Dice:
    """What a design throws.

    Args:
        generator: Of one set alone.
        grade: How the event is shown.
    """

    generator: np.random.Generator
    grade: Grade

    def uniform(self, low: float, high: float) -> float:
        """A number between."""
        return float(self.generator.uniform(low, high))

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return int(self.generator.integers(low, high + 1))

    def chance(self, probability: float) -> bool:
        """Whether it happens."""
        return bool(self.generator.uniform() < probability)


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """When what happens.

    Args:
        frames: T.
        cut: Frame after which the other film goes on.
        up: While the screen is whole; none if the event is in view.
        blink: Frame at which the light goes out, or none.
    """

    frames: int
    cut: int
    up: Span | None = None
    blink: int | None = None

    @property
    def seen(self) -> tuple[Span, Span]:
        """Frames before and after the event in which what matters has to be in view."""
        if self.up is None:
            return Span(max(0, self.cut - 8), self.cut), Span(self.cut + 1, self.cut + 9)
        before = self.up.start - RISE_FRAMES
        after = self.up.stop + SINK_FRAMES
        return Span(max(0, before - 8), before), Span(after, min(self.frames, after + 8))


def timeline(dice: Dice, *, blink_at_cut: bool) -> Timeline:
    """When it happens, by the grade.

    In an easy film the light goes out for a moment, at the cut itself if the films do not look the same there, else
    some time before. That moment is the greatest change of any film and lies in its first part, so that the greatest
    change tells nothing of what comes after.
    """
    if dice.grade == "easy":
        cut = dice.between(13, 17)
        return Timeline(frames=32, cut=cut, blink=cut if blink_at_cut else dice.between(1, cut - 9))
    frames, shortest, longest = (40, 3, 5) if dice.grade == "hidden" else (56, 10, 12)
    cut = dice.between(frames // 2 - 3, frames // 2)
    up = Span(cut - dice.between(shortest, longest), cut + 1 + dice.between(shortest, longest))
    return Timeline(frames=frames, cut=cut, up=up)
