"""The configurator of distance: goals that lie near are pursued directly, far ones are led to.

Depth helps where a goal is far and hurts where it is near (on Push-T success falls with every level of a hierarchy), so
whether one is led is chosen for every episode, by the predicted time to its goal.
"""

from dataclasses import asdict, dataclass, replace

import torch
from jaxtyping import Int64
from torch import Generator, Tensor

from monde.errors import PlanningError
from monde.planning.far.guiding import Guide, Journey, Lead, straight
from monde.planning.far.landmark_guide import PROGRESS_BLOCKS
from monde.planning.far.landmarks import TimeBetween
from monde.types import Belief, LatentGoal


@dataclass(frozen=True, kw_only=True)
class ChoosingConfig:
    """Settings of `ChoosingGuide`.

    Args:
        trusted_blocks: Goals predicted to lie at most so many action blocks away are pursued directly.
        patience: Plans without progress after which one who is not led is led all the same.

    Raises:
        PlanningError: A size that is not positive.
    """

    trusted_blocks: float = 10.0
    patience: int = 8

    def __post_init__(self) -> None:
        if not (self.trusted_blocks > 0 and self.patience >= 1):
            raise PlanningError("ChoosingConfig has an empty size", got=self, expected="everything > 0")


class ChoosingGuide:
    """Chooses for every row whether it is led, and by whom: the first of `guides` that finds a way.

    Where one with landmarks finds none and one without any leads instead, the lead still says that there is no way.

    Args:
        between: Learned time between two latents.
        guides: Guides in order of preference.
        config: When.

    Raises:
        PlanningError: No guide to choose.
    """

    def __init__(self, between: TimeBetween, guides: tuple[Guide, ...], config: ChoosingConfig | None = None) -> None:
        if not guides:
            raise PlanningError("there is nobody to choose", expected="at least one guide")
        self.between = between
        self.guides = guides
        self.config = config or ChoosingConfig()

    @property
    def settings(self) -> dict[str, object]:
        """For protocol cards."""
        chosen = [dict(guide.settings) for guide in self.guides]
        return {"guide": "auto", "guides": chosen} | asdict(self.config)

    def begin(self, batch: int) -> "ChoosingJourney":
        """A journey of `batch` episodes, none of which has begun."""
        return ChoosingJourney(self, batch)


class ChoosingJourney:
    """See `ChoosingGuide`. A row that got no nearer by itself is led to the end."""

    def __init__(self, guide: ChoosingGuide, batch: int) -> None:
        self.guide = guide
        self._journeys: list[Journey] = [each.begin(batch) for each in guide.guides]
        self._stuck = torch.zeros(batch, dtype=torch.bool)
        self._best = torch.full((batch,), torch.inf)
        self._stalled = torch.zeros(batch, dtype=torch.int64)

    @torch.no_grad()
    def lead(self, belief: Belief, goal: LatentGoal, rows: Int64[Tensor, " R"], generator: Generator) -> Lead:
        """The goal itself, or where the first guide that knows a way leads."""
        config = self.guide.config
        direct = self.guide.between(belief.newest, goal.latents)
        index, left = rows.cpu(), direct.float().cpu()
        nearer = left < self._best[index] - PROGRESS_BLOCKS
        self._best[index] = torch.where(nearer, left, self._best[index])
        self._stalled[index] = torch.where(nearer, 0, self._stalled[index] + 1)
        self._stuck[index] |= self._stalled[index] > config.patience
        led = self._stuck[index] | (left > config.trusted_blocks)
        lead = straight(goal, direct)
        for place, journey in enumerate(self._journeys):
            at = led.nonzero()[:, 0] if place == 0 else (~lead.reachable).cpu().nonzero()[:, 0]
            if not len(at):
                break
            here = at.to(rows.device)
            found = journey.lead(belief.rows(here), LatentGoal(goal.latents[here]), rows[here], generator)
            lead = _put(lead, found, at.tolist())
        return lead


def _put(lead: Lead, found: Lead, at: list[int]) -> Lead:
    """`lead` with some rows replaced. What was found of a way over landmarks stands against a guide without any: a
    level of time leads on, but knows of no walls."""
    goals, left, outcome = lead.goal.latents.clone(), lead.blocks_left.clone(), lead.outcome.clone()
    index = torch.tensor(at, device=goals.device)
    goals[index] = found.goal.latents
    if found.landmarks or not lead.landmarks:
        left[index], outcome[index] = found.blocks_left.to(left), found.outcome
    by, waypoints = list(lead.by), list(lead.waypoints)
    for row, each in enumerate(at):
        by[each], waypoints[each] = found.by[row], found.waypoints[row]
    return replace(
        lead,
        goal=LatentGoal(goals),
        blocks_left=left,
        outcome=outcome,
        by=tuple(by),
        landmarks=max(lead.landmarks, found.landmarks),
        waypoints=tuple(waypoints),
    )
