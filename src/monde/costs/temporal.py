"""Time to the goal, as a learned temporal distance tells it."""

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from monde.costs.base import BaseCost
from monde.costs.latent import goal_latents
from monde.costs.risk import MEAN, Risk
from monde.errors import PlanningError, unknown_name
from monde.readouts import TemporalDistance
from monde.types import Goal, Rollout

Arrival = Literal["soonest", "last", "sum"]


@dataclass(frozen=True, kw_only=True)
class TimeToGoal(BaseCost):
    """Action blocks until the goal is reached, if one goes on well after the imagined states.

    Args:
        head: Fitted on the model that imagines.
        reduce: Over imagined states. "soonest": the least of (blocks taken + distance left), so that a sequence which
            reaches the goal early and passes it by is not punished; "last": distance left at the last state; "sum".
        risk: Over hypotheses.

    Raises:
        PlanningError: An unknown reduction.
    """

    head: TemporalDistance
    reduce: Arrival = "soonest"
    risk: Risk = MEAN

    def __post_init__(self) -> None:
        if self.reduce not in get_args(Arrival):
            raise unknown_name("reduction over imagined states", self.reduce, list(get_args(Arrival)), PlanningError)

    def __call__(self, rollout: Rollout, actions: Float[Tensor, "B S H A"], goal: Goal) -> Float[Tensor, "B S"]:
        """Blocks to the goal, for each action sequence.

        Raises:
            PlanningError: The goal is no LatentGoal, or its latents have another shape than the imagined ones.
        """
        wanted = goal_latents(rollout.latents, goal)
        latents = rollout.latents[:, :, :, -1:] if self.reduce == "last" else rollout.latents
        left = self.head.distance(latents, wanted[:, None, None, None])
        if self.reduce == "sum":
            return self.risk.reduce(left.sum(-1))
        H = rollout.latents.shape[3]
        if self.reduce == "last":
            return self.risk.reduce(left[..., 0] + H)
        taken = torch.arange(1, H + 1, device=left.device, dtype=left.dtype)
        return self.risk.reduce((left + taken).amin(-1))

    def __repr__(self) -> str:
        return f"TimeToGoal(reduce={self.reduce!r}, risk={self.risk!r})"
