"""Levels of time: the level above plans in its own macro-actions, and hands down where the first of them leads."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from jaxtyping import Int64
from torch import Generator, Tensor

from monde.planning.far.guiding import Guide, Journey, Lead, straight
from monde.planning.far.landmarks import TimeBetween
from monde.planning.pose import pose
from monde.protocols import Cost, Imagines, Planner
from monde.types import Belief, LatentGoal
from monde.types.plans import Propose

NAME = "hierarchical"


@dataclass(frozen=True, kw_only=True)
class LevelStrategy:
    """How one level of time plans.

    Args:
        dynamics: Its own prediction.
        planner: Searches over its macro-actions.
        cost: Judges what it imagines.
        between: Its learned time between two latents, in its macro-actions.
        propose: Its actor: a belief and a goal to first guesses; or none.
        span_blocks: Action blocks of the world in one of its macro-actions.
    """

    dynamics: Imagines
    planner: Planner
    cost: Cost
    between: TimeBetween
    propose: Callable[[Belief, LatentGoal], Propose] | None
    span_blocks: float


class LevelGuide:
    """Solves a `Problem` of its level before each plan of the one below. A third level is a guide of the second.

    Args:
        strategy: How this level plans.
        above: What leads this level, or none.
    """

    def __init__(self, strategy: LevelStrategy, above: Guide | None = None) -> None:
        self.strategy = strategy
        self.above = above

    @property
    def settings(self) -> dict[str, object]:
        """For protocol cards."""
        own = {"guide": NAME, "span_blocks": self.strategy.span_blocks}
        return own | ({} if self.above is None else {"above": dict(self.above.settings)})

    def begin(self, batch: int) -> "LevelJourney":
        """A journey of `batch` episodes, none of which has begun."""
        return LevelJourney(self, batch)


class LevelJourney:
    """See `LevelGuide`. Nothing is remembered but what the level above remembers: every lead is planned anew."""

    def __init__(self, guide: LevelGuide, batch: int) -> None:
        self.guide = guide
        self._above: Journey | None = None if guide.above is None else guide.above.begin(batch)

    @torch.no_grad()
    def lead(self, belief: Belief, goal: LatentGoal, rows: Int64[Tensor, " R"], generator: Generator) -> Lead:
        """Where the best first macro-action leads; the goal itself where it lies no further than that."""
        own = self.guide.strategy
        if self._above is not None:
            over = self._above.lead(belief, goal, rows, generator)
            goal, left = over.goal, over.blocks_left
        else:
            over, left = None, own.span_blocks * own.between(belief.newest, goal.latents)
        propose = None if own.propose is None else own.propose(belief, goal)
        problem = pose(own.dynamics, belief, own.cost, goal, 1, propose)
        plan = own.planner.plan(problem, generator)
        steps = own.between(belief.newest, goal.latents)
        near = steps <= 1
        wanted = torch.where(near[:, None, None], goal.latents, plan.rollout.latents[:, 0, 0, 0].to(goal.latents))
        lead = replace(straight(LatentGoal(wanted), left), by=(NAME,) * len(wanted))
        return lead if over is None else replace(lead, outcome=over.outcome, landmarks=over.landmarks)
