"""What an agent may do, and how a model is told of it."""

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor

from monde.errors import ContractError
from monde.limits import MAX_ACTION_WIDTH, MAX_BLOCK
from monde.types.checks import describe


@dataclass(frozen=True, kw_only=True)
class ActionSpec:
    """A box or a finite set of actions, taken in blocks of `block` control steps.

    A model and a planner see one *block* as one vector of `width` numbers: the control steps one after another
    (box), or one one-hot vector per control step (discrete). A world sees control steps, [n, dim].

    Args:
        low: Lower bound of each of the `dim` components (box), or empty (discrete).
        high: Upper bounds, likewise.
        choices: Number of discrete actions, or 0 for a box.
        block: Control steps in one block.
        unactuated: Nobody acts, or nobody wrote down how: blocks have no numbers, and time is all that passes.
        dt_seconds: Duration of one control step.
        names: One name per component, or empty.

    Raises:
        ContractError: Bounds that are reversed, infinite, NaN or of unequal number; a block or width out of limits.
    """

    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    choices: int = 0
    unactuated: bool = False
    block: int = 1
    dt_seconds: float
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # A specification is a key (of its bounds as tensors, of what planners remember): lists would not do.
        for name in ("low", "high", "names"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if bool(self.low) + bool(self.choices) + self.unactuated != 1:
            raise ContractError(
                "ActionSpec must be a box or a discrete set, or unactuated",
                got=f"{len(self.low)} bounds and {self.choices} choices{', unactuated' if self.unactuated else ''}",
                expected="bounds, or at least two choices, or neither and unactuated=True",
            )
        if self.choices == 1 or self.choices < 0:
            raise ContractError("ActionSpec needs a choice to make", got=self.choices, expected="at least 2 choices")
        if len(self.low) != len(self.high):
            raise ContractError("ActionSpec bounds differ in number", got=f"{len(self.low)} low, {len(self.high)} high")
        for index, (low, high) in enumerate(zip(self.low, self.high, strict=True)):
            if not (math.isfinite(low) and math.isfinite(high) and low < high):
                raise ContractError(
                    f"ActionSpec component {index} has unusable bounds",
                    got=f"{low} to {high}",
                    expected="finite bounds with low < high",
                    remedy="give the range that the actuator really accepts",
                )
        if not 1 <= self.block <= MAX_BLOCK:
            raise ContractError("ActionSpec block is out of limits", got=self.block, expected=f"1 to {MAX_BLOCK}")
        if not 0 < self.dt_seconds < math.inf:
            raise ContractError("ActionSpec needs a duration", got=self.dt_seconds, expected="dt_seconds > 0")
        if self.width > MAX_ACTION_WIDTH:
            raise ContractError("ActionSpec is too wide", got=self.width, expected=f"at most {MAX_ACTION_WIDTH}")

    @property
    def discrete(self) -> bool:
        """Whether actions are chosen from a finite set."""
        return self.choices > 0

    @property
    def dim(self) -> int:
        """Numbers in one control step as the model sees it (choices, if discrete)."""
        return self.choices or len(self.low)

    @property
    def rest(self) -> tuple[float, ...]:
        """A control step that asks for nothing: 0, or the bound nearest to it; the first choice, if discrete."""
        if self.discrete:
            return tuple(float(index == 0) for index in range(self.choices))
        return tuple(min(max(0.0, low), high) for low, high in zip(self.low, self.high, strict=True))

    @property
    def width(self) -> int:
        """Numbers in one block as the model and the planner see it: block × dim."""
        return self.block * self.dim

    @property
    def block_seconds(self) -> float:
        """Duration of one block."""
        return self.block * self.dt_seconds

    def with_block(self, block: int) -> Self:
        """The same actions in blocks of another length."""
        return replace(self, block=block)

    def bounds(self, device: torch.device | str = "cpu") -> tuple[Float[Tensor, " A"], Float[Tensor, " A"]]:
        """Lower and upper bound of each of a block's numbers (0 and 1 if discrete); they are shared: only read."""
        return _bounds(self, torch.device(device))

    def to_blocks(self, controls: Tensor) -> Tensor:
        """Control steps [..., block·n, dim] as n blocks [..., n, width]."""
        *lead, steps, dim = controls.shape
        if dim != self.dim or steps % self.block:
            raise ContractError(
                "these control steps do not make whole blocks",
                got=describe(controls),
                expected=f"[..., a multiple of {self.block}, {self.dim}]",
            )
        return controls.reshape(*lead, steps // self.block, self.width)

    def to_controls(self, blocks: Tensor) -> Tensor:
        """Blocks [..., n, width] as control steps [..., n·block, dim]."""
        *lead, n, width = blocks.shape
        if width != self.width:
            raise ContractError(
                "these action blocks have the wrong width",
                got=describe(blocks),
                expected=f"{self.width} = {self.block} steps × {self.dim}",
            )
        return blocks.reshape(*lead, n * self.block, self.dim)

    def check(self, blocks: Tensor, tolerance: float = 1e-4) -> None:
        """Refuse action blocks [..., width] that are of the wrong width, not finite, or out of bounds."""
        if blocks.ndim == 0 or blocks.shape[-1] != self.width:
            raise ContractError(
                "actions have the wrong width",
                got=describe(blocks),
                expected=f"[..., {self.width}] = {self.block} control steps × {self.dim}",
                remedy="actions of a model are whole blocks; ActionSpec.to_blocks makes them from control steps",
            )
        if not bool(torch.isfinite(blocks).all()):
            raise ContractError("actions are not finite", got=describe(blocks), expected="finite numbers")
        low, high = self.bounds(blocks.device)
        slack = tolerance * (high - low)
        if bool(((blocks < low - slack) | (blocks > high + slack)).any()):
            raise ContractError(
                "actions are out of bounds",
                got=describe(blocks),
                expected=f"{low.min().item():g} to {high.max().item():g}",
                remedy="clip them to the bounds of the ActionSpec, or record the bounds that the actuator really has",
            )


@lru_cache(maxsize=64)
def _bounds(spec: ActionSpec, device: torch.device) -> tuple[Tensor, Tensor]:
    """Planners ask for these several times a plan: made once, and usable under autograd whoever asked first."""
    low = spec.low or (0.0,) * spec.choices
    high = spec.high or (1.0,) * spec.choices
    with torch.inference_mode(False):
        return (
            torch.tensor(low * spec.block, dtype=torch.float32, device=device),
            torch.tensor(high * spec.block, dtype=torch.float32, device=device),
        )
