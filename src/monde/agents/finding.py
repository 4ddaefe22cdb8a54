"""From what a readout should say to a latent that an actor can pursue: one that was seen, and that can be got to."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from monde.actors import Actor, ForesightConfig, foresee
from monde.costs.constraint import Readout
from monde.costs.wanted import predicate_holds, readout_miss
from monde.errors import PlanningError
from monde.protocols import WorldModel
from monde.readouts import TemporalDistance
from monde.types import Belief, Goal, LatentGoal, PredicateGoal, ReadoutGoal

MOST_SATISFYING = 4096
"""Latents that satisfy a goal of which the learned time is looked at."""


@dataclass(frozen=True, kw_only=True)
class GoalFinder:
    """Finds, for each row, the latent of a training frame that satisfies a goal and that imagination gets to soonest.

    Half of the candidates are those of least learned time, half those most alike to what is seen (where every episode
    has a layout of its own, the learned time to another layout means nothing). The actor is rolled out towards each.

    Args:
        bank: [M, N, D] latents of training frames.
        readouts: By name.
        actor: Rolled out.
        distance: Learned time to the goal.
        candidates: Latents that are tried, for each row.
        blocks: Action blocks imagined towards each.
    """

    bank: Float[Tensor, "M N D"]
    readouts: Mapping[str, Readout]
    actor: Actor
    distance: TemporalDistance
    candidates: int = 16
    blocks: int = 20

    @torch.no_grad()
    def find(self, model: WorldModel, belief: Belief, goal: Goal) -> LatentGoal:
        """A latent goal for each row of the belief; one that is a latent goal already stays as it is.

        Raises:
            PlanningError: Nothing that was trained on satisfies the goal, or a goal that is no readout's.
        """
        if isinstance(goal, LatentGoal):
            return goal
        if not isinstance(goal, ReadoutGoal | PredicateGoal):
            raise PlanningError(
                "this goal is told by no readout",
                got=type(goal).__name__,
                expected="ReadoutGoal or PredicateGoal",
                remedy="turn pictures and frames into latents with monde.agents.resolve_goal",
            )
        found = [self._row(model, belief.rows(slice(b, b + 1)), goal_row(goal, b)) for b in range(belief.batch)]
        return LatentGoal(torch.cat(found))

    def _row(self, model: WorldModel, belief: Belief, goal: ReadoutGoal | PredicateGoal) -> Float[Tensor, "1 N D"]:
        usable = self.bank[self._satisfying(goal)]
        here = belief.newest
        left = self.distance.distance(here, usable)
        unlike = (usable - here).flatten(1).square().sum(1)
        half = max(1, self.candidates // 2)
        index = torch.cat([_least(left, half), _least(unlike, self.candidates - half)]).unique()
        chosen = usable[index]
        config = ForesightConfig(blocks=self.blocks, draws=1)
        beliefs = belief.map(lambda tensor: tensor.repeat_interleave(len(index), 0))
        states = foresee(model, self.actor, self.distance, beliefs, chosen, config).states[:, 0]
        met = reached(self.readouts, states, _for_rows(goal, len(index)))  # [C, T]
        first = torch.where(met.any(1), met.float().argmax(1), met.shape[1]).float()
        # Where imagination never gets there: the one of least learned time.
        return chosen[(first + left[index] / (1 + self.distance.config.furthest_blocks)).argmin()][None]

    def _satisfying(self, goal: ReadoutGoal | PredicateGoal) -> Int64[Tensor, " m"]:
        if isinstance(goal, PredicateGoal):
            index = predicate_holds(self.readouts, self.bank, goal).nonzero()[:, 0]
            nearest = "it holds nowhere"
        else:
            # Well within, where there are such: the actor arrives beside its goal.
            miss = readout_miss(self.readouts, self.bank[None], replace(goal, tolerance=goal.tolerance / 2))[0]
            within = miss <= 0
            index = (within if bool(within.any()) else miss <= goal.tolerance / 2).nonzero()[:, 0]
            nearest = f"the nearest misses it by {float(miss.amin()) - goal.tolerance / 2:.3g}"
        if not len(index):
            raise PlanningError(
                "nothing that was trained on satisfies the goal",
                got=nearest,
                expected="at least one frame of the recording that does",
                remedy="widen its tolerance, or plan without an actor (--planner cem)",
            )
        if len(index) > MOST_SATISFYING:
            spread = torch.linspace(0, len(index) - 1, MOST_SATISFYING, device=index.device).round().long()
            index = index[spread]
        return index


def reached(
    readouts: Mapping[str, Readout], latents: Float[Tensor, "B *batch N D"], goal: ReadoutGoal | PredicateGoal
) -> Bool[Tensor, "B *batch"]:
    """The success test by readout: whether the goal is reached at each of some latents.

    Raises:
        PlanningError: An unknown readout, or a goal that does not fit it.
    """
    if isinstance(goal, PredicateGoal):
        return predicate_holds(readouts, latents, goal)
    return readout_miss(readouts, latents, goal) <= 0


def goal_row(goal: ReadoutGoal | PredicateGoal, row: int) -> ReadoutGoal | PredicateGoal:
    """The goal of one row of the batch."""
    return goal if isinstance(goal, PredicateGoal) else replace(goal, target=goal.target[row : row + 1])


def _for_rows(goal: ReadoutGoal | PredicateGoal, rows: int) -> ReadoutGoal | PredicateGoal:
    return goal if isinstance(goal, PredicateGoal) else replace(goal, target=goal.target.expand(rows, -1))


def _least(values: Float[Tensor, " m"], count: int) -> Int64[Tensor, " c"]:
    return values.topk(min(count, len(values)), largest=False).indices
