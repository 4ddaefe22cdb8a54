"""What leads a planner over far distances, as a run has it."""

from pathlib import Path

import torch

from monde.errors import UsageError
from monde.models import weights_hash
from monde.planning import ChoosingGuide, Guide, LandmarkGuide, Landmarks
from monde.readouts import TemporalDistance
from monde.store import RunFolder
from monde.training.landmarks import distance_hash


def choose_guide(name: str, run: Path, device: torch.device) -> Guide | None:
    """The guide called `name`, or for "auto" a choice of those that the run has; none where it has none.

    Raises:
        UsageError: A guide that the run does not have.
        StoreError: It was made with another model or another temporal distance.
    """
    folder = RunFolder(run)
    if name == "landmarks":
        return _landmarks(run, device)
    if not folder.landmarks.exists():
        return None
    return ChoosingGuide(_distance(run, device).distance, (_landmarks(run, device),))


def _landmarks(run: Path, device: torch.device) -> LandmarkGuide:
    folder = RunFolder(run)
    if not folder.landmarks.exists():
        raise UsageError(
            "planner 'landmarks' needs landmarks", got=f"{run} has none", remedy=f"make them: monde far {run}"
        )
    head = _distance(run, device)
    graph = Landmarks.load(folder.landmarks, weights_hash(run), distance_hash(folder.temporal_distance))
    return LandmarkGuide(graph.to(device), head.distance)


def _distance(run: Path, device: torch.device) -> TemporalDistance:
    return TemporalDistance.load(RunFolder(run).temporal_distance, weights_hash(run)).to(device)
