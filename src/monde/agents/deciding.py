"""One decision: where to go next, if a guide leads, and the plan that leads there."""

from dataclasses import replace
from time import perf_counter

from torch import Generator, Tensor

from monde.actors import proposal
from monde.agents.strategy import Strategy
from monde.planning import Journey, Lead, latent_goal, pose
from monde.protocols import WorldModel
from monde.types import Belief, Goal, Plan


def decide(
    model: WorldModel,
    strategy: Strategy,
    belief: Belief,
    goal: Goal,
    generator: Generator,
    *,
    journey: Journey | None = None,
    rows: Tensor | None = None,
    hypotheses: int = 1,
    deadline_seconds: float | None = None,
    warm_start: Tensor | None = None,
) -> tuple[Plan, Lead | None]:
    """Plan once for each row of a belief.

    Args:
        model: Imagines.
        strategy: How.
        belief: What is known now, R rows.
        goal: What is wanted in the end, R rows.
        generator: Source of noise.
        journey: What the strategy's guide remembers of these episodes, if it has one.
        rows: [R] their numbers in the journey.
        hypotheses: Futures imagined for each action sequence.
        deadline_seconds: Wall time allowed for guide and planner together, or none.
        warm_start: [R, H, A] what is left of the last plan.

    Returns:
        The plan, its seconds those of the guide too; and where the guide led, if there is one.

    Raises:
        PlanningError: A goal that the guide or the planner cannot take, or whatever they raise.
    """
    began = perf_counter()
    lead = None
    if journey is not None and rows is not None:
        lead = journey.lead(belief, latent_goal(goal), rows, generator)
        goal = lead.goal
    actor = strategy.actor
    propose = None if actor is None else proposal(model, actor, belief, goal)
    problem = pose(model, belief, strategy.cost, goal, hypotheses, propose)
    spent = perf_counter() - began
    left = None if deadline_seconds is None else max(0.0, deadline_seconds - spent)
    plan = strategy.planner.plan(problem, generator, left, warm_start)
    return (plan if lead is None else replace(plan, seconds=plan.seconds + spent)), lead
