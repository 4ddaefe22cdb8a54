"""How a goal is reached: a course planned block by block in imagination, or why there is none."""

import time
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from monde.agents import Strategy, decide
from monde.costs import BaseCost
from monde.costs.base import Sum
from monde.errors import PlanningError
from monde.evaluation.readout_plans import for_readouts
from monde.mind.answers import PlanAnswer
from monde.mind.beliefs import Beliefs, Held
from monde.mind.faculties import Faculties
from monde.mind.futures import future_of, of_goal
from monde.mind.judging import Judge, costs_of, wanted
from monde.mind.requests import PlanRequest
from monde.mind.trusting import of_states, together, with_probability
from monde.mind.values import Course, Future
from monde.models import JEPA
from monde.types import Belief, Forecast, Goal, LatentGoal, Plan, PredicateGoal, ReadoutGoal

PLANNED = "planned"
"""What a course that was planned is called."""


@dataclass(frozen=True, kw_only=True)
class _Way:
    """What planning came to.

    Args:
        blocks: [H, A]; H = 0 where nothing was found.
        forecast: Of the first plan, where trust is fitted.
        lost: Why a guide found no way, or none.
        deadline_hit: Whether time ran out.
    """

    blocks: Float[Tensor, "H A"]
    forecast: Forecast | None
    lost: str | None
    deadline_hit: bool


def plan(faculties: Faculties, beliefs: Beliefs, asked: PlanRequest) -> PlanAnswer:
    """A course to the goal: the agent's own decisions, each carried out in imagination until it has arrived.

    Raises:
        UsageError: A belief, readout or goal that is not known.
        PlanningError: A goal that this planner cannot take.
    """
    began = time.monotonic()
    held = beliefs.find(asked.belief)
    goal = wanted(faculties, beliefs, asked.goal)
    judge = Judge(faculties=faculties, goal=goal, constraints=asked.constraints)
    try:
        strategy, pursued = _ready(faculties, held.belief, goal)
        way = _walk(faculties, _constrained(faculties, strategy, asked), held.belief, pursued, judge, asked, began)
    except PlanningError as error:
        return _none(judge, held, _because(error), began)
    future, reaches, costs = None, False, (float(judge.far(held.belief.newest)[0]),) * 2
    course = None
    if len(way.blocks):
        controls = faculties.model.actions.to_controls(way.blocks).cpu().numpy()
        course = Course(name=PLANNED, controls=controls)
        future, reaches, costs = _outcome(faculties, judge, held, way.blocks, asked)
    reason = _reason(judge, way, reaches, costs, asked)
    present = of_states(faculties.knowledge, held.belief.newest, "present")
    trusts = [present, *of_goal(judge), *([] if future is None else [future.trust])]
    probability = None if way.forecast is None else float(way.forecast.probability[0])
    return PlanAnswer(
        course=course,
        future=future,
        cannot=reason,
        reaches=reaches,
        cost_before=costs[0],
        cost_after=costs[1],
        seconds=time.monotonic() - began,
        deadline_hit=way.deadline_hit,
        trust=with_probability(together(*trusts), probability),
    )


def _ready(
    faculties: Faculties, belief: Belief, goal: LatentGoal | ReadoutGoal | PredicateGoal
) -> tuple[Strategy, Goal]:
    """Strategy and goal; one that is told by readouts becomes a latent to pursue where there is an actor."""
    if isinstance(goal, LatentGoal):
        return faculties.strategy, goal
    readouts = {name: one.readout for name, one in faculties.known().readouts.items()}
    strategy = for_readouts(faculties.strategy, readouts, goal, faculties.bank())
    if strategy.finder is None:
        return strategy, goal
    return strategy, strategy.finder.find(faculties.model, belief, goal)


def _constrained(faculties: Faculties, strategy: Strategy, asked: PlanRequest) -> Strategy:
    """The strategy under constraints; its probability of success is of unconstrained plans."""
    if not asked.constraints:
        return strategy
    terms = [(1.0, strategy.cost), *((1.0, cost) for cost in costs_of(faculties, asked.constraints))]
    cost: BaseCost = Sum(tuple(terms))
    return replace(strategy, cost=cost, trust=None)


