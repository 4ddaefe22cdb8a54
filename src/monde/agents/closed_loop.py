"""Agents that act in a world: one that plans in its model, and the floors that it must beat."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from monde.agents.deciding import decide
from monde.agents.observing import device_of, goal_rows, observation_to_clip, resolve_goal
from monde.agents.strategy import Strategy
from monde.errors import PlanningError
from monde.models import graphed
from monde.planning import Journey, Lead, shift_plan
from monde.protocols import Observation, WorldModel
from monde.types import ActionSpec, Belief, Forecast, Goal, PictureGoal, Plan, Reason

_LOG = logging.getLogger("monde.agents")


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What an agent does next.

    Args:
        controls: [B, block, dim], one block of control steps per row.
        plan: The plan of the rows that planned, or none where nothing was planned now.
        plan_rows: Rows of `plan` in the batch.
        seconds: Wall time of deciding, belief and planning together.
        lead: Where a guide led the rows that planned, and whether it found a way; none without a guide.
        forecast: What is expected of the rows that planned, where it was asked: at the first plan of an episode.
        abstained: Rows of the batch that do not act, and why.
    """

    controls: Float[np.ndarray, "B block dim"]
    plan: Plan | None = None
    plan_rows: tuple[int, ...] = ()
    seconds: float = 0.0
    lead: Lead | None = None
    forecast: Forecast | None = None
    abstained: Mapping[int, Reason] = field(default_factory=dict)


@runtime_checkable
class Agent(Protocol):
    """Something that pursues goals in a batch of environments, one block of control steps at a time."""

    def begin(self, observation: Observation, goal: Observation | Goal | None) -> None:
        """Start an episode in every row: what is seen now, and what is wanted."""
        ...

    def act(self, observation: Observation, active: Bool[np.ndarray, " B"]) -> Decision:
        """The next block. The first call follows `begin` and is given the same observation.

        Rows that are not `active` have finished and never come back; what they do does not matter.
        """
        ...


