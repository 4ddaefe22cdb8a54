"""How an agent finds its actions: a planner, the cost that it searches under, and an actor that proposes."""

from dataclasses import dataclass

from monde.actors import Actor
from monde.protocols import Cost, Planner


@dataclass(frozen=True)
class Strategy:
    """What a planning agent needs beside its model.

    Args:
        planner: Searches.
        cost: Judges imagined futures.
        actor: Proposes first guesses, or none.
    """

    planner: Planner
    cost: Cost
    actor: Actor | None = None
