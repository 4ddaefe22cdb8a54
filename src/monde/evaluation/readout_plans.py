"""Planning to goals that readouts tell: a target with a tolerance, a predicate, or what is pointed at."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from monde import worlds
from monde.actors import Actor
from monde.agents import (
    EpisodeResults,
    GoalFinder,
    PlanningAgent,
    Strategy,
    device_of,
    observation_to_clip,
    reached,
    run_episodes,
)
from monde.costs import Constraint, PredicateMiss, ReadoutDistance, Sum, TimeToGoal
from monde.evaluation.goals import BANK_FRAMES, fit_readouts, parse_goal, readable_states, spread
from monde.evaluation.keeping_out import Watch, kept_out, parse_volume
from monde.evaluation.plan_config import PlanConfig, PlannedEpisodes
from monde.evaluation.pointed_goals import is_pointed_goal, pointed_goal
from monde.evaluation.protocol import describe_strategy
from monde.evaluation.showing import filmed
from monde.evaluation.statistics import mean_interval, wilson
from monde.evaluation.told import trust_rows, way_rows
from monde.models import JEPA
from monde.protocols import Observation, WorldModel
from monde.scorecard import Row
from monde.training.setup import Setup
from monde.types import PredicateGoal, ReadoutGoal


def plan_to_readout(model: JEPA, setup: Setup, strategy: Strategy, name: str, config: PlanConfig) -> PlannedEpisodes:
    """Fit the readouts that the goal names, plan to it, and judge success by them.

    Raises:
        UsageError: A goal, or a volume to keep out of, that cannot be read.
        ContractError: A goal that is pointed at where it is not known what is there.
        PlanningError: Nothing that was trained on satisfies the goal.
    """
    states = readable_states(setup)
    volumes = tuple(parse_volume(text, states) for text in config.keep_out)
    seeds = tuple(range(config.seed, config.seed + config.episodes))
    world = worlds.make(name, len(seeds))
    try:
        if is_pointed_goal(config.goal):
            goal: ReadoutGoal | PredicateGoal = pointed_goal(config.goal, states, world, world.reset(seeds))
        else:
            goal = parse_goal(config.goal, states, config.episodes)
        told = goal.readouts if isinstance(goal, PredicateGoal) else (goal.readout,)
        names = tuple(dict.fromkeys([*told, *(volume.name for volume in volumes)]))
        data, readouts = fit_readouts(model, setup, names)
        bank = data.latents[spread(len(data), BANK_FRAMES)]
        ready = kept_out(for_readouts(strategy, readouts, goal, bank), volumes, readouts)
        watch = Watch(volumes, readout_judge(model, readouts, goal))
        agent = PlanningAgent(model, ready, seed=config.seed, abstain=config.abstain)
        results = run_episodes(world, agent, seeds, config.budget_steps, filmed(world.sensors), goal, watch)
    finally:
        world.close()
    settings = describe_strategy(ready, block=model.actions.block)
    rows = (*_rows(results, config), *watch.rows())
    return PlannedEpisodes(rows=rows, results=results, planner=settings, seeds=seeds)


def for_readouts(
    strategy: Strategy,
    readouts: Mapping[str, Callable[[Tensor], Tensor]],
    goal: ReadoutGoal | PredicateGoal,
    bank: Tensor,
) -> Strategy:
    """The strategy made ready for goals told by readouts: where it has an actor, latents are found for it to pursue;
    else its cost becomes one over readouts.

    Args:
        strategy: As for other goals.
        readouts: By name.
        goal: Of the kind that is planned to.
        bank: [M, N, D] latents of training frames.
    """
    terms = strategy.cost.terms if isinstance(strategy.cost, Sum) else ((1.0, strategy.cost),)
    head = next((term.head for _, term in terms if isinstance(term, TimeToGoal)), None)
    if isinstance(strategy.actor, Actor) and head is not None:
        return replace(strategy, finder=GoalFinder(bank=bank, readouts=readouts, actor=strategy.actor, distance=head))
    wanted = (PredicateMiss if isinstance(goal, PredicateGoal) else ReadoutDistance)(readouts=readouts)
    # What is forbidden stays so, whatever the goal is told by.
    forbidden = tuple((weight, term) for weight, term in terms if isinstance(term, Constraint))
    return replace(strategy, cost=Sum(((1.0, wanted), *forbidden)) if forbidden else wanted, trust=None)


def readout_judge(
    model: WorldModel, readouts: Mapping[str, Callable[[Tensor], Tensor]], goal: ReadoutGoal | PredicateGoal
) -> Callable[[Observation], Bool[np.ndarray, " B"]]:
    """The success test by readout, of what the sensors show."""

    @torch.no_grad()
    def judge(observation: Observation) -> Bool[np.ndarray, " B"]:
        latents = model.encode(observation_to_clip(observation, model.sensors, device_of(model))).values[:, 0]
        return reached(readouts, latents.float(), goal).cpu().numpy()

    return judge


def _rows(results: EpisodeResults, config: PlanConfig) -> tuple[Row, ...]:
    n, arrived = len(results.seeds), int(results.success.sum())
    note = f"by the readout, after any control step of {config.budget_steps}"
    rows = [Row(metric="success", value=arrived / n, interval=wilson(arrived, n), n=n, note=note)]
    if arrived:
        mean, interval = mean_interval(results.steps_to_success[results.success].astype(float), config.seed)
        rows.append(Row(metric="steps_to_success", value=mean, unit="steps", interval=interval, n=arrived))
    if results.plan_seconds:
        each = [seconds / rows for seconds, rows in zip(results.plan_seconds, results.plan_rows, strict=True)]
        note = "batched, per episode"
        rows.append(Row(metric="plan_seconds", value=float(np.mean(each)), unit="s", n=len(each), note=note))
    return (*rows, *trust_rows([results], config.seed), *way_rows([results]))
