"""Fitting and judging trust: a run's own episodes, in which it is known what came of each plan."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from monde import worlds
from monde.actors import Actor, ForesightConfig
from monde.agents import FEATURES, PlanningAgent, Strategy, Trust, TrustSettings, features, heads_hash, run_episodes
from monde.errors import UsageError
from monde.evaluation.calibration import calibration_rows
from monde.evaluation.hindsight import hindsight_episodes
from monde.evaluation.protocol import describe_strategy, protocol_card, scorecard
from monde.evaluation.run import check_world, recorded_world
from monde.evaluation.starts import draw_starts
from monde.evaluation.timing import MakeWorld
from monde.evaluation.trust_config import TrustConfig, Witnessed
from monde.models import JEPA, load_model, refuse_placed, weights_hash
from monde.protocols import WorldModel
from monde.readouts import (
    REFERENCES,
    Familiarity,
    SuccessProbabilityConfig,
    TemporalDistance,
    fit_familiarity,
    fit_success_probability,
)
from monde.scorecard import Scorecard
from monde.store import RunFolder, remove_artefact, write_json
from monde.training import choose_device, choose_precision
from monde.training.frame_latents import encode_steps
from monde.training.setup import Setup, reopen
from monde.types import Belief, Forecast, Goal, Plan

Heads = tuple[Actor, TemporalDistance, Familiarity]
"""What a forecast looks with."""

NEVER_NEAR = 0.999
"""Share of the episodes that succeeded which imagination must have come nearer in than the limit of "never near"."""


def fit_trust(
    run: Path,
    strategy: Strategy,
    config: TrustConfig | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Scorecard:
    """Run episodes, fit, judge on others, and keep it in the run's folder (trust/ and trust.json).

    Raises:
        UsageError: No actor or temporal distance, or no world to act in and no recording to look back on.
        DataError: Hardly any success or failure to learn from.
        StoreError: Not a run, or heads of another model.
    """
    refuse_placed(run, "trust")
    config = config or TrustConfig()
    tell = progress or (lambda stage, done, wanted: None)
    _, setup = reopen(run)
    device = choose_device(config.device)
    model = load_model(run, device).requires_grad_(False)
    model.autocast = choose_precision(config.precision, device)
    actor, distance = load_heads(run, device)
    tell("encoding", 0, 1)
    heads = (actor, distance, familiar(model, setup))
    name = config.world or recorded_world(setup) or "hindsight"
    foresight = foresight_of(model, config)
    strategy = replace(strategy, trust=None)
    if name == "hindsight":
        fitted, judged = hindsight_episodes(model, setup, strategy, heads, foresight, config)
        seeds: tuple[int, ...] = ()
    else:
        check_world(setup, name)
        make = worlds.make
        total = config.episodes + config.judged
        seeds, _ = draw_starts(lambda batch: make(name, batch), total, config.seed, config.batch)

        def count(done: int) -> None:
            tell("episodes", done, total)

        fitted = witness(model, strategy, heads, foresight, make, name, seeds[: config.episodes], config, count)
        judged = witness(model, strategy, heads, foresight, make, name, seeds[config.episodes :], config, count)
    trust = learn_trust(heads, foresight, fitted, strategy, config)
    place = RunFolder(run).trust
    remove_artefact(place)
    trust.save(place, heads_hash(run))
    with torch.no_grad():
        probability = trust.head(judged.features).double().cpu().numpy()
    card = protocol_card(
        world=name,
        budget_steps=config.budget_steps,
        seeds=seeds[config.episodes :],
        planner=describe_strategy(strategy, block=model.actions.block),
        data_hash=setup.recording.fingerprint,
        goal="the world's own, drawn from the episode's seed" if seeds else "other frames of held-out episodes",
        extra={"episodes_fitted": len(fitted.reached), "least_probability": config.least_probability},
    )
    rows = calibration_rows(probability, judged.reached, config.seed)
    score = scorecard(f"{run.name}: trust", rows, card, (config.seed,))
    write_json(RunFolder(run).trust_score, score.to_json())
    return score


def load_heads(run: Path, device: torch.device) -> tuple[Actor, TemporalDistance]:
    """The actor and the temporal distance of a run.

    Raises:
        UsageError: It has none.
        StoreError: They belong to another model.
    """
    folder, of = RunFolder(run), weights_hash(run)
    if not (folder.actor.exists() and folder.temporal_distance.exists()):
        raise UsageError(
            "success is foretold by rolling out an actor under a learned time",
            got=f"{run} has none",
            remedy=f"fit them: monde actor {run}",
        )
    distance = TemporalDistance.load(folder.temporal_distance, of).to(device)
    return Actor.load(folder.actor, of).to(device), distance


def familiar(model: JEPA, setup: Setup) -> Familiarity:
    """What was trained on, and how far held-out frames lie from it."""
    train, held_out = (
        encode_steps(model, setup, part, REFERENCES) for part in (setup.split.train, setup.split.held_out)
    )
    return fit_familiarity(train, held_out)


def foresight_of(model: JEPA, config: TrustConfig) -> ForesightConfig:
    """How far imagination looks: the whole budget."""
    blocks = -(-config.budget_steps // model.actions.block)
    return ForesightConfig(blocks=blocks, draws=config.draws, hypotheses=model.dynamics.members, seed=config.seed)


def learn_trust(
    heads: Heads, foresight: ForesightConfig, fitted: Witnessed, strategy: Strategy, config: TrustConfig
) -> Trust:
    """Fit the probability on episodes, and take the limit of "never near" from those that succeeded.

    Raises:
        DataError: Hardly any success or failure to learn from.
    """
    actor, distance, familiarity = heads
    reached = torch.from_numpy(fitted.reached)
    head = fit_success_probability(fitted.features, reached, SuccessProbabilityConfig(names=FEATURES, seed=config.seed))
    columns = [FEATURES.index("closest_time"), FEATURES.index("members_closest_best")]
    closest = fitted.features[reached.to(fitted.features.device)][:, columns].amin(1)
    settings = TrustSettings(
        foresight=foresight,
        least_probability=config.least_probability,
        never_near_blocks=float(torch.quantile(closest.float(), NEVER_NEAR)),
        planner=planner_name(strategy),
        budget_steps=config.budget_steps,
    )
    device = familiarity.mean.device
    return Trust(actor=actor, distance=distance, familiarity=familiarity, head=head.to(device), settings=settings)


def planner_name(strategy: Strategy) -> str:
    """What a probability is of: the strategy's settings as one line."""
    return json.dumps(describe_strategy(strategy), sort_keys=True)


