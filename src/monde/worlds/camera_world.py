"""`CameraWorld`: what all worlds have in common that show a state and pictures of monde's own drawing."""

from collections import deque
from collections.abc import Mapping
from typing import final

import numpy as np
from jaxtyping import Float64, Shaped, UInt8

from monde.errors import ContractError, WorldError
from monde.limits import MAX_FRAME_SIDE_PIXELS
from monde.types import ActionSpec, Sensor

LEAST_SIDE_PIXELS = 8

BEFORE = "before"
"""Sensor that shows the first camera's picture of some control steps ago."""


class CameraWorld:
    """Name, batch, sensors, actions and the clock of a world; a part of `monde.protocols.World`.

    Args:
        name: The name that `monde.worlds.make` knows it by.
        batch: B.
        side_pixels: Side of its pictures.
        actions: What a control step takes.
        state_names: One name per component of the sensor `state`.
        state_unit: Their unit.
        cameras: Its cameras.
        sensors: All of its sensors, where they are others than its cameras and `state`.
        lag_steps: Control steps that one more picture, `before`, is behind the first camera's, or 0 for none: where a
            body keeps its velocity, what is encoded frame by frame tells how fast it goes only from two.

    Raises:
        ContractError: A batch or a side out of limits.
    """

    def __init__(
        self,
        *,
        name: str,
        batch: int,
        side_pixels: int,
        actions: ActionSpec,
        state_names: tuple[str, ...] = (),
        state_unit: str = "1",
        cameras: tuple[str, ...] = ("top",),
        sensors: tuple[Sensor, ...] = (),
        lag_steps: int = 0,
    ) -> None:
        if batch < 1:
            raise ContractError(f"{name} needs at least one row", got=batch, expected="batch ≥ 1")
        if not LEAST_SIDE_PIXELS <= side_pixels <= MAX_FRAME_SIDE_PIXELS:
            expected = f"{LEAST_SIDE_PIXELS} to {MAX_FRAME_SIDE_PIXELS}"
            raise ContractError(f"{name}'s picture is out of limits", got=side_pixels, expected=expected)
        self._name, self._batch, self._actions = name, batch, actions
        rate, shape, width = 1 / actions.dt_seconds, (3, side_pixels, side_pixels), (len(state_names),)
        self._lagged, self._lag_steps = cameras[0] if cameras else "", lag_steps
        self._pictures: deque[UInt8[np.ndarray, "B 3 h w"]] = deque(maxlen=lag_steps + 1)
        shown = (*cameras, BEFORE) if lag_steps else cameras
        self._sensors = sensors or (
            *(Sensor(name=camera, kind="rgb", shape=shape, rate_hz=rate) for camera in shown),
            Sensor(name="state", kind="state", shape=width, unit=state_unit, rate_hz=rate, names=state_names),
        )
        self._steps: int | None = None

    @property
    @final
    def name(self) -> str:
        """The name that `monde.worlds.make` knows it by."""
        return self._name

    @property
    @final
    def batch(self) -> int:
        """B."""
        return self._batch

    @property
    @final
    def sensors(self) -> tuple[Sensor, ...]:
        """What it shows: its cameras (rgb [3, side, side]) and `state`, where it does not say otherwise."""
        return self._sensors

    @property
    @final
    def actions(self) -> ActionSpec:
        """What a control step takes."""
        return self._actions

    def close(self) -> None:
        """Forget the episode."""
        self._steps = None

    @final
    def _now(self, values: Mapping[str, Shaped[np.ndarray, "B ..."]]) -> Mapping[str, Shaped[np.ndarray, "B ..."]]:
        """What the sensors show now, with `before` as it was, or as it was at the start. Once a control step."""
        if not self._lag_steps:
            return values
        if self._steps == 0:
            self._pictures.clear()
        self._pictures.append(values[self._lagged])
        return {**values, BEFORE: self._pictures[0]}

    @final
    def _still(self, values: Mapping[str, Shaped[np.ndarray, "B ..."]]) -> Mapping[str, Shaped[np.ndarray, "B ..."]]:
        """What they would show if all had been so for a while."""
        return {**values, BEFORE: values[self._lagged]} if self._lag_steps else values

    @final
    def _begun(self) -> int:
        """Control steps since the episode began."""
        if self._steps is None:
            raise WorldError(f"{self._name} has no episode yet", remedy="call reset with one seed per row first")
        return self._steps

    @final
    def _times(self) -> Float64[np.ndarray, " B"]:
        return np.full(self._batch, (self._steps or 0) * self._actions.dt_seconds)
