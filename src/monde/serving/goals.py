"""Goals as clients send them: by value. Nothing that a goal names is opened, but frames of the run's own recording."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Shaped

from monde.agents import observation_to_clip
from monde.errors import ServingError
from monde.mind import AnyGoal, GoalFrame, GoalPicture
from monde.protocols import Observation, WorldModel
from monde.serving.sensing import read_sample
from monde.types import Goal, PictureGoal
from monde.wire import read

FrameOf = Callable[[int, int], Mapping[str, Shaped[np.ndarray, "..."]]]
"""Episode and step of the run's recording to what its sensors showed."""


@dataclass(frozen=True)
class _Wanted:
    goal: AnyGoal


def read_goal(document: Mapping[str, object], model: WorldModel, frame_of: FrameOf | None = None) -> Goal:
    """A goal from its document.

    Raises:
        ServingError: Another kind, a path, an address, or a frame that the recording does not have.
    """
    goal = read(_Wanted, {"goal": document}, "Begin").goal
    if isinstance(goal, GoalPicture):
        return _picture(goal.sensors, model)
    if isinstance(goal, GoalFrame):
        if frame_of is None:
            raise ServingError("the run's recording is not here: its frames cannot be goals", remedy="send a picture")
        return _picture(frame_of(goal.episode, goal.frame), model)
    raise ServingError(
        "a control session cannot pursue this kind of goal",
        got=type(goal).__name__,
        expected="GoalPicture or GoalFrame",
        remedy="send the picture that it should look like",
    )


def _picture(arrays: Mapping[str, Shaped[np.ndarray, "..."]], model: WorldModel) -> PictureGoal:
    sample = read_sample(arrays, model.sensors)
    values = {name: array[None] for name, array in sample.values.items()}
    return PictureGoal(observation_to_clip(Observation(values, np.zeros(1)), model.sensors))
