"""A robot class in the manner of LeRobot as a body: `get_observation` and `send_action`, dictionaries of names."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from monde.client.actions import Actions
from monde.client.episode import Done, Seen
from monde.client.gymnasium import frame
from monde.client.session import Session
from monde.errors import ServingError


@runtime_checkable
class Robot(Protocol):
    """What is needed of a `lerobot.robots.Robot`, which need not be installed here."""

    def get_observation(self) -> Mapping[str, object]:
        """Numbers by joint, pictures [h, w, 3] by camera."""
        ...

    def send_action(self, action: Mapping[str, float]) -> Mapping[str, object] | None:
        """Act once; what was really sent, where the robot bounds it further."""
        ...


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """Which of the robot's names are which of the model's, and in which units.

    Args:
        actions: The robot's names of the action's components, in the model's order; empty for the model's own names.
        cameras: The model's camera to the robot's; those left out have the same name.
        states: The model's state to the robot's names of its components, in order.
        scale: The robot's units in one of the model's, for each component of the action (π / 180 where the robot wants
            radians and the model was trained on degrees).
        offset: Added after scaling.
    """

    actions: tuple[str, ...] = ()
    cameras: Mapping[str, str] = field(default_factory=dict)
    states: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    scale: tuple[float, ...] = ()
    offset: tuple[float, ...] = ()


class RobotBody:
    """Closes the loop with a robot.

    Args:
        robot: Connected already.
        session: Says what the model reads and does.
        wiring: Names and units.
        safe: From what was last observed to the action, in the robot's names and units, that brings it to rest; none
            for the server's safe control step. Where actions are positions, hold the present ones: see `hold`.

    Raises:
        ServingError: A sensor or an action that is wired to nothing.
    """

    def __init__(
        self,
        robot: Robot,
        session: Session,
        wiring: Wiring | None = None,
        safe: Callable[[Mapping[str, object]], Mapping[str, float]] | None = None,
    ) -> None:
        self.robot, self.wiring = robot, wiring or Wiring()
        self._sensors, self._actions, self._safe = session.sensors, session.actions, safe
        self._names = self.wiring.actions or session.actions.names
        self._seen: Mapping[str, object] = {}
        self._check(session.actions)

    def observe(self) -> Seen:
        """What the robot's sensors show; as old as reading them took."""
        began = monotonic()
        self._seen = self.robot.get_observation()
        values = {str(sensor["name"]): self._sensor(sensor) for sensor in self._sensors}
        return Seen(values, monotonic() - began)

    def apply(self, control: Float32[np.ndarray, " dim"]) -> Done:
        """Send one action; what the robot made of it counts as done."""
        scale, offset = self._units()
        values = control * scale + offset
        sent = self.robot.send_action({name: float(value) for name, value in zip(self._names, values, strict=True)})
        if sent is None:
            return Done(control)
        done = np.array([float(str(sent.get(name, value))) for name, value in zip(self._names, values, strict=True)])
        return Done(((done - offset) / scale).astype(np.float32))

    def rest(self, safe: Float32[np.ndarray, " dim"]) -> None:
        """Send the safe action."""
        if self._safe is None:
            self.apply(safe)
        else:
            self.robot.send_action(dict(self._safe(self._seen)))

    def hold(self, seen: Mapping[str, object]) -> dict[str, float]:
        """The present positions as the action: rest, for a robot whose actions are positions."""
        return {name: float(str(seen[name])) for name in self._names}

    def _units(self) -> tuple[np.ndarray, np.ndarray]:
        ones = np.ones(self._actions.dim)
        scale = np.array(self.wiring.scale) if self.wiring.scale else ones
        return scale, np.array(self.wiring.offset) if self.wiring.offset else 0 * ones

    def _sensor(self, sensor: Mapping[str, object]) -> np.ndarray:
        name = str(sensor["name"])
        if sensor["kind"] in {"rgb", "depth"}:
            picture = self._read(self.wiring.cameras.get(name, name))
            return frame(np.asarray(picture)) if sensor["kind"] == "rgb" else np.asarray(picture, np.float32)
        names = self.wiring.states.get(name) or _names(sensor)
        return np.array([float(str(self._read(each))) for each in names], np.float32)

    def _read(self, name: str) -> object:
        if name not in self._seen:
            raise ServingError(
                f"the robot does not show {name!r}",
                got=", ".join(map(str, self._seen)),
                remedy="say in Wiring which of its names is meant",
            )
        return self._seen[name]

    def _check(self, actions: Actions) -> None:
        if actions.choices or len(self._names) != actions.dim:
            raise ServingError(
                "the model's actions are wired to nothing",
                got=f"names {list(self._names)}",
                expected=f"{actions.dim} names of continuous actions",
                remedy="name them: Wiring(actions=(...))",
            )
        for told, values in (("scale", self.wiring.scale), ("offset", self.wiring.offset)):
            if values and len(values) != actions.dim:
                raise ServingError(f"Wiring.{told} has another width", got=len(values), expected=actions.dim)
        if any(value == 0 for value in self.wiring.scale):
            raise ServingError("Wiring.scale has a zero", got=self.wiring.scale, expected="numbers other than 0")


def _names(sensor: Mapping[str, object]) -> Sequence[str]:
    names = sensor.get("names")
    if not isinstance(names, Sequence) or not names:
        raise ServingError(
            f"the components of {sensor['name']!r} are wired to nothing", remedy="name them: Wiring(states={...})"
        )
    return [str(name) for name in names]
