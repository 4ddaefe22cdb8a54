"""Beliefs that outlive a question: kept under a handle, or handed out as values."""

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
import torch

from monde.errors import ContractError, UsageError
from monde.limits import MAX_KEPT_BELIEFS
from monde.mind.requests import Keep
from monde.mind.values import AnyBelief, BeliefHandle, BeliefValue
from monde.types import Belief


@dataclass(frozen=True)
class Held:
    """A belief of one row, and how far it was imagined.

    Args:
        belief: B = 1.
        imagined_blocks: Action blocks since the last thing that was seen.
    """

    belief: Belief
    imagined_blocks: int = 0


class Beliefs:
    """The beliefs of one Mind. Handles cannot be guessed: whoever was not given one cannot read it. Any thread may ask.

    Args:
        of: Hash of the weights that they belong to.
        device: Where the model is.
        like: A belief of that model, to compare the shapes of values with; none to take them as they are.
        most: Beliefs kept; those used least lately are forgotten.
    """

    def __init__(self, of: str, device: torch.device, like: Belief | None = None, most: int = MAX_KEPT_BELIEFS) -> None:
        self._of, self._device, self._like, self._most = of, device, like, most
        self._kept: OrderedDict[str, Held] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, held: Held, how: Keep) -> AnyBelief:
        """As a handle, or as a value that is not kept here."""
        if how == "value":
            return self._value(held)
        name = secrets.token_hex(12)
        with self._lock:
            self._kept[name] = held
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return BeliefHandle(
            id=name,
            time_seconds=float(held.belief.times_seconds[0]),
            imagined_blocks=held.imagined_blocks,
        )

    def find(self, named: AnyBelief) -> Held:
        """The belief that a handle names or that a value is.

        Raises:
            UsageError: A handle that is not known (any more).
            ContractError: A value of another model, or whose parts do not line up.
        """
        if isinstance(named, BeliefValue):
            return self._held(named)
        with self._lock:
            held = self._kept.get(named.id)
            if held is not None:
                self._kept.move_to_end(named.id)
        if held is None:
            raise UsageError(
                "there is no such belief",
                got=repr(named.id[:40]),
                expected=f"the handle of one of the last {self._most} that this mind was asked to keep",
                remedy="perceive again",
            )
        return held

    def forget(self, named: BeliefHandle) -> None:
        """Free what a handle names; nothing happens where it is not known."""
        with self._lock:
            self._kept.pop(named.id, None)

    def __len__(self) -> int:
        return len(self._kept)

    def _value(self, held: Held) -> BeliefValue:
        belief = held.belief
        return BeliefValue(
            latents=belief.latents[0].float().cpu().numpy(),
            valid=belief.valid[0].cpu().numpy(),
            memory=tuple(part[0].float().cpu().numpy() for part in belief.memory),
            time_seconds=float(belief.times_seconds[0]),
            of=self._of,
            imagined_blocks=held.imagined_blocks,
        )

    def _held(self, value: BeliefValue) -> Held:
        if value.of != self._of:
            raise ContractError(
                "this belief is of another model",
                got=f"weights {value.of[:16]}…",
                expected=f"{self._of[:16]}…",
                remedy="perceive again with this run",
            )
        arrays = (value.latents, *value.memory)
        if not all(np.isfinite(array).all() for array in arrays):
            raise ContractError("this belief is not finite", expected="what a Mind handed out")
        shapes = [array.shape for array in (value.latents, value.valid, *value.memory)]
        wanted = shapes if self._like is None else _shapes(self._like)
        if shapes != wanted:
            raise ContractError("this belief does not fit the model", got=shapes, expected=wanted)
        belief = Belief(
            torch.from_numpy(value.latents)[None],
            torch.from_numpy(value.valid)[None],
            tuple(torch.from_numpy(part)[None] for part in value.memory),
            torch.tensor([value.time_seconds], dtype=torch.float64),
        )
        return Held(belief.to(self._device), value.imagined_blocks)


def _shapes(belief: Belief) -> list[tuple[int, ...]]:
    return [tuple(part.shape[1:]) for part in (belief.latents, belief.valid, *belief.memory)]
