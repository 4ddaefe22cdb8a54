"""Deciding for several robots at once: each has a belief, a goal and a way of its own; they share arithmetic."""

from collections.abc import Callable, Hashable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from monde.agents import Strategy, decide, device_of, fit_clip, observation_to_clip, resolve_goal
from monde.errors import ContractError, MondeError, PlanningError
from monde.models import graphed
from monde.planning import Journey, shift_plan
from monde.planning.opening import first_guess
from monde.protocols import Observation, WorldModel
from monde.readouts import Familiarity
from monde.serving.sensing import Sample
from monde.types import Belief, Clip, Goal, LatentGoal, PictureGoal, Plan, Reason
from monde.types.trust import OutOfDistribution

A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True, kw_only=True)
class Pursuit:
    """What is known and wanted in one session. Frozen: what is seen or decided makes a new one.

    Args:
        belief: B = 1.
        goal: B = 1.
        journey: What the strategy's guide remembers of this episode, if it leads.
        plan: [1, H, A] the last plan, or none.
    """

    belief: Belief
    goal: Goal
    journey: Journey | None = None
    plan: Float[Tensor, "1 H A"] | None = None


@dataclass(frozen=True, kw_only=True)
class Request:
    """Something was seen, and a decision is wanted.

    Args:
        sample: What was seen.
        taken: [n, dim] control steps since the last sample, or none at the beginning of an episode.
        pursuit: As the last request left it, or none at the beginning of an episode.
        goal: What is wanted, at the beginning of an episode.
        plan: Whether to decide; a superseded observation only adds to what is known.
        deadline_seconds: Time left for it, or none.
    """

    sample: Sample
    taken: Float[np.ndarray, "n dim"] | None = None
    pursuit: Pursuit | None = None
    goal: Goal | None = None
    plan: bool = True
    deadline_seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What was decided.

    Args:
        pursuit: For the next request.
        controls: [H · block, dim] control steps; none where no decision was wanted.
        probability: Of success, at the beginning of an episode, where trust was fitted.
        reason: Why the goal would better be given up, likewise.
        restarted: Whether the belief began anew: what was done was no whole block.
    """

    pursuit: Pursuit
    controls: Float[np.ndarray, "n dim"] | None = None
    probability: float | None = None
    reason: Reason | None = None
    restarted: bool = False


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """A request whose sample is part of what is known."""

    request: Request
    pursuit: Pursuit
    aim: Goal
    restarted: bool


class Pilot:
    """Decides with one model and one strategy; it is used by one thread at a time.

    The rows of a batch do not see one another: beliefs are stacked, planned for together, and handed back. Noise is
    shared by the rows (`Propose`), so that a decision does not depend on who else is decided for.

    Args:
        model: Its world model.
        strategy: How it finds its actions.
        seed: Of the planner's noise.
        familiarity: What was trained on: says where a goal is out of distribution, for a strategy without trust.
        turn: Held while deciding, where something else must not compute meanwhile.

    Raises:
        PlanningError: A model without actions.
    """

    def __init__(
        self,
        model: WorldModel,
        strategy: Strategy,
        seed: int = 0,
        *,
        familiarity: Familiarity | None = None,
        turn: AbstractContextManager[object] | None = None,
    ) -> None:
        if model.actions.unactuated:
            raise PlanningError(
                "a model that was learned without actions cannot control anything",
                remedy="train on a recording with actions, without --action-free",
            )
        self.model = graphed(model)
        self.strategy = strategy
        self.familiarity = familiarity
        self.device = device_of(model)
        self._turn = turn or nullcontext()
        self._generator = torch.Generator(self.device).manual_seed(seed)
        self._pace: dict[int, float] = {}
        self._undecided: Float[Tensor, "1 H A"] | None = None

    def decide(self, requests: Sequence[Request]) -> list[Choice | MondeError]:
        """One choice for each request, or what was wrong with it; one that fails does not touch the others."""
        with self._turn, torch.no_grad():
            return self._decided(requests)

    def _decided(self, requests: Sequence[Request]) -> list[Choice | MondeError]:
        seen = apart(self._see, requests, self._situation)
        found: list[Choice | MondeError] = [
            each if isinstance(each, MondeError) else Choice(pursuit=each.pursuit, restarted=each.restarted)
            for each in seen
        ]
        planned = [n for n, each in enumerate(seen) if isinstance(each, _Seen) and each.request.plan]
        wanted = [each for each in seen if isinstance(each, _Seen) and each.request.plan]
        chosen = apart(self._choose, wanted, _kind)
        for n, choice in zip(planned, chosen, strict=True):
            found[n] = choice
        return found

    def _begins(self, request: Request) -> bool:
        """Whether a belief begins: at the beginning, and where the model cannot know what was done since."""
        taken = request.taken
        return request.pursuit is None or taken is None or len(taken) != self.model.actions.block

    def _situation(self, request: Request) -> Hashable:
        """Requests of one situation can be seen at once."""
        pictures = tuple(array.shape for array in request.sample.values.values())
        if request.pursuit is None or self._begins(request):
            return pictures
        return pictures, _shapes(request.pursuit.belief)

    def _see(self, requests: Sequence[Request]) -> list[_Seen]:
        clip = self.clip([request.sample for request in requests])
        known = [request.pursuit.belief for request in requests if request.pursuit is not None]
        done = [request.taken for request in requests if request.taken is not None]
        if self._begins(requests[0]):
            belief = self.model.begin(clip)
        else:
            taken = torch.from_numpy(np.stack(done)).to(self.device).flatten(1)
            belief = self.model.update(stack(known), clip, taken)
        rows = [belief.rows(slice(row, row + 1)) for row in range(len(requests))]
        goals = iter(self._goals([request.goal for request in requests if request.pursuit is None]))
        return [
            self._informed(request, row, next(goals) if request.pursuit is None else request.pursuit.goal)
            for request, row in zip(requests, rows, strict=True)
        ]

    def _informed(self, request: Request, belief: Belief, goal: Goal) -> _Seen:
        restarted = request.pursuit is not None and self._begins(request)
        if request.pursuit is not None:
            plan = None if restarted else request.pursuit.plan
            pursuit = replace(request.pursuit, belief=belief, plan=plan)
        else:
            pursuit = self._begun(belief, goal)
        aim = self._aim(pursuit) if request.plan else pursuit.goal
        return _Seen(request=request, pursuit=pursuit, aim=aim, restarted=restarted)

    def _goals(self, wanted: Sequence[Goal | None]) -> list[Goal]:
        """Goals as costs judge them; all pictures are encoded at once."""
        goals = [goal for goal in wanted if goal is not None]
        if len(goals) < len(wanted):
            raise PlanningError("there is nothing to plan for", got="an episode without a goal")
        pictures = [fit_clip(goal.clip, self.model.sensors) for goal in goals if isinstance(goal, PictureGoal)]
        if not pictures:
            return [resolve_goal(self.model, goal) for goal in goals]
        shown = resolve_goal(self.model, PictureGoal(Clip.joined(pictures)))
        assert isinstance(shown, LatentGoal)
        latents = iter(shown.latents.split(1))
        return [
            LatentGoal(next(latents)) if isinstance(goal, PictureGoal) else resolve_goal(self.model, goal)
            for goal in goals
        ]

    def _begun(self, belief: Belief, goal: Goal) -> Pursuit:
        guide, finder = self.strategy.guide, self.strategy.finder
        if finder is not None:
            goal = finder.find(self.model, belief, goal)
        return Pursuit(belief=belief, goal=goal, journey=None if guide is None else guide.begin(1))

    def _aim(self, pursuit: Pursuit) -> Goal:
        """What to plan for now: the goal, or where the guide leads on the way to it."""
        if pursuit.journey is None or not isinstance(pursuit.goal, LatentGoal):
            return pursuit.goal
        row = torch.zeros(1, dtype=torch.int64, device=self.device)
        return pursuit.journey.lead(pursuit.belief, pursuit.goal, row, self._generator).goal

    def clip(self, samples: Sequence[Sample]) -> Clip:
        """Samples of one shape as a clip of one step, as the model reads it."""
        values = {name: np.stack([sample.values[name] for sample in samples]) for name in samples[0].values}
        times = np.array([sample.seconds for sample in samples], dtype=np.float64)
        return observation_to_clip(Observation(values, times), self.model.sensors, self.device)

    def _choose(self, rows: Sequence[_Seen]) -> list[Choice]:
        belief = stack([row.pursuit.belief for row in rows])
        deadlines = [row.request.deadline_seconds for row in rows if row.request.deadline_seconds is not None]
        plan, _ = decide(
            self.model,
            replace(self.strategy, guide=None),
            belief,
            together([row.aim for row in rows]),
            self._generator,
            deadline_seconds=self._hurry(len(rows), min(deadlines, default=None)),
            warm_start=self._warm(rows),
        )
        self._pace[len(rows)] = plan.seconds
        if self._undecided is None:
            self._undecided = first_guess(self.model.actions, 1, plan.actions.shape[1], self.device, None)
        if not bool(torch.isfinite(plan.actions).all()):
            raise PlanningError("the planner's actions are not finite", remedy="look at the model: monde score RUN")
        controls = self.model.actions.to_controls(plan.actions).cpu().numpy()
        told = self._foretell(rows, belief, plan)
        return [
            Choice(
                pursuit=replace(row.pursuit, plan=plan.actions[n : n + 1]),
                controls=controls[n],
                probability=told[n][0] if n in told else None,
                reason=told[n][1] if n in told else None,
                restarted=row.restarted,
            )
            for n, row in enumerate(rows)
        ]

    def _foretell(
        self, rows: Sequence[_Seen], belief: Belief, plan: Plan
    ) -> dict[int, tuple[float | None, Reason | None]]:
        """What is expected of the rows that begin an episode: by trust, or else whether they are familiar."""
        opening = [n for n, row in enumerate(rows) if row.request.pursuit is None]
        if not opening:
            return {}
        if self.strategy.trust is None:
            strange = self._strange([rows[n].pursuit for n in opening])
            return {n: (None, reason) for n, reason in zip(opening, strange, strict=True)}
        index = torch.tensor(opening, device=self.device)
        first = replace(
            plan, actions=plan.actions[index], cost_before=plan.cost_before[index], cost_after=plan.cost_after[index]
        )
        goal = together([rows[n].pursuit.goal for n in opening])
        forecast = self.strategy.trust.forecast(self.model, belief.rows(index), goal, first)
        if forecast is None:
            return {}
        return dict(zip(opening, zip(forecast.probability.tolist(), forecast.reasons, strict=True), strict=True))

    def _strange(self, pursuits: Sequence[Pursuit]) -> list[Reason | None]:
        """Of rows of one kind: whether the goal of each, or else what is seen, is out of distribution."""
        goals = [each.goal.latents for each in pursuits if isinstance(each.goal, LatentGoal)]
        if self.familiarity is None or len(goals) < len(pursuits):
            return [None] * len(pursuits)
        limit = float(self.familiarity.limit)

        def reason(goal: float, present: float) -> Reason | None:
            if goal > limit:
                return OutOfDistribution(what="goal", distance=goal, limit=limit)
            return OutOfDistribution(what="present", distance=present, limit=limit) if present > limit else None

        present = torch.cat([each.belief.newest for each in pursuits])
        distances = (self.familiarity.distance(latents).tolist() for latents in (torch.cat(goals), present))
        return [reason(*row) for row in zip(*distances, strict=True)]

    def _hurry(self, rows: int, deadline: float | None) -> float | None:
        """The planner's deadline: none where it is likely to be done well within it, for haste costs samples."""
        usual = self._pace.get(rows)
        return None if deadline is None or (usual is not None and 2 * usual < deadline) else deadline

    def _warm(self, rows: Sequence[_Seen]) -> Tensor | None:
        """What is left of the last plans; a row that has none takes an undecided one, so that all are planned for at
        once. How long plans are is known from the first one on."""
        if self._undecided is None:
            return None
        plans = [self._undecided if row.pursuit.plan is None else row.pursuit.plan for row in rows]
        return shift_plan(self.model.actions, torch.cat(plans), 1)


