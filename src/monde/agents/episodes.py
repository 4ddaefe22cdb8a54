"""Running an agent in a world until every row has reached its goal or spent its budget."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int64, UInt8

from monde.agents.closed_loop import Agent
from monde.errors import ContractError, WorldError
from monde.protocols import Observation, Transition, World
from monde.types import Goal, Reason

Judge = Callable[[Observation], Bool[np.ndarray, " B"]]
"""What the sensors show to which rows have reached their goal."""


@dataclass(frozen=True, kw_only=True)
class EpisodeResults:
    """What came of B episodes.

    Args:
        seeds: Seed of each episode.
        success: [B], whether the goal was reached after any control step within the budget.
        steps_to_success: [B] control steps until then, or -1.
        steps: [B] control steps that counted: to success, to the episode's own end, or the whole budget.
        final_distance: [B] true distance to the goal after those steps, or none where the world does not tell.
        plan_seconds: Wall time of each planner call, all planned rows together.
        plan_rows: Rows planned in each of those calls.
        frames: [B, T, 3, h, w] of the world's first camera, one per control step and the first before any, or none.
            Frames after `steps` of a row are of no interest.
        goal_frames: [B, 3, h, w] the camera's view at the goal, or none.
        success_probability: [B] as the first plan tells it (NaN for rows that never planned), or none.
        abstained: Why a row did not act, or none, B of them; empty where nobody abstains.
        lost: Why the last plan of a row found no way to its goal, as a sentence, or none, B of them; empty where no
            guide was lost.
    """

    seeds: tuple[int, ...]
    success: Bool[np.ndarray, " B"]
    steps_to_success: Int64[np.ndarray, " B"]
    steps: Int64[np.ndarray, " B"]
    final_distance: Float[np.ndarray, " B"] | None
    plan_seconds: tuple[float, ...]
    plan_rows: tuple[int, ...]
    frames: UInt8[np.ndarray, "B T 3 h w"] | None = None
    goal_frames: UInt8[np.ndarray, "B 3 h w"] | None = None
    success_probability: Float[np.ndarray, " B"] | None = None
    abstained: tuple[Reason | None, ...] = ()
    lost: tuple[str | None, ...] = ()

    def __repr__(self) -> str:
        given_up = sum(reason is not None for reason in self.abstained)
        tail = f", {given_up} were not tried" if given_up else ""
        return f"EpisodeResults({int(self.success.sum())} of {len(self.seeds)} reached their goal{tail})"


def run_episodes(
    world: World,
    agent: Agent,
    seeds: Sequence[int],
    budget_steps: int,
    record_frames: bool = False,
    goal: Goal | None = None,
    judge: Judge | None = None,
) -> EpisodeResults:
    """One episode per row: observe, update the belief, plan, execute a block, until success or the budget is spent.

    Counting stops at a row's success, at once, even in the middle of a block; the row continues harmlessly until all
    have finished. A row whose agent abstains does not act, and has not succeeded.

    Args:
        world: B environments.
        agent: Pursues the goals.
        seeds: B seeds, one episode each.
        budget_steps: Control steps allowed.
        record_frames: Whether to keep what the first camera sees.
        goal: What is wanted, B rows; by default the world's own goals. The world cannot judge any other: without a
            `judge` such episodes use their whole budget, and none counts as a success.
        judge: Tells of what is shown which rows have reached `goal`, or none.

    Raises:
        ContractError: Not one seed per row, or a budget below 1.
        WorldError: Frames are wanted of a world without a camera, or the world fails.
        PlanningError: No goal, or whatever the agent's planner raises.
    """
    if len(seeds) != world.batch or budget_steps < 1:
        raise ContractError(
            "these episodes cannot be run",
            got=f"{len(seeds)} seeds, a budget of {budget_steps} steps",
            expected=f"{world.batch} seeds (the world's batch), at least one step",
        )
    camera = _camera(world) if record_frames else None
    observation = world.reset(seeds)
    aim = world.goal()
    agent.begin(observation, aim if goal is None else goal)
    tally = _Tally(world, observation, own=goal is None, judge=judge)
    film = [] if camera is None else [np.array(observation.values[camera])]
    plans: list[tuple[float, int]] = []
    step = 0
    probability = None
    reasons: list[Reason | None] = [None] * world.batch
    lost: list[str | None] = [None] * world.batch
    while step < budget_steps and tally.active.any():
        decision = agent.act(observation, tally.active.copy())
        if decision.forecast is not None:
            probability = np.full(world.batch, np.nan)
            probability[[*decision.plan_rows]] = decision.forecast.probability.double().cpu().numpy()
        for row, reason in decision.abstained.items():
            reasons[row] = reason
            tally.active[row] = False
        if decision.lead is not None:
            for index, row in enumerate(decision.plan_rows):
                lost[row] = decision.lead.because(index)
        if decision.plan is not None:
            plans.append((decision.plan.seconds, len(decision.plan_rows)))
        for control in np.moveaxis(decision.controls, 1, 0)[: budget_steps - step]:
            transition = world.step(control)
            observation, step = transition.observation, step + 1
            tally.count(world, transition, step)
            if camera is not None:
                film.append(np.array(observation.values[camera]))
    return EpisodeResults(
        seeds=tuple(int(seed) for seed in seeds),
        success=tally.success,
        steps_to_success=np.where(tally.success, tally.steps, -1),
        steps=tally.steps,
        final_distance=tally.distance,
        plan_seconds=tuple(seconds for seconds, _ in plans),
        plan_rows=tuple(rows for _, rows in plans),
        frames=np.stack(film, 1) if film else None,
        goal_frames=None if camera is None or aim is None else np.array(aim.values[camera]),
        success_probability=probability,
        abstained=tuple(reasons) if any(reason is not None for reason in reasons) else (),
        lost=tuple(lost) if any(reason is not None for reason in lost) else (),
    )


class _Tally:
    """Which rows still count, and what the others came to."""

    def __init__(self, world: World, observation: Observation, own: bool, judge: Judge | None) -> None:
        self._own, self._judge = own, judge
        # A row that starts at its goal has reached it in no steps; `monde.evaluation` never scores such starts.
        self.success = self._reached(world, observation)
        self.active = ~self.success
        self.steps = np.zeros(world.batch, dtype=np.int64)
        distance = world.goal_distance() if own else None
        self.distance = None if distance is None else np.array(distance)

    def count(self, world: World, transition: Transition, step: int) -> None:
        """Take in what one control step did to the rows that still count."""
        now = self._reached(world, transition.observation) & self.active
        distance = world.goal_distance()
        if self.distance is not None and distance is not None:
            self.distance = np.where(self.active, distance, self.distance)
        self.steps = np.where(self.active, step, self.steps)
        self.success = self.success | now
        self.active = self.active & ~now & ~transition.ended

    def _reached(self, world: World, observation: Observation) -> Bool[np.ndarray, " B"]:
        if self._judge is not None:
            return np.array(self._judge(observation))
        return np.array(world.success()) & self._own


def _camera(world: World) -> str:
    for sensor in world.sensors:
        if sensor.kind == "rgb":
            return sensor.name
    raise WorldError(
        f"world {world.name!r} has no camera to film with",
        got=f"sensors {[sensor.name for sensor in world.sensors]}",
        remedy="run the episodes without record_frames",
    )
