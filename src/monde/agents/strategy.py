"""How an agent finds its actions: a planner, the cost that it searches under, an actor that proposes, a guide."""

from dataclasses import dataclass

from monde.actors import Actor
from monde.planning import Guide
from monde.protocols import Cost, Planner


@dataclass(frozen=True)
class Strategy:
    """What a planning agent needs beside its model.

    Args:
        planner: Searches.
        cost: Judges imagined futures.
        actor: Proposes first guesses, or none.
        guide: Hands down sub-goals where the goal is further than the planner can see, or none.
    """

    planner: Planner
    cost: Cost
    actor: Actor | None = None
    guide: Guide | None = None
