"""How long evaluations take, as far as they were measured: what a deadline is kept by."""

from collections.abc import Hashable
from dataclasses import dataclass, replace

GROWTH = 8
"""How many times as large as the largest before it an evaluation may be."""

MAX_PACES = 256
"""Kinds of problems that a planner remembers the pace of."""


@dataclass
class Pace:
    """Seconds of an evaluation as a function of the sequences of each row in it.

    Between one sequence and the largest evaluation so far time is taken to grow evenly; beyond that, in proportion,
    which is more than it does as long as a call has fixed costs.

    Args:
        one: Seconds of one sequence.
        most: Sequences of the largest evaluation.
        seconds: Seconds of that.
        measured: Sequences of the largest evaluation of this plan; 0 before the first.
    """

    one: float
    most: int
    seconds: float
    measured: int = 0

    def expected(self, count: int) -> float:
        """Seconds that `count` sequences should take."""
        if count >= self.most:
            return self.seconds * count / self.most
        low = min(self.one, self.seconds)
        return low + (self.seconds - low) * (count - 1) / (self.most - 1)

    def affordable(self, seconds: float) -> int:
        """The most sequences that should take no longer than `seconds`, at most `GROWTH` × the most so far; or 0."""
        low = min(self.one, self.seconds)
        if seconds <= 0 or seconds < low:
            return 0
        if seconds >= self.seconds:
            return int(self.most * min(GROWTH, seconds / max(self.seconds, 1e-9)))
        return 1 + int((self.most - 1) * (seconds - low) / (self.seconds - low))

    def measure(self, count: int, seconds: float) -> None:
        """Learn that `count` sequences took `seconds`."""
        if count >= self.measured:
            # What this plan measured replaces what the last one did: a stall is forgotten as soon as it is over.
            self.measured = self.most = count
            self.seconds = seconds
            return
        slower = seconds / max(self.expected(count), 1e-9)
        if slower > 1:
            self.one, self.seconds = slower * self.one, slower * self.seconds


class Paces:
    """What a planner remembers of its last plans: paces by kind of problem.

    It matters under deadlines only: the first plan has to feel its way from one sequence, the next ones know how large
    an evaluation can be.
    """

    def __init__(self) -> None:
        self._known: dict[Hashable, Pace] = {}

    def recall(self, kind: Hashable, one: float) -> Pace:
        """The pace of this kind, if one sequence took `one` seconds just now: slower than then is slower throughout."""
        known = self._known.get(kind)
        if known is None:
            return Pace(one, 1, one)
        slower = max(1.0, one / max(known.one, 1e-9))
        return replace(known, one=one, seconds=known.seconds * slower, measured=0)

    def keep(self, kind: Hashable, pace: Pace) -> None:
        """Remember it for the next plan, if this one measured anything."""
        if not pace.measured:
            return
        if len(self._known) >= MAX_PACES:
            self._known.clear()
        self._known[kind] = pace
