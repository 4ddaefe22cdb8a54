"""Words of tokens: everything that a token corner reads or foretells is a whole number of a finite vocabulary.

A word is a row of tokens, one for each field (a place's x, its y, a code of a picture, …); 0 is nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64, Int, Shaped
from torch import Tensor

from monde.errors import ContractError

PER_PIXEL = 4
"""Bins of a place in one px."""

SIDE_BINS = 64 * PER_PIXEL
"""Of a picture's side."""

PLACE = SIDE_BINS + 1
"""Tokens of a coordinate, nothing among them."""

LEFT_OUT = -1
"""A target that is not asked."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """One place of a word.

    Args:
        size: Tokens it can hold, nothing among them.
        ordered: Whether neighbouring tokens mean nearly the same: their first embeddings are alike.
        stage: Stage of the codebook whose codes it holds, or -1.
    """

    size: int
    ordered: bool = False
    stage: int = -1


@dataclass(frozen=True, kw_only=True, eq=False)
class Words:
    """A batch of sentences: what is known, what is asked, and what it turned out to be.

    Args:
        context: [B, C, F] words that are known.
        asked: [B, N, F] words that ask.
        target: [B, N, M] tokens asked for, `LEFT_OUT` where none is.

    Raises:
        ContractError: Shapes that do not fit together.
    """

    context: Int[Tensor, "B C F"]
    asked: Int[Tensor, "B N F"]
    target: Int[Tensor, "B N M"]

    def __post_init__(self) -> None:
        shapes = [tuple(part.shape) for part in (self.context, self.asked, self.target)]
        same = shapes[0][0] == shapes[1][0] == shapes[2][0]
        if not same or shapes[0][2] != shapes[1][2] or shapes[1][1] != shapes[2][1]:
            raise ContractError("these words do not fit together", got=shapes, expected="[B,C,F], [B,N,F], [B,N,M]")

    def __len__(self) -> int:
        return len(self.context)

    def take(self, rows: Int[Tensor, " n"] | slice) -> "Words":
        """Some of the sentences."""
        return Words(context=self.context[rows], asked=self.asked[rows], target=self.target[rows])

    def put(self, target: Int[Tensor, "B N M"]) -> "Words":
        """The same questions with other answers."""
        return Words(context=self.context, asked=self.asked, target=target)

    def on(self, device: torch.device) -> "Words":
        """As int64 on a device."""
        parts = [part.to(device, torch.int64) for part in (self.context, self.asked, self.target)]
        return Words(context=parts[0], asked=parts[1], target=parts[2])

    @classmethod
    def of(
        cls,
        context: Int[np.ndarray, "B C F"],
        asked: Int[np.ndarray, "B N F"],
        target: Int[np.ndarray, "B N M"],
    ) -> "Words":
        """From arrays, kept as int16."""
        parts = [torch.from_numpy(np.ascontiguousarray(part, dtype=np.int16)) for part in (context, asked, target)]
        return cls(context=parts[0], asked=parts[1], target=parts[2])

    @classmethod
    def joined(cls, many: Sequence["Words"]) -> "Words":
        """All sentences of several batches."""
        return cls(
            context=torch.cat([one.context for one in many]),
            asked=torch.cat([one.asked for one in many]),
            target=torch.cat([one.target for one in many]),
        )


def bins(values: Shaped[np.ndarray, "..."], low: float, per_unit: float, size: int) -> Int[np.ndarray, "..."]:
    """Tokens 1 to size - 1 of numbers from `low` on, clipped."""
    return np.clip(np.rint((values - low) * per_unit), 0, size - 2).astype(np.int64) + 1


def places(values: Shaped[np.ndarray, "..."]) -> Int[np.ndarray, "..."]:
    """Tokens of places, px."""
    return bins(values, 0.0, PER_PIXEL, PLACE)


def pixels(tokens: Int[np.ndarray, "..."]) -> Float64[np.ndarray, "..."]:
    """Places of tokens, px."""
    return (np.maximum(tokens, 1) - 1) / PER_PIXEL


def waves(size: int) -> Float[Tensor, "size w"]:
    """Sines and cosines of a token's rank, halving in weight as they double in pitch: neighbours are alike."""
    rank = torch.arange(size, dtype=torch.float32)[:, None] / size
    pitch = 2.0 ** torch.arange(-1, max(1, int(np.log2(size)) - 1))
    turns = 2 * torch.pi * rank * pitch
    weight = pitch.clamp(min=1.0) ** -0.4
    found = torch.cat([turns.sin() * weight, turns.cos() * weight], dim=1)
    return found * (found.shape[1] / (found**2).sum(dim=1).mean()) ** 0.5
