"""Goals as clients send them: by value. Nothing that a goal names is opened, but frames of the run's own recording."""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from jaxtyping import Shaped

from monde.agents import observation_to_clip
from monde.errors import ServingError
from monde.protocols import Observation, WorldModel
from monde.serving.sensing import read_sample
from monde.types import Goal, PictureGoal
from monde.wire import fields

GOAL_KINDS = ("picture", "frame", "readout")

FrameOf = Callable[[int, int], Mapping[str, Shaped[np.ndarray, "..."]]]
"""Episode and step of the run's recording to what its sensors showed."""


def read_goal(document: Mapping[str, object], model: WorldModel, frame_of: FrameOf | None = None) -> Goal:
    """A goal from its document.

    Raises:
        ServingError: Another kind, a path, an address, or a frame that the recording does not have.
    """
    kind = document.get("kind")
    if kind == "picture":
        fields.only(document, ("kind", "sensors"), "goal")
        return _picture(fields.arrays(document, "sensors", "goal"), model)
    if kind == "frame":
        fields.only(document, ("kind", "episode", "step"), "goal")
        if frame_of is None:
            raise ServingError("the run's recording is not here: its frames cannot be goals", remedy="send a picture")
        episode, step = (fields.whole(document, name, "goal", most=2**31) for name in ("episode", "step"))
        return _picture(frame_of(episode, step), model)
    raise ServingError(
        "the goal is of no known kind",
        got=str(kind)[:40],
        expected="picture or frame, by value: paths and addresses are never opened",
        remedy='send {"kind": "picture", "sensors": {NAME: array}}',
    )


def _picture(arrays: Mapping[str, Shaped[np.ndarray, "..."]], model: WorldModel) -> PictureGoal:
    sample = read_sample(arrays, model.sensors)
    values = {name: array[None] for name, array in sample.values.items()}
    clip = observation_to_clip(Observation(values, np.zeros(1)), model.sensors)
    return PictureGoal(clip)
