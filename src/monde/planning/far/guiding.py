"""Guides: what leads a planner over distances that it cannot see across, one sub-goal after another.

A guide is asked before every plan where to go next. It answers with a goal in latent space that is near enough for the
planner below it; that planner does not know the difference. A guide may itself be led by another one (levels of time).
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int64
from torch import Generator, Tensor

from monde.errors import PlanningError
from monde.types import Belief, Goal, LatentGoal


class Outcome(IntEnum):
    """What a guide found for one row."""

    WAY = 0
    """A way to the goal, or no need of one."""
    NOTHING_NEAR = 1
    """What is seen now is like nothing that was visited."""
    GOAL_UNKNOWN = 2
    """The goal is like nothing that was visited."""
    NO_WAY = 3
    """Both are known, and no way was found between them."""


FLAT = "flat"


@dataclass(frozen=True, repr=False)
class Lead:
    """Where to go next, for each of R rows.

    Args:
        goal: What to pursue now. Where no way was found it is the goal itself: nothing better is known.
        blocks_left: [R] action blocks of the world to the real goal along the way that was found; +Inf without one.
        outcome: [R] values of `Outcome`.
        by: Who leads each row: "flat" (nobody: the goal itself is pursued), "landmarks", "hierarchical".
        landmarks: Landmarks that a way was sought among; 0 where there are none.
        waypoints: Of each row the landmarks ahead, the next one first; empty where there are none.
    """

    goal: LatentGoal
    blocks_left: Float[Tensor, " R"]
    outcome: Int64[Tensor, " R"]
    by: tuple[str, ...]
    landmarks: int = 0
    waypoints: tuple[tuple[int, ...], ...] = ()

    @property
    def reachable(self) -> Bool[Tensor, " R"]:
        """Whether a way was found, or none was needed."""
        return self.outcome == Outcome.WAY

    def because(self, row: int) -> str | None:
        """Why the goal of a row cannot be reached, as a sentence; none where it can."""
        found = Outcome(int(self.outcome[row]))
        among = f"among {self.landmarks} landmarks"
        if found is Outcome.NOTHING_NEAR:
            return f"cannot be reached, because what is seen is near nothing that was visited ({among})"
        if found is Outcome.GOAL_UNKNOWN:
            return f"cannot be reached, because the goal is near nothing that was visited ({among})"
        if found is Outcome.NO_WAY:
            return f"cannot be reached, because no way leads from what is seen to the goal {among}"
        return None

    def __repr__(self) -> str:
        lost = int((~self.reachable).sum())
        return f"Lead({len(self.by)} rows by {sorted(set(self.by))}, {lost} without a way)"


@runtime_checkable
class Journey(Protocol):
    """A guide's memory of B episodes that run side by side."""

    def lead(self, belief: Belief, goal: LatentGoal, rows: Int64[Tensor, " R"], generator: Generator) -> Lead:
        """Where to go next from `belief` (R rows, which are `rows` of the batch). Called once before every plan."""
        ...


@runtime_checkable
class Guide(Protocol):
    """What hands a planner its sub-goals."""

    @property
    def settings(self) -> dict[str, object]:
        """For protocol cards."""
        ...

    def begin(self, batch: int) -> Journey:
        """A journey of `batch` episodes, none of which has begun."""
        ...


def latent_goal(goal: Goal) -> LatentGoal:
    """The goal, if it is one that a guide can lead to.

    Raises:
        PlanningError: Another kind of goal.
    """
    if not isinstance(goal, LatentGoal):
        raise PlanningError(
            "a way leads to a goal in latent space",
            got=type(goal).__name__,
            expected="LatentGoal",
            remedy="turn pictures and frames into one first (monde.agents.resolve_goal), or plan without a guide",
        )
    return goal


def straight(goal: LatentGoal, blocks_left: Float[Tensor, " R"]) -> Lead:
    """The goal itself."""
    rows = len(goal.latents)
    outcome = torch.full((rows,), int(Outcome.WAY), dtype=torch.int64, device=blocks_left.device)
    return Lead(goal, blocks_left, outcome, (FLAT,) * rows, waypoints=((),) * rows)
