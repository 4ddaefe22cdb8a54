"""Costs of goals that are told by readouts: bring a readout to a target, or make a predicate true."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from monde.costs.base import BaseCost
from monde.costs.constraint import Readout
from monde.costs.risk import MEAN, Risk
from monde.errors import PlanningError, unknown_name
from monde.types import Goal, PredicateGoal, ReadoutGoal, Rollout
from monde.types.checks import describe


@dataclass(frozen=True, kw_only=True)
class ReadoutDistance(BaseCost):
    """How far a readout is from a `ReadoutGoal`'s target, beyond its tolerance; summed over imagined states.

    Args:
        readouts: By name; the goal names one.
        risk: Over hypotheses.
    """

    readouts: Mapping[str, Readout]
    risk: Risk = MEAN

    def __call__(self, rollout: Rollout, actions: Float[Tensor, "B S H A"], goal: Goal) -> Float[Tensor, "B S"]:
        """Energy of each action sequence, in the readout's unit.

        Raises:
            PlanningError: Another kind of goal, an unknown readout, or a target of another width or number of rows.
        """
        if not isinstance(goal, ReadoutGoal):
            raise _other_goal(type(self).__name__, goal, "ReadoutGoal")
        return self.risk.reduce(readout_miss(self.readouts, rollout.latents, goal).sum(-1))


@dataclass(frozen=True, kw_only=True)
class PredicateMiss(BaseCost):
    """Share of the imagined states in which a `PredicateGoal` does not hold.

    It is flat where no sequence makes the predicate true: search wide, or with a latent goal that an actor can follow
    (`monde.agents.GoalFinder`).

    Args:
        readouts: By name; the goal names some.
        risk: Over hypotheses.
    """

    readouts: Mapping[str, Readout]
    risk: Risk = MEAN

    def __call__(self, rollout: Rollout, actions: Float[Tensor, "B S H A"], goal: Goal) -> Float[Tensor, "B S"]:
        """Energy of each action sequence, 0 to 1.

        Raises:
            PlanningError: Another kind of goal, an unknown readout, or a predicate that gives no truth of each state.
        """
        if not isinstance(goal, PredicateGoal):
            raise _other_goal(type(self).__name__, goal, "PredicateGoal")
        holds = predicate_holds(self.readouts, rollout.latents, goal)
        return self.risk.reduce(1 - holds.float().mean(-1))


def readout_miss(
    readouts: Mapping[str, Readout], latents: Float[Tensor, "B *batch N D"], goal: ReadoutGoal
) -> Float[Tensor, "B *batch"]:
    """How far the readout at some latents, one row of the goal's each, lies beyond the tolerance of the target; 0 where
    the goal is reached.

    Raises:
        PlanningError: An unknown readout, or a target of another width or number of rows.
    """
    values = _read(readouts, goal.readout, latents)
    target = goal.target.to(values)
    if len(target) != len(latents) or target.shape[1] != values.shape[-1]:
        raise PlanningError(
            f"the target does not fit readout {goal.readout!r}",
            got=f"[B, n] = {list(target.shape)}",
            expected=[len(latents), values.shape[-1]],
            remedy="give one target for each row, with a number for each component",
        )
    wanted = target.reshape(len(target), *[1] * (values.ndim - 2), -1)
    return (torch.linalg.vector_norm(values - wanted, dim=-1) - goal.tolerance).clamp_min(0)


def predicate_holds(
    readouts: Mapping[str, Readout], latents: Float[Tensor, "*batch N D"], goal: PredicateGoal
) -> Bool[Tensor, "*batch"]:
    """Whether the predicate holds at each of some latents.

    Raises:
        PlanningError: An unknown readout, or a predicate that gives no truth of each state.
    """
    truth: object = goal.holds(*(_read(readouts, name, latents) for name in goal.readouts))
    if not isinstance(truth, Tensor) or truth.dtype != torch.bool or truth.shape != latents.shape[:-2]:
        raise PlanningError(
            f"the predicate {goal.name!r} gives no truth of each state",
            got=describe(truth) if isinstance(truth, Tensor) else type(truth).__name__,
            expected=f"a tensor of bool {list(latents.shape[:-2])}",
            remedy="reduce over the components of the readouts, their last dimension",
        )
    return truth


def _read(readouts: Mapping[str, Readout], name: str, latents: Tensor) -> Tensor:
    if name not in readouts:
        raise unknown_name("readout", name, sorted(readouts), PlanningError)
    return readouts[name](latents)


def _other_goal(owner: str, goal: Goal, wanted: str) -> PlanningError:
    return PlanningError(
        f"{owner} judges another kind of goal",
        got=type(goal).__name__,
        expected=wanted,
        remedy="use LatentDistance or TimeToGoal for goals that are pictures, frames or latents",
    )