@torch.no_grad()
def _walk(
    faculties: Faculties,
    strategy: Strategy,
    belief: Belief,
    goal: Goal,
    judge: Judge,
    asked: PlanRequest,
    began: float,
) -> _Way:
    model = faculties.model
    generator = torch.Generator(model.device).manual_seed(asked.seed)
    row = torch.zeros(1, dtype=torch.long, device=model.device)
    journey = None if strategy.guide is None else strategy.guide.begin(1)
    taken: list[Tensor] = []
    forecast, lost, late, now = None, None, False, belief
    while len(taken) < asked.blocks and not late:
        arriving = judge.reached(now.newest)
        left = None if asked.deadline_seconds is None else asked.deadline_seconds - (time.monotonic() - began)
        if left is not None and left <= 0:
            late = True
            break
        found, lead = decide(model, strategy, now, goal, generator, journey=journey, rows=row, deadline_seconds=left)
        if not taken:
            forecast = _forecast(strategy, model, now, goal, found)
            lost = None if lead is None else lead.because(0)
        late = found.deadline_hit
        block = found.actions[:, :1]
        taken.append(block[0, 0])
        rollout = model.imagine(now, block[:, None], beliefs=True)
        if rollout.beliefs is None:
            raise PlanningError("the model gave no beliefs", remedy="imagine(…, beliefs=True) must return them")
        now = rollout.beliefs
        # A learned time below one block is not yet an arrival: the block that is left is taken, too.
        if arriving is not None and bool(arriving[0]):
            break
    blocks = torch.stack(taken) if taken else belief.latents.new_zeros(0, model.actions.width)
    return _Way(blocks=blocks, forecast=forecast, lost=lost, deadline_hit=late)


def _forecast(strategy: Strategy, model: JEPA, belief: Belief, goal: Goal, found: Plan) -> Forecast | None:
    if strategy.trust is None or not isinstance(goal, LatentGoal):
        return None
    return strategy.trust.forecast(model, belief, goal, found)


@torch.no_grad()
def _outcome(
    faculties: Faculties, judge: Judge, held: Held, blocks: Float[Tensor, "H A"], asked: PlanRequest
) -> tuple[Future, bool, tuple[float, float]]:
    """What is predicted of the whole course, with as many hypotheses as the model has members."""
    members = faculties.model.dynamics.members
    rollout = faculties.model.imagine(held.belief, blocks[None, None], members)
    mean = rollout.latents[0, 0].mean(0)
    met = judge.reached(mean)
    costs = float(judge.far(held.belief.newest)[0]), float(judge.far(mean[-1]))
    future = future_of(faculties, held, PLANNED, rollout, asked.readouts, asked.frames)
    return future, met is not None and bool(met.any()), costs


def _reason(judge: Judge, way: _Way, reaches: bool, costs: tuple[float, float], asked: PlanRequest) -> str | None:
    """Why the goal cannot be reached: what trust, a guide, the clock or imagination says, in this order."""
    if way.forecast is not None and way.forecast.reasons[0] is not None:
        return str(way.forecast.reasons[0])
    if way.lost is not None:
        return way.lost
    if reaches:
        return None
    if way.deadline_hit:
        return f"the deadline of {asked.deadline_seconds:g} s came before the course arrived"
    unit = "" if judge.unit == "1" else f" {judge.unit}"
    return (
        f"imagination comes no nearer to it in {len(way.blocks)} action blocks than {costs[1]:.3g}{unit} "
        f"(from {costs[0]:.3g})"
    )


def _because(error: PlanningError) -> str:
    return error.what if error.got is None else f"{error.what} ({error.got})"


def _none(judge: Judge, held: Held, why: str, began: float) -> PlanAnswer:
    far = float(judge.far(held.belief.newest)[0])
    present = of_states(judge.faculties.knowledge, held.belief.newest, "present")
    return PlanAnswer(
        course=None,
        future=None,
        cannot=why,
        reaches=False,
        cost_before=far,
        cost_after=far,
        seconds=time.monotonic() - began,
        deadline_hit=False,
        trust=together(present, *of_goal(judge)),
    )