class PlanningAgent:
    """Observe, update the belief, plan, execute `replan_every` blocks, and again (receding horizon).

    Args:
        model: Its world model.
        strategy: How it finds its actions.
        seed: Seed of the planner's noise.
        replan_every: Blocks executed of each plan.
        hypotheses: Futures imagined for each action sequence.
        deadline_seconds: Wall time allowed for each plan (all rows together), or none.
        abstain: Whether a row whose goal cannot be reached, as the strategy's trust tells at its first plan, rests
            instead of acting.

    Raises:
        PlanningError: A `replan_every` below 1, or nothing that tells when to abstain.
    """

    def __init__(
        self,
        model: WorldModel,
        strategy: Strategy,
        *,
        seed: int,
        replan_every: int = 1,
        hypotheses: int = 1,
        deadline_seconds: float | None = None,
        abstain: bool = False,
    ) -> None:
        if abstain and strategy.trust is None:
            raise PlanningError(
                "nothing tells when to abstain",
                got="a strategy without trust",
                remedy="fit it for this planner: monde trust RUN",
            )
        if replan_every < 1:
            raise PlanningError("PlanningAgent.replan_every is unusable", got=replan_every, expected="at least 1 block")
        self.model = graphed(model)
        self.strategy = strategy
        self.replan_every = replan_every
        self.hypotheses = hypotheses
        self.deadline_seconds = deadline_seconds
        self.abstain = abstain
        self.device = device_of(model)
        self._generator = torch.Generator(self.device).manual_seed(seed)
        self._belief: Belief | None = None
        self._goal: Goal | None = None
        self._plan: Tensor | None = None
        self._taken: Tensor | None = None
        self._executed = 0
        self._journey: Journey | None = None
        self._forecast: Forecast | None = None

    @property
    def belief(self) -> Belief | None:
        """What it knows now, [B] rows; none before `begin`."""
        return self._belief

    def begin(self, observation: Observation, goal: Observation | Goal | None) -> None:
        """Start an episode in every row.

        Raises:
            PlanningError: No goal.
            ContractError: The observation or goal lacks what the model reads.
        """
        if goal is None:
            raise PlanningError(
                "there is nothing to plan for",
                got="a world without a goal of its own",
                remedy="give a goal: a picture, or a frame of an episode",
            )
        blind = [sensor.name for sensor in self.model.sensors if sensor.name not in observation.values]
        if blind:
            _LOG.warning("planning without %s, which the world does not show", ", ".join(blind))
        if isinstance(goal, Observation):
            goal = PictureGoal(observation_to_clip(goal, self.model.sensors))
        with torch.no_grad():
            self._goal = resolve_goal(self.model, goal)
            self._belief = self.model.begin(observation_to_clip(observation, self.model.sensors, self.device))
            if self.strategy.finder is not None:
                self._goal = self.strategy.finder.find(self.model, self._belief, self._goal)
        self._plan = self._taken = self._forecast = None
        self._executed = 0
        guide = self.strategy.guide
        self._journey = None if guide is None else guide.begin(self._belief.batch)

    def act(self, observation: Observation, active: Bool[np.ndarray, " B"]) -> Decision:
        """The next block of every row; only active rows are planned for.

        Raises:
            PlanningError: Called before `begin`, or whatever the planner raises.
        """
        if self._belief is None or self._goal is None:
            raise PlanningError("the agent has not begun an episode", remedy="call begin(observation, goal) first")
        started = time.perf_counter()
        if self._taken is not None:
            with torch.no_grad():
                clip = observation_to_clip(observation, self.model.sensors, self.device)
                self._belief = self.model.update(self._belief, clip, self._taken)
        plan, lead, rows = None, None, torch.from_numpy(np.flatnonzero(active)).to(self.device)
        opening = self._plan is None
        if self._plan is None or self._executed >= self.replan_every:
            plan, lead = self._replan(self._belief, self._goal, rows)
        blocks = self._plan
        if blocks is None:
            raise PlanningError("no row is active", expected="at least one active row in the first call")
        self._taken = blocks[:, self._executed]
        self._executed += 1
        controls = self.model.actions.to_controls(self._taken[:, None]).cpu().numpy()
        return Decision(
            controls=controls,
            plan=plan,
            plan_rows=tuple(rows.tolist()),
            seconds=time.perf_counter() - started,
            lead=lead,
            forecast=self._forecast if opening else None,
            abstained=self._abstained(rows) if opening else {},
        )

    def _replan(self, belief: Belief, goal: Goal, rows: Tensor) -> tuple[Plan | None, Lead | None]:
        if not len(rows):
            return None, None
        warm = None
        if self._plan is not None:
            warm = shift_plan(self.model.actions, self._plan, self._executed)[rows]
        plan, lead = decide(
            self.model,
            self.strategy,
            belief.rows(rows),
            goal_rows(goal, rows),
            self._generator,
            journey=self._journey,
            rows=rows,
            hypotheses=self.hypotheses,
            deadline_seconds=self.deadline_seconds,
            warm_start=warm,
        )
        if self._plan is None and self.strategy.trust is not None:
            self._forecast = self.strategy.trust.forecast(self.model, belief.rows(rows), goal_rows(goal, rows), plan)
            if self._forecast is not None:
                plan = replace(plan, success_probability=self._forecast.probability)
        horizon = plan.actions.shape[1]
        if self.replan_every > horizon:
            raise PlanningError(
                "the plan ends before it is renewed", got=f"{horizon} blocks", expected=f"at least {self.replan_every}"
            )
        # Rows that have finished keep any harmless plan; a world ignores or outlives it.
        idle = torch.from_numpy(resting(self.model.actions, belief.batch, self.model.actions.block)).to(plan.actions)
        actions = idle.reshape(belief.batch, 1, -1).repeat(1, horizon, 1)
        actions[rows] = plan.actions
        if self._plan is None:
            resigned = [*self._abstained(rows)]
            actions[resigned] = idle.reshape(belief.batch, 1, -1).repeat(1, horizon, 1)[resigned]
        self._plan, self._executed = actions, 0
        return plan, lead

    def _abstained(self, rows: Tensor) -> dict[int, Reason]:
        if not self.abstain or self._forecast is None:
            return {}
        told = zip(rows.tolist(), self._forecast.reasons, strict=True)
        return {row: reason for row, reason in told if reason is not None}


class PolicyAgent:
    """An agent that only follows a policy, control step by control step, whatever it sees or is asked."""

    def __init__(self, actions: ActionSpec, controls: Callable[[int], Float[np.ndarray, "B block dim"]]) -> None:
        self.actions = actions
        self._controls = controls

    def begin(self, observation: Observation, goal: Observation | Goal | None) -> None:
        """Nothing to prepare."""

    def act(self, observation: Observation, active: Bool[np.ndarray, " B"]) -> Decision:
        """The policy's next block."""
        return Decision(controls=self._controls(observation.batch))


def random_agent(actions: ActionSpec, seed: int) -> PolicyAgent:
    """Acts uniformly at random: the floor of every planner."""
    generator = np.random.default_rng(seed)

    def controls(batch: int) -> Float[np.ndarray, "B block dim"]:
        shape = (batch, actions.block)
        if actions.discrete:
            return np.eye(actions.choices, dtype=np.float32)[generator.integers(actions.choices, size=shape)]
        return generator.uniform(actions.low, actions.high, (*shape, actions.dim)).astype(np.float32)

    return PolicyAgent(actions, controls)


def stay_agent(actions: ActionSpec) -> PolicyAgent:
    """Does nothing: what success costs when the world comes to you. See `resting`."""
    return PolicyAgent(actions, lambda batch: resting(actions, batch, actions.block))


def resting(actions: ActionSpec, batch: int, steps: int) -> Float[np.ndarray, "B steps dim"]:
    """Control steps that ask for nothing; see `ActionSpec.rest`."""
    return np.tile(np.array(actions.rest, dtype=np.float32), (batch, steps, 1))
