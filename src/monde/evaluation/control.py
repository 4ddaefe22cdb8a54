"""Control: how often an agent reaches its goal, how fast, and at what price, beside agents that do not plan."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from monde.agents import Agent, EpisodeResults, PlanningAgent, Strategy, random_agent, run_episodes, stay_agent
from monde.errors import ContractError
from monde.evaluation.protocol import describe_strategy
from monde.evaluation.starts import draw_starts
from monde.evaluation.statistics import mean_interval, wilson
from monde.evaluation.timing import MakeWorld, time_plans, time_rows
from monde.evaluation.told import trust_rows, way_rows
from monde.protocols import WorldModel
from monde.scorecard import Row


@dataclass(frozen=True, kw_only=True)
class ControlConfig:
    """How control is scored.

    Args:
        episodes: n.
        budget_steps: Control steps allowed.
        seed: Of starts, goals and the planner's noise.
        batch: Episodes run side by side.
        replan_every: Blocks executed of each plan.
        hypotheses: Futures imagined for each action sequence.
        deadline_seconds: Wall time allowed for each plan, or none.
        timed_plans: Plans of a single problem that are timed one at a time.
        films: Episodes whose camera frames are kept.
        abstain: Whether the agent may give up a goal before it acts; it then counts as failed.

    Raises:
        ContractError: A size below 1.
    """

    episodes: int = 50
    budget_steps: int = 100
    seed: int = 0
    batch: int = 50
    replan_every: int = 1
    hypotheses: int = 1
    deadline_seconds: float | None = None
    timed_plans: int = 30
    films: int = 0
    abstain: bool = False

    def __post_init__(self) -> None:
        sizes = (self.episodes, self.budget_steps, self.batch, self.replan_every, self.hypotheses, self.timed_plans)
        if min(sizes) < 1 or self.films < 0:
            raise ContractError("ControlConfig has an empty size", got=self, expected="everything ≥ 1, films ≥ 0")


@dataclass(frozen=True, kw_only=True)
class ControlScore:
    """What scoring control found.

    Args:
        rows: `success`, `steps_to_success` (where any), `final_distance` (where the world tells), `plan_seconds`,
            `plan_seconds_p95`, `plans_per_second_batched`; what `trust_rows` tells where the strategy has trust; and
            `no_way` where a guide found none.
        seeds: Seeds of the episodes, in order.
        redrawn: Starts that were drawn again because they were already at their goal.
        films: Results, with frames, of the first episodes, or none.
        planner: Settings, for the protocol card.
    """

    rows: tuple[Row, ...]
    seeds: tuple[int, ...]
    redrawn: int
    films: EpisodeResults | None
    planner: dict[str, object]


def score_control(
    model: WorldModel,
    strategy: Strategy,
    world_name: str,
    config: ControlConfig | None = None,
    make_world: MakeWorld | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ControlScore:
    """Run n episodes with goals of the world's own, and the same episodes with agents that act at random or stay.

    A start that already satisfies the success test is never used: it is drawn again, and counted.

    Args:
        model: Imagines.
        strategy: How it plans.
        world_name: World that the model knows.
        config: How.
        make_world: Makes worlds by name; by default `monde.worlds.make`.
        progress: Told the episodes done and wanted.

    Raises:
        WorldError: No goal of its own, or starts that are at their goal again and again.
        PlanningError: Whatever the planner raises.
    """
    config = config or ControlConfig()
    make = make_world or _registry()
    seeds, redrawn = draw_starts(lambda batch: make(world_name, batch), config.episodes, config.seed, config.batch)

    agent = _planning_agent(model, strategy, config)
    planned = _run(make, world_name, agent, seeds, config, config.films > 0, progress)
    others = {"random": random_agent(model.actions, config.seed), "stay": stay_agent(model.actions)}
    floors = {name: _run(make, world_name, other, seeds, config) for name, other in others.items()}
    rows = _success_rows(planned, floors, redrawn, config) + trust_rows(planned, config.seed) + way_rows(planned)
    singles = time_plans(
        model,
        strategy,
        make,
        world_name,
        seeds,
        plans=config.timed_plans,
        seed=config.seed,
        hypotheses=config.hypotheses,
        deadline_seconds=config.deadline_seconds,
    )
    rows += time_rows(planned, singles, config.seed, config.batch)
    films = first_rows(planned[0], config.films) if config.films else None
    return ControlScore(rows=tuple(rows), seeds=seeds, redrawn=redrawn, films=films, planner=_settings(agent))


def first_rows(results: EpisodeResults, count: int) -> EpisodeResults:
    """The first `count` episodes of some results."""
    distance, frames, goals = results.final_distance, results.frames, results.goal_frames
    probability = results.success_probability
    return replace(
        results,
        seeds=results.seeds[:count],
        success=results.success[:count],
        steps_to_success=results.steps_to_success[:count],
        steps=results.steps[:count],
        final_distance=None if distance is None else distance[:count],
        # A copy: a view would keep the frames of all episodes in memory.
        frames=None if frames is None else frames[:count].copy(),
        goal_frames=None if goals is None else goals[:count].copy(),
        success_probability=None if probability is None else probability[:count],
        abstained=results.abstained[:count],
        lost=results.lost[:count],
    )


def _planning_agent(model: WorldModel, strategy: Strategy, config: ControlConfig) -> PlanningAgent:
    return PlanningAgent(
        model,
        strategy,
        seed=config.seed,
        replan_every=config.replan_every,
        hypotheses=config.hypotheses,
        deadline_seconds=config.deadline_seconds,
        abstain=config.abstain,
    )


def _settings(agent: PlanningAgent) -> dict[str, object]:
    return describe_strategy(
        agent.strategy,
        replan_every=agent.replan_every,
        hypotheses=agent.hypotheses,
        deadline_seconds=agent.deadline_seconds,
        abstain=agent.abstain,
        block=agent.model.actions.block,
    )


def _run(
    make: MakeWorld,
    world_name: str,
    agent: Agent,
    seeds: tuple[int, ...],
    config: ControlConfig,
    film: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> list[EpisodeResults]:
    found = []
    for start in range(0, len(seeds), config.batch):
        chunk = seeds[start : start + config.batch]
        world = make(world_name, len(chunk))
        try:
            found.append(run_episodes(world, agent, chunk, config.budget_steps, film and start == 0))
        finally:
            world.close()
        if progress is not None:
            progress(start + len(chunk), len(seeds))
    return found


def _success_rows(
    planned: list[EpisodeResults], floors: dict[str, list[EpisodeResults]], redrawn: int, config: ControlConfig
) -> list[Row]:
    success = np.concatenate([result.success for result in planned])
    n, reached = len(success), int(success.sum())
    shares = {
        name: float(np.concatenate([result.success for result in results]).mean()) for name, results in floors.items()
    }
    note = f"budget {config.budget_steps} control steps; {redrawn} starts at their goal were drawn again"
    rows = [Row(metric="success", value=reached / n, interval=wilson(reached, n), n=n, floors=shares, note=note)]
    if reached:
        steps = np.concatenate([result.steps_to_success for result in planned])[success].astype(float)
        mean, interval = mean_interval(steps, config.seed)
        note = "control steps, mean over the episodes that succeeded"
        rows.append(Row(metric="steps_to_success", value=mean, unit="steps", interval=interval, n=reached, note=note))
    distances = [result.final_distance for result in planned]
    known = [distance for distance in distances if distance is not None]
    if len(known) == len(planned):
        mean, interval = mean_interval(np.concatenate(known).astype(float), config.seed)
        far = {
            name: float(np.mean([d for r in results if r.final_distance is not None for d in r.final_distance]))
            for name, results in floors.items()
        }
        note = "in the world's unit, as the world measures it, at success or at the end of the budget"
        rows.append(Row(metric="final_distance", value=mean, interval=interval, n=n, floors=far, note=note))
    return rows


def _registry() -> MakeWorld:
    from monde.worlds import make

    return make
