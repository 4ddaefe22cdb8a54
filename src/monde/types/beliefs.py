"""What a model thinks: `Latents` of what it saw, a `Belief` that carries the history, a `Rollout` of what may come."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor

from monde.errors import ContractError
from monde.types.checks import check_dtype, check_floating, check_leading, check_rank, check_same_device, describe


@dataclass(frozen=True, repr=False)
class Latents:
    """What perception made of an aligned clip.

    Args:
        values: [B, T, N, D]; N = 1, one token a frame, is the default and the fast path.
        times_seconds: [B, T] float64.

    Raises:
        ContractError: Wrong rank, dtype or times that do not line up.
    """

    values: Float[Tensor, "B T N D"]
    times_seconds: Float64[Tensor, "B T"]

    def __post_init__(self) -> None:
        check_rank("Latents", "values", self.values, "B T N D")
        check_floating("Latents", "values", self.values)
        check_dtype("Latents", "times_seconds", self.times_seconds, torch.float64)
        check_leading("Latents", "times_seconds", self.times_seconds, self.values.shape[:2], "B T")
        check_same_device("Latents", {"values": self.values, "times_seconds": self.times_seconds})

    def during(self, steps: slice) -> "Latents":
        """These steps alone."""
        return Latents(self.values[:, steps], self.times_seconds[:, steps])

    def __repr__(self) -> str:
        return f"Latents({describe(self.values)})"


@dataclass(frozen=True, repr=False)
class Belief:
    """What is carried from the history. A hidden object lives here; readouts may read it.

    Args:
        latents: [B, W, N, D] recent latents, newest last; where the history is shorter than W the oldest are padding.
        valid: [B, W]; false where `latents` is padding.
        memory: Whatever else the dynamics carries (cached keys and values, a recurrent state): tensors with leading B.
        times_seconds: [B] float64, time of the newest latent.

    Raises:
        ContractError: Wrong rank or dtype, or tensors that do not line up.
    """

    latents: Float[Tensor, "B W N D"]
    valid: Bool[Tensor, "B W"]
    memory: tuple[Tensor, ...]
    times_seconds: Float64[Tensor, " B"]

    def __post_init__(self) -> None:
        check_rank("Belief", "latents", self.latents, "B W N D")
        check_floating("Belief", "latents", self.latents)
        B, W = self.latents.shape[:2]
        check_leading("Belief", "valid", self.valid, (B, W), "B W")
        check_leading("Belief", "times_seconds", self.times_seconds, (B,), "B")
        for index, tensor in enumerate(self.memory):
            check_leading("Belief", f"memory[{index}]", tensor, (B,), "B")

    @property
    def batch(self) -> int:
        """B."""
        return int(self.latents.shape[0])

    @property
    def newest(self) -> Float[Tensor, "B N D"]:
        """The latent of the last thing seen (or imagined)."""
        return self.latents[:, -1]

    def map(self, function: Callable[[Tensor], Tensor]) -> Self:
        """The belief with `function` applied to every tensor (it must treat the leading B of all alike)."""
        return replace(
            self,
            latents=function(self.latents),
            valid=function(self.valid),
            memory=tuple(function(tensor) for tensor in self.memory),
            times_seconds=function(self.times_seconds),
        )

    def rows(self, index: Tensor | slice) -> Self:
        """The belief of some rows of the batch (an index or mask over B)."""
        return self.map(lambda tensor: tensor[index])

    def to(self, device: torch.device | str) -> Self:
        """The same belief on another device."""
        return self.map(lambda tensor: tensor.to(device))

    def __repr__(self) -> str:
        memory = ", ".join(describe(tensor) for tensor in self.memory) or "none"
        return f"Belief(latents={describe(self.latents)}, memory=({memory}))"


@dataclass(frozen=True, repr=False)
class Rollout:
    """Imagined futures of one belief a row, under several action sequences and hypotheses.

    Args:
        latents: [B, S, K, H, N, D]: S action sequences, K hypotheses about the world, H action blocks.
        beliefs: The belief after the last block, rows in the order (B, S, K) flattened, or none when it was not asked
            for; it can be read by readouts and imagined further.

    Raises:
        ContractError: Wrong rank or dtype, or beliefs of another number.
    """

    latents: Float[Tensor, "B S K H N D"]
    beliefs: Belief | None = None

    def __post_init__(self) -> None:
        check_rank("Rollout", "latents", self.latents, "B S K H N D")
        check_floating("Rollout", "latents", self.latents)
        if self.beliefs is not None:
            B, S, K = self.latents.shape[:3]
            if self.beliefs.batch != B * S * K:
                raise ContractError(
                    "Rollout.beliefs does not line up",
                    got=f"{self.beliefs.batch} rows",
                    expected=f"B·S·K = {B * S * K}",
                )

    def __repr__(self) -> str:
        return f"Rollout({describe(self.latents)})"
