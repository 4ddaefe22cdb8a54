"""What leads a planner over far distances, as a run has it: landmarks, levels of time, or a choice of them."""

from pathlib import Path

import torch

from monde.actors import Actor, proposal
from monde.costs import TimeToGoal
from monde.dynamics.time_level import TimeLevel
from monde.errors import UsageError
from monde.models import weights_hash
from monde.planning import (
    ChoosingGuide,
    Guide,
    HybridConfig,
    HybridPlanner,
    LandmarkGuide,
    Landmarks,
    LevelGuide,
    LevelStrategy,
)
from monde.readouts import TemporalDistance
from monde.store import RunFolder, content_hash
from monde.types import Belief, LatentGoal
from monde.types.plans import Propose

LEVEL_PLANNER = HybridPlanner(HybridConfig(horizon=1, samples=64, rounds=2))
"""What searches over macro-actions."""


def choose_guide(name: str, run: Path, device: torch.device) -> Guide | None:
    """The guide called `name`, or for "auto" a choice of those that the run has; none where it has none.

    Raises:
        UsageError: A guide that the run does not have.
        StoreError: It was made with another model, another temporal distance or another level below.
    """
    folder = RunFolder(run)
    if name == "landmarks":
        return _landmarks(run, device)
    if name == "hierarchical":
        return _levels(run, device)
    guides: list[Guide] = []
    if folder.landmarks.exists():
        guides.append(_landmarks(run, device))
    if folder.levels():
        guides.append(_levels(run, device))
    return ChoosingGuide(_distance(run, device).distance, tuple(guides)) if guides else None


def _landmarks(run: Path, device: torch.device) -> LandmarkGuide:
    folder = RunFolder(run)
    if not folder.landmarks.exists():
        raise UsageError(
            "planner 'landmarks' needs landmarks", got=f"{run} has none", remedy=f"make them: monde far {run}"
        )
    head = _distance(run, device)
    graph = Landmarks.load(folder.landmarks, weights_hash(run), content_hash(folder.temporal_distance))
    return LandmarkGuide(graph.to(device), head.distance)


def _levels(run: Path, device: torch.device) -> LevelGuide:
    folder = RunFolder(run)
    numbers = folder.levels()
    if not numbers:
        remedy = f"fit one: monde far {run} --levels 2"
        raise UsageError("planner 'hierarchical' needs a level of time", got=f"{run} has none", remedy=remedy)
    strategies, of, span = [], weights_hash(run), 1.0
    for number in numbers:
        place = folder.level(number)
        level = TimeLevel.load(place / "dynamics", of).to(device).requires_grad_(False)
        of, span = content_hash(place / "dynamics"), span * level.config.span
        strategies.append(_level(place, level, of, span, device))
    guide = LevelGuide(strategies[-1])
    for strategy in reversed(strategies[:-1]):
        guide = LevelGuide(strategy, guide)
    return guide


def _level(place: Path, level: TimeLevel, of: str, span: float, device: torch.device) -> LevelStrategy:
    actor = Actor.load(place / "actor", of).to(device)
    head = TemporalDistance.load(place / "temporal_distance", of).to(device)

    def propose(belief: Belief, goal: LatentGoal) -> Propose:
        return proposal(level, actor, belief, goal)

    return LevelStrategy(
        dynamics=level,
        planner=LEVEL_PLANNER,
        cost=TimeToGoal(head=head),
        between=head.distance,
        propose=propose,
        span_blocks=span,
    )


def _distance(run: Path, device: torch.device) -> TemporalDistance:
    return TemporalDistance.load(RunFolder(run).temporal_distance, weights_hash(run)).to(device)
