"""What becomes of a situation: simulated, held still, or carried on at constant velocity."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float64

from monde.bets.questions.rooms import Room, frames_of
from monde.bets.questions.stage import CONFIG, Stage, held
from monde.bets.situations import Standing


@runtime_checkable
class Foresight(Protocol):
    """Foresees rooms and two rooms."""

    def room(self, room: Room, seconds: float) -> Float64[np.ndarray, "K 2"]:
        """Where the discs are after a time, px."""
        ...

    def stage(self, standing: Standing, rows: Sequence[Sequence[float]]) -> Float64[np.ndarray, " 2"]:
        """Where the disc is after actions (ax, ay, steps), px."""
        ...


class Simulated:
    """The simulator, restarted."""

    def room(self, room: Room, seconds: float) -> Float64[np.ndarray, "K 2"]:
        """By the physics that the questions are made with."""
        return room.future(frames_of(seconds)).position[-1]

    def stage(self, standing: Standing, rows: Sequence[Sequence[float]]) -> Float64[np.ndarray, " 2"]:
        """By the world itself."""
        stage = Stage(standing.door, standing.start[None])
        return stage.play(held(rows)[:, None])[-1, 0]


class CopyLast:
    """Everything stays where it is."""

    def room(self, room: Room, seconds: float) -> Float64[np.ndarray, "K 2"]:
        """The places now."""
        return np.array([body.position for body in room.bodies])

    def stage(self, standing: Standing, rows: Sequence[Sequence[float]]) -> Float64[np.ndarray, " 2"]:
        """The start."""
        return standing.start


class ConstantVelocity:
    """Everything goes on as it goes: no walls, no gravity, no bounces."""

    def room(self, room: Room, seconds: float) -> Float64[np.ndarray, "K 2"]:
        """Place plus velocity times time."""
        return np.array([body.position for body in room.bodies]) + seconds * np.array(
            [body.velocity for body in room.bodies]
        )

    def stage(self, standing: Standing, rows: Sequence[Sequence[float]]) -> Float64[np.ndarray, " 2"]:
        """The sum of the actions, through walls."""
        return standing.start + CONFIG.step_pixels * held(rows).sum(axis=0)
