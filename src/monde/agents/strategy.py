"""How an agent finds its actions: a planner, the cost that it searches under, an actor that proposes, a guide."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from monde.actors import Actor
from monde.planning import Guide
from monde.protocols import Cost, Planner, WorldModel
from monde.types import Belief, Forecast, Goal, LatentGoal, Plan


@runtime_checkable
class Forecaster(Protocol):
    """Says how likely a plan is to succeed (`monde.agents.Trust`)."""

    def forecast(self, model: WorldModel, belief: Belief, goal: Goal, plan: Plan) -> Forecast | None:
        """What is expected of each row of `belief` before it acts, or nothing."""
        ...


@runtime_checkable
class Finder(Protocol):
    """Turns goals told by readouts into latent ones (`monde.agents.GoalFinder`)."""

    def find(self, model: WorldModel, belief: Belief, goal: Goal) -> LatentGoal:
        """A latent goal for each row of `belief`."""
        ...


@dataclass(frozen=True)
class Strategy:
    """What a planning agent needs beside its model.

    Args:
        planner: Searches.
        cost: Judges imagined futures.
        actor: Proposes first guesses, or none.
        guide: Hands down sub-goals where the goal is further than the planner can see, or none.
        trust: Says how likely its plans are to succeed, or none.
        finder: Turns goals told by readouts into latent ones, or none where the cost judges readouts itself.
    """

    planner: Planner
    cost: Cost
    actor: Actor | None = None
    guide: Guide | None = None
    trust: Forecaster | None = None
    finder: Finder | None = None
