"""Following landmarks: from where one is to the goal by the shortest way, found anew before every plan."""

from dataclasses import asdict, dataclass, field

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int64
from torch import Generator, Tensor

from monde.errors import PlanningError
from monde.planning.far.guiding import Lead, Outcome
from monde.planning.far.landmarks import Landmarks, TimeBetween
from monde.planning.far.routes import Edge, Routes
from monde.types import Belief, LatentGoal

NAME = "landmarks"
STRANGE = 3.0
"""What lies so many times further from all landmarks than any visited place did, in latent space, is unlike them."""

PROGRESS_BLOCKS = 0.5
"""Coming nearer by less than this is no progress."""


@dataclass(frozen=True, kw_only=True)
class LandmarkConfig:
    """Settings of `LandmarkGuide`.

    Args:
        ahead_blocks: Sub-goals lie at most so many action blocks ahead (or at the next landmark, if that is further).
        near: Landmarks nearest in latent space that are looked at from where one is, and from the goal.
        patience: Plans without progress after which the edge that is being taken is dropped for this episode.

    Raises:
        PlanningError: A size that is not positive.
    """

    ahead_blocks: float = 5.0
    near: int = 24
    patience: int = 8

    def __post_init__(self) -> None:
        if not (self.ahead_blocks > 0 and self.near >= 1 and self.patience >= 1):
            raise PlanningError("LandmarkConfig has an empty size", got=self, expected="everything > 0")


class LandmarkGuide:
    """Leads along the shortest way over landmarks.

    Args:
        landmarks: The graph.
        between: Learned time between two latents; that which the graph was made with.
        config: How they are followed.
    """

    def __init__(self, landmarks: Landmarks, between: TimeBetween, config: LandmarkConfig | None = None) -> None:
        self.landmarks = landmarks
        self.between = between
        self.config = config or LandmarkConfig()
        # Sorted, so that many edges are looked up at once; a table of all pairs would be the largest thing in memory.
        self._edges = np.sort(landmarks.sources.numpy() * len(landmarks) + landmarks.targets.numpy())

    @property
    def settings(self) -> dict[str, object]:
        """For protocol cards."""
        graph = {"landmarks": len(self.landmarks), "reach_blocks": self.landmarks.reach_blocks}
        return {"guide": NAME} | graph | asdict(self.config)

    def begin(self, batch: int) -> "LandmarkJourney":
        """A journey of `batch` episodes, none of which has begun."""
        return LandmarkJourney(self, batch)

    @torch.no_grad()
    def nearest(
        self, latents: Float[Tensor, "R N D"], backwards: bool = False
    ) -> tuple[Int64[np.ndarray, "R k"], Float64[np.ndarray, "R k"]]:
        """The k landmarks nearest in latent space, and blocks to each of them (from each, if `backwards`).

        +Inf where the time is further than it is believed, or where nothing recorded leads from the nearest of them to
        the landmark (two places on either side of a wall may look much alike, and no learned time is without error);
        to none of them where what is seen is unlike all that was visited.
        """
        known = self.landmarks.latents
        k = min(self.config.near, len(known))
        gaps, index = torch.cdist(latents.flatten(1).float(), known.flatten(1)).topk(k, dim=1, largest=False)
        here = latents[:, None]
        blocks = self.between(known[index], here) if backwards else self.between(here, known[index])
        found, times = index.cpu().numpy(), blocks.double().cpu().numpy()
        closest = np.take_along_axis(found, times.argmin(1)[:, None], 1)
        linked = self._linked(found, closest) if backwards else self._linked(closest, found)
        beside = linked | (closest == found)
        # No learned time is to be believed of what is unlike all that it was learned on.
        strange = gaps[:, :1].cpu().numpy() > STRANGE * self.landmarks.radius_latent
        return found, np.where(beside & ~strange & (times <= self.landmarks.reach_blocks), times, np.inf)

    def _linked(self, sources: Int64[np.ndarray, "..."], targets: Int64[np.ndarray, "..."]) -> Bool[np.ndarray, "..."]:
        wanted = sources * len(self.landmarks) + targets
        if not len(self._edges):
            return np.zeros(wanted.shape, dtype=np.bool_)
        at = np.searchsorted(self._edges, wanted).clip(max=len(self._edges) - 1)
        return self._edges[at] == wanted


@dataclass
class _Row:
    """What is remembered of one episode."""

    last: Int64[np.ndarray, " L"]
    last_blocks: Float64[np.ndarray, " L"]
    routes: Routes
    dropped: set[Edge] = field(default_factory=set)
    shunned: set[int] = field(default_factory=set)
    straight: bool = True
    """Whether the goal is made for as soon as it is near; else from the last landmark on the way."""
    best: float = np.inf
    stalled: int = 0


