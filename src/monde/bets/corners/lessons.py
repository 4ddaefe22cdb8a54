"""What a corner is taught with, the same for all four, and what that took: compute is counted in FLOPs."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from monde.errors import UsageError
from monde.store import read_json, write_json
from monde.store.typed import from_json, to_json

R = TypeVar("R")
Progress = Callable[[str], None]
"""Told what is being done."""

TAUGHT = "taught.json"
FILMS_SHARE = 0.6
"""Share of a corner's compute that its model of films takes; the rest is its model's of acting."""


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """One teaching of a corner.

    Args:
        flops: Floating-point operations of all training, both models and all their parts together (a multiplication and
            an addition are two).
        rate: Times the corner's usual learning rate.
        episodes: Learn from so many episodes of each recording, the first ones; 0 takes all.
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
class Taught:
    """What a teaching took.

    Args:
        lesson: As it was asked for.
        flops: Spent, by what they were spent on.
        steps: Optimiser steps, likewise.
        cpu_seconds: Processor time of all of it, data included.
    """

    lesson: Lesson
    flops: Mapping[str, float]
    steps: Mapping[str, int]
    cpu_seconds: float

    @property
    def total(self) -> float:
        """All FLOPs."""
        return sum(self.flops.values())

    def save(self, folder: Path) -> None:
        """Beside the corner's weights."""
        write_json(folder / TAUGHT, {"taught": to_json(self)})

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
