"""Distance in latent space between what is imagined and the goal."""

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from monde.costs.base import BaseCost
from monde.costs.risk import MEAN, Risk
from monde.errors import PlanningError, unknown_name
from monde.types import Goal, LatentGoal, Rollout

Reduce = Literal["sum", "last"]


@dataclass(frozen=True, kw_only=True)
class LatentDistance(BaseCost):
    """Squared distance to the goal's latent, summed over D, averaged over the N tokens of a frame.

    The goal-matching energy of DINO-WM (arXiv 2411.04983, section 3.3) and LeWM (arXiv 2603.19312), there taken at the
    last imagined state. Here it is summed over imagined states by default: under a receding horizon a cost at the last
    state alone is content to arrive H blocks from now for ever, and never arrives.

    Args:
        reduce: Over imagined states: "sum" of all, or the "last" only.
        risk: Over hypotheses.

    Raises:
        PlanningError: An unknown reduction.
    """

    reduce: Reduce = "sum"
    risk: Risk = MEAN

    def __post_init__(self) -> None:
        if self.reduce not in get_args(Reduce):
            raise unknown_name("reduction over imagined states", self.reduce, list(get_args(Reduce)), PlanningError)

    def __call__(self, rollout: Rollout, actions: Float[Tensor, "B S H A"], goal: Goal) -> Float[Tensor, "B S"]:
        """Energy of each action sequence.

        Raises:
            PlanningError: The goal is no LatentGoal, or its latents have another shape than the imagined ones.
        """
        latents = rollout.latents if self.reduce == "sum" else rollout.latents[:, :, :, -1:]
        wanted = goal_latents(latents, goal)
        # vector_norm reduces in one pass; squaring the difference first would make a second tensor of its size.
        distance = torch.linalg.vector_norm(latents - wanted[:, None, None, None], dim=(-2, -1), dtype=torch.float32)
        return self.risk.reduce(distance.square().sum(-1) / latents.shape[4])


def goal_latents(latents: Float[Tensor, "B S K H N D"], goal: Goal) -> Float[Tensor, "B N D"]:
    """The latents [B, N, D] of a goal that fits `latents` [B, S, K, H, N, D].

    Raises:
        PlanningError: Another kind of goal, another shape, or another device.
    """
    if not isinstance(goal, LatentGoal):
        raise PlanningError(
            "a latent distance needs a goal in latent space",
            got=type(goal).__name__,
            expected="LatentGoal",
            remedy="turn pictures and frames into one first (monde.agents.resolve_goal), or use a cost over readouts",
        )
    B, N, D = latents.shape[0], latents.shape[4], latents.shape[5]
    if goal.latents.shape != (B, N, D) or goal.latents.device != latents.device:
        raise PlanningError(
            "the goal does not fit what is imagined",
            got=f"goal [B, N, D] = {list(goal.latents.shape)} on {goal.latents.device}",
            expected=f"{[B, N, D]} on {latents.device}",
            remedy="encode the goal with the model that imagines, one goal for each row",
        )
    return goal.latents
