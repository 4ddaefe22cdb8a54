"""What a corner is taught with, the same for all four, and what that took: compute is counted in FLOPs."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from monde.bets.corners.episodes import Episodes
from monde.data import open_recording
from monde.errors import UsageError
from monde.store import read_json, write_json
from monde.store.typed import from_json, to_json

R = TypeVar("R")
Progress = Callable[[str], None]
"""Told what is being done."""

TAUGHT = "taught.json"
"""File in a corner's folder: what its teaching took."""

FILMS_SHARE = 0.6
"""Share of a corner's compute that its model of films takes; the rest is its model's of acting."""


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """One teaching of a corner.

    Args:
        flops: Floating-point operations of all training, both models and all their parts together (a multiplication and
            an addition are two).
        rate: Times the corner's usual learning rate.
        episodes: Learn from so many episodes of each recording, or from all where there are fewer; 0 takes all.
        seed: Of weights and batches.

    Raises:
        UsageError: No compute, or a negative number.
    """

    flops: float
    rate: float = 1.0
    episodes: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if not (self.flops > 0 and self.rate > 0 and self.episodes >= 0):
            raise UsageError("this lesson teaches nothing", got=self, expected="flops and rate > 0, episodes ≥ 0")


@dataclass(frozen=True, kw_only=True)
class Data:
    """What the recordings were that a corner learned from.

    Args:
        films: How many there were.
        walks: Episodes of acting, likewise.
        films_hash: Fingerprint of the recording of films.
        walks_hash: Fingerprint of that of acting.
    """

    films: int
    walks: int
    films_hash: str
    walks_hash: str

    @classmethod
    def of(cls, episodes: Episodes) -> "Data":
        """What they are now.

        Raises:
            DataError: A recording is missing or malformed.
        """
        films, acting = open_recording(episodes.films), open_recording(episodes.acting)
        return cls(
            films=len(films.lengths),
            walks=len(acting.lengths),
            films_hash=films.fingerprint,
            walks_hash=acting.fingerprint,
        )

    def __str__(self) -> str:
        return f"{self.films} films ({self.films_hash[:12]}), {self.walks} walks ({self.walks_hash[:12]})"


@dataclass(frozen=True, kw_only=True)
class Taught:
    """What a teaching took.

    Args:
        lesson: As it was asked for.
        flops: Spent, by what they were spent on.
        steps: Optimiser steps, likewise.
        cpu_seconds: Processor time of all of it, data included.
        data: What it learned from; none where it was taught before that was written down.
    """

    lesson: Lesson
    flops: Mapping[str, float]
    steps: Mapping[str, int]
    cpu_seconds: float
    data: Data | None = None

    @property
    def total(self) -> float:
        """All FLOPs."""
        return sum(self.flops.values())

    def document(self) -> dict[str, object]:
        """As JSON; without `data` where there is none, as it was before that was written down."""
        told = to_json(self)
        assert isinstance(told, dict)
        return {name: value for name, value in told.items() if name != "data" or value is not None}

    def save(self, folder: Path) -> None:
        """Beside the corner's weights."""
        write_json(folder / TAUGHT, {"taught": self.document()})

    @classmethod
    def load(cls, folder: Path) -> "Taught":
        """As it was saved.

        Raises:
            StoreError: Missing or malformed.
        """
        return from_json(cls, read_json(folder / TAUGHT).get("taught"), TAUGHT)


class _Counter(TorchDispatchMode):
    """Adds up FLOPs. Torch's own counter also tracks modules, and fails on those that take a frozen part of a graph."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.flops = 0

    def __torch_dispatch__(
        self,
        func: OpOverload,
        types: object,
        args: tuple[object, ...] = (),
        kwargs: dict[str, object] | None = None,
    ) -> object:
        """Run it, and count it if it is a product."""
        given = kwargs or {}
        result = func(*args, **given)
        formula = flop_registry.get(func.overloadpacket)
        if formula is not None:
            self.flops += formula(*args, **given, out_val=result)
        return result


def counted(run: Callable[[], R]) -> tuple[R, float]:
    """What a function returns, and the FLOPs of all that torch did in it: matrix products, convolutions, attention."""
    with _Counter() as counter:
        result = run()
    return result, float(counter.flops)


class Stopwatch:
    """Processor time since it was made."""

    def __init__(self) -> None:
        self._began = time.process_time()

    @property
    def seconds(self) -> float:
        """So far."""
        return time.process_time() - self._began