class LandmarkJourney:
    """See `LandmarkGuide`. Rows do not depend on each other."""

    def __init__(self, guide: LandmarkGuide, batch: int) -> None:
        self.guide = guide
        self._rows: list[_Row | None] = [None] * batch

    @torch.no_grad()
    def lead(self, belief: Belief, goal: LatentGoal, rows: Int64[Tensor, " R"], generator: Generator) -> Lead:
        """Where to go next; the generator is not used."""
        guide, index = self.guide, rows.tolist()
        self._begin(goal, index)
        near, blocks = guide.nearest(belief.newest)
        direct = guide.between(belief.newest, goal.latents).double().cpu().numpy()
        wanted = goal.latents.clone()
        left, outcome, ways = np.full(len(index), np.inf), [], []
        for at, row in enumerate(index):
            found = self._row(row)
            way, times = self._way(found, near[at], blocks[at], float(direct[at]))
            ways.append(tuple(way))
            outcome.append(Outcome.WAY if times else _why_not(found, blocks[at]))
            left[at] = times[-1] if times else np.inf
            step = _next(times, guide.config.ahead_blocks, self._arrived, found.straight)
            if step is not None and step < len(way):
                wanted[at] = guide.landmarks.latents[way[step]]
            self._watch(found, way, step, left[at], near[at][blocks[at] <= self._arrived])
        return Lead(
            LatentGoal(wanted),
            torch.from_numpy(left).to(goal.latents),
            torch.tensor([int(o) for o in outcome], dtype=torch.int64, device=goal.latents.device),
            (NAME,) * len(index),
            len(guide.landmarks),
            tuple(ways),
        )

    @property
    def _arrived(self) -> float:
        """Blocks within which one is at a landmark: who made for it would hover there."""
        return min(self.guide.landmarks.radius_blocks, self.guide.config.ahead_blocks / 2)

    def _row(self, row: int) -> _Row:
        found = self._rows[row]
        if found is None:
            raise PlanningError("this row has not begun its journey", got=row)
        return found

    def _begin(self, goal: LatentGoal, index: list[int]) -> None:
        fresh = [at for at, row in enumerate(index) if self._rows[row] is None]
        if not fresh:
            return
        near, blocks = self.guide.nearest(goal.latents[fresh], backwards=True)
        for at, last, taken in zip(fresh, near, blocks, strict=True):
            usable = np.isfinite(taken)
            self._rows[index[at]] = _Row(
                last[usable], taken[usable], Routes(self.guide.landmarks, last[usable], taken[usable])
            )

    def _way(
        self, row: _Row, near: Int64[np.ndarray, " k"], blocks: Float64[np.ndarray, " k"], direct: float
    ) -> tuple[list[int], list[float]]:
        """Landmarks ahead, and the blocks to each of them and to the goal; both empty where there is no way."""
        shunned = np.isin(near, list(row.shunned))
        total = np.where(shunned, np.inf, blocks) + row.routes.left[near]
        first = int(total.argmin())
        beside = bool(np.isin(near[np.isfinite(blocks)], row.last).any())
        if row.straight and beside and direct <= min(self.guide.landmarks.reach_blocks, total[first]):
            return [], [direct]
        if not np.isfinite(total[first]):
            if row.straight and not (row.dropped or row.shunned):
                return [], []
            # A stalled edge is no proof that nothing leads there: with no other way left, all are tried again.
            row.dropped.clear()
            row.shunned.clear()
            row.straight = True
            row.routes = Routes(self.guide.landmarks, row.last, row.last_blocks)
            return self._way(row, near, blocks, direct)
        way = row.routes.way(int(near[first]))
        return way, [float(total[first] - row.routes.left[node]) for node in way] + [float(total[first])]

    def _watch(self, row: _Row, way: list[int], step: int | None, left: float, here: Int64[np.ndarray, " h"]) -> None:
        """Drop the edge that is being taken where nothing has come of it for too long.

        The last one leads to the goal. Where it comes to nothing, the goal is not made for from the landmarks that one
        is at (`here`) either, and from none before one is at it: another way in is tried.
        """
        if left < row.best - PROGRESS_BLOCKS:
            row.best, row.stalled = left, 0
            return
        row.stalled += 1
        if row.stalled <= self.guide.config.patience or step is None:
            return
        if step == len(way):
            goal = len(self.guide.landmarks)
            row.straight = False
            row.dropped |= {(int(node), goal) for node in (*way[-1:], *here)}
        elif step == 0:
            row.shunned.add(way[0])
        else:
            row.dropped.add((way[step - 1], way[step]))
        row.routes = Routes(self.guide.landmarks, row.last, row.last_blocks, row.dropped)
        row.best, row.stalled = np.inf, 0


def _next(times: list[float], ahead: float, arrived: float, straight: bool) -> int | None:
    """The station to make for: the last that is at most `ahead` blocks away, but none that one is at already, within
    `arrived` blocks. The goal is the last station; not `straight`, it is made for from the one before it only. None
    where there is no way."""
    if not times:
        return None
    last = max(0, sum(time <= ahead for time in times) - 1)
    if not straight:
        last = max(0, min(last, len(times) - 2))
    return min(last + (times[last] <= arrived), len(times) - 1)


def _why_not(row: _Row, blocks: Float64[np.ndarray, " k"]) -> Outcome:
    if not np.isfinite(blocks).any():
        return Outcome.NOTHING_NEAR
    return Outcome.NO_WAY if len(row.last) else Outcome.GOAL_UNKNOWN
