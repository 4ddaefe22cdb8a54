"""From a world model, a belief, a cost and a goal to the `Problem` that a planner solves."""

from torch import Tensor

from monde.protocols import Cost, Imagines
from monde.types import Belief, Goal, Problem, Rollout
from monde.types.plans import Propose, RolloutFrom


def pose(
    model: Imagines, belief: Belief, cost: Cost, goal: Goal, hypotheses: int = 1, propose: Propose | None = None
) -> Problem:
    """One planning problem for each row of `belief`.

    The history is in the belief and is not encoded again, whatever a planner asks for.

    Args:
        model: Imagines.
        belief: What is known now, B rows.
        cost: Judges imagined futures against `goal`.
        goal: What is wanted, in a form that `cost` reads; B rows.
        hypotheses: Futures imagined for each action sequence.
        propose: Optional source of good first guesses.
    """

    def imagine(actions: Tensor) -> Rollout:
        rollout = model.imagine(belief, actions, hypotheses)
        return RolloutFrom(rollout.latents, rollout.beliefs, belief.newest)

    def energy(rollout: Rollout, actions: Tensor) -> Tensor:
        return cost(rollout, actions, goal)

    return Problem(imagine, energy, model.actions, belief.batch, propose, (id(model), id(cost), hypotheses))