def witness(
    model: WorldModel,
    strategy: Strategy,
    heads: Heads,
    foresight: ForesightConfig,
    make: MakeWorld,
    world_name: str,
    seeds: tuple[int, ...],
    config: TrustConfig,
    count: Callable[[int], None] | None = None,
) -> Witnessed:
    """Run an episode for each seed; nobody abstains."""
    found: list[Tensor] = []
    reached = []
    watched = replace(strategy, trust=_Witness(heads, foresight, found))
    for start in range(0, len(seeds), config.batch):
        chunk = seeds[start : start + config.batch]
        world = make(world_name, len(chunk))
        try:
            agent = PlanningAgent(model, watched, seed=config.seed)
            reached.append(run_episodes(world, agent, chunk, config.budget_steps).success)
        finally:
            world.close()
        if count is not None:
            count(start + len(chunk))
    return Witnessed(torch.cat(found), np.concatenate(reached))


@dataclass(frozen=True)
class _Witness:
    """Keeps what is known when an episode begins; says nothing."""

    heads: Heads
    foresight: ForesightConfig
    found: list[Tensor]

    def forecast(self, model: WorldModel, belief: Belief, goal: Goal, plan: Plan) -> Forecast | None:
        """Remember the features."""
        self.found.append(features(model, self.heads, belief, goal, plan, self.foresight))
        return None