def stack(beliefs: Sequence[Belief]) -> Belief:
    """Beliefs of one shape as the rows of one."""
    return Belief(
        latents=torch.cat([belief.latents for belief in beliefs]),
        valid=torch.cat([belief.valid for belief in beliefs]),
        memory=tuple(torch.cat(parts) for parts in zip(*(belief.memory for belief in beliefs), strict=True)),
        times_seconds=torch.cat([belief.times_seconds for belief in beliefs]),
    )


def together(goals: Sequence[Goal]) -> Goal:
    """Goals in latent space as the rows of one; any other kind stays alone.

    Raises:
        ContractError: Several of another kind.
    """
    latent = [goal.latents for goal in goals if isinstance(goal, LatentGoal)]
    if len(latent) == len(goals):
        return LatentGoal(torch.cat(latent))
    if len(goals) == 1:
        return goals[0]
    raise ContractError("goals of several kinds cannot be planned for at once", got=len(goals))


def apart(
    function: Callable[[Sequence[A]], Sequence[B]], items: Sequence[A], key: Callable[[A], Hashable]
) -> list[B | MondeError]:
    """`function` over the groups of items with equal keys, in the items' order.

    A group that fails is tried again one by one, so that each failure is that of one item.
    """
    groups: dict[Hashable, list[int]] = {}
    for n, item in enumerate(items):
        groups.setdefault(key(item), []).append(n)
    found: dict[int, B | MondeError] = {}
    for group in groups.values():
        try:
            found |= zip(group, function([items[n] for n in group]), strict=True)
        except MondeError as error:
            if len(group) == 1:
                found[group[0]] = error
            else:
                found |= {n: apart(function, [items[n]], key)[0] for n in group}
    return [found[n] for n in range(len(items))]


def _shapes(belief: Belief) -> Hashable:
    return tuple(tuple(tensor.shape) for tensor in (belief.latents, *belief.memory))


def _kind(seen: _Seen) -> Hashable:
    """Rows of one kind can be planned for at once; a goal that is no latent is planned for alone."""
    goal = seen.pursuit.goal
    return _shapes(seen.pursuit.belief), isinstance(goal, LatentGoal) or id(seen)
