"""Goals as clients send them: by value. Nothing that a goal names is opened, but frames of the run's own recording."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from monde.agents import observation_to_clip
from monde.errors import ServingError
from monde.mind import AnyGoal, GoalPicture
from monde.protocols import Observation, WorldModel
from monde.serving.sensing import read_sample
from monde.types import Goal, PictureGoal
from monde.wire import read

Resolve = Callable[[AnyGoal], Goal]
"""A goal as it was sent to one that can be planned for."""


@dataclass(frozen=True)
class _Wanted:
    goal: AnyGoal


def read_goal(document: Mapping[str, object], model: WorldModel) -> AnyGoal:
    """A goal from its document; pictures are those of the model's sensors.

    Raises:
        ServingError: Another kind, a path or an address, or pictures that the model cannot read.
    """
    goal = read(_Wanted, {"goal": document}, "Begin").goal
    if isinstance(goal, GoalPicture):
        return GoalPicture(sensors=read_sample(goal.sensors, model.sensors).values, name=goal.name)
    return goal


def pictures_only(model: WorldModel) -> Resolve:
    """Resolves pictures, for a model that has nothing else to resolve goals with."""

    def resolve(goal: AnyGoal) -> Goal:
        if not isinstance(goal, GoalPicture):
            raise ServingError(
                "only pictures can be goals here", got=type(goal).__name__, remedy="send GoalPicture, by value"
            )
        return shown(goal, model)

    return resolve


def shown(goal: GoalPicture, model: WorldModel) -> PictureGoal:
    """A picture as the model reads it, not encoded yet: that is done for all that begin at once."""
    values = {name: array[None] for name, array in goal.sensors.items()}
    return PictureGoal(observation_to_clip(Observation(values, np.zeros(1)), model.sensors))
