"""Regions that must not be entered, on the way between imagined states either."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from monde.costs.constraint import Constraint
from monde.errors import PlanningError
from monde.types import Goal, Rollout

PARALLEL = 1e-9
"""A stretch shorter than this along an axis counts as parallel to the faces across it."""


@dataclass(frozen=True, kw_only=True)
class KeepOut(Constraint):
    """Keeps a readout (a position) out of a ball or a box; the amount of violation is the depth of entry, in the
    readout's unit, summed over the blocks that enter.

    Between imagined states the readout is taken to move straight: a block moves far, and two states outside may have
    the region between them. The first stretch begins at the present, which is known where a `Problem` was posed by
    `monde.planning.pose`; elsewhere the first imagined state is judged alone.

    Args:
        centre: Of the region; one number for each component of the readout.
        radius: Of the ball, or none for a box.
        half_sides: Of the box, from its centre to its faces, or empty for a ball.
        margin: How far from the region the readout must stay, for errors of model and readout.

    Raises:
        PlanningError: A region that is empty, not finite, or both ball and box.
    """

    centre: tuple[float, ...]
    radius: float | None = None
    half_sides: tuple[float, ...] = ()
    margin: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.radius is None) == (not self.half_sides):
            raise PlanningError("KeepOut is a ball or a box", got="both or neither", expected="radius or half_sides")
        sides = self.half_sides or (self.radius or 0.0,) * len(self.centre)
        if len(sides) != len(self.centre) or not self.centre:
            raise PlanningError(
                "KeepOut has a centre and sides of unequal number", got=f"{len(self.centre)} and {len(sides)}"
            )
        if not all(math.isfinite(place) for place in self.centre):
            raise PlanningError("KeepOut.centre is not finite", got=self.centre, expected="finite numbers")
        if not all(0 < side < math.inf for side in sides):
            raise PlanningError("KeepOut has an unusable size", got=sides, expected="finite and > 0")
        if not 0 <= self.margin < math.inf:
            raise PlanningError("KeepOut.margin is unusable", got=self.margin, expected="finite and ≥ 0")

    def __call__(self, rollout: Rollout, actions: Float[Tensor, "B S H A"], goal: Goal) -> Float[Tensor, "B S"]:
        """Energy of each action sequence, whatever the goal.

        Raises:
            PlanningError: A readout of another width than the centre.
        """
        values, start = self.values(rollout, len(self.centre))
        ends = values - values.new_tensor(self.centre)
        if start is None:
            first = ends[:, :, :, :1]
        else:
            first = (start - values.new_tensor(self.centre))[:, None, None, None].expand_as(ends[:, :, :, :1])
        begins = torch.cat([first, ends[:, :, :, :-1]], 3)
        entered = self._ball(begins, ends) if self.radius is not None else self._box(begins, ends)
        return self.energy(entered)

    def _ball(self, begins: Tensor, ends: Tensor) -> Float[Tensor, "B S K H"]:
        """Depth at the point of each stretch that is nearest to the centre."""
        way = ends - begins
        share = -(begins * way).sum(-1) / way.square().sum(-1).clamp_min(PARALLEL**2)
        nearest = begins + share.clamp(0, 1)[..., None] * way
        return ((self.radius or 0.0) + self.margin - torch.linalg.vector_norm(nearest, dim=-1)).clamp_min(0)

    def _box(self, begins: Tensor, ends: Tensor) -> Float[Tensor, "B S K H"]:
        """Depth below the nearest face, in the middle of the part of each stretch that lies inside (slab method, Kay
        and Kajiya 1986)."""
        sides = begins.new_tensor(self.half_sides) + self.margin
        way = ends - begins
        way = torch.where(way.abs() < PARALLEL, PARALLEL, way)
        one, other = (-sides - begins) / way, (sides - begins) / way
        enter = torch.minimum(one, other).amax(-1).clamp(0, 1)
        leave = torch.maximum(one, other).amin(-1).clamp(0, 1)
        middle = begins + ((enter + leave) / 2)[..., None] * way
        depth = (sides - middle.abs()).amin(-1).clamp_min(0)
        return torch.where(enter > leave, torch.zeros_like(depth), depth)
