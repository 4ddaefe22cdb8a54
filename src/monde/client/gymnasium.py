"""A Gymnasium environment as a body."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, SupportsFloat, runtime_checkable

import numpy as np
from jaxtyping import Float32

from monde.client.episode import Done, Seen
from monde.client.session import Session
from monde.errors import ServingError
from monde.wire import Arrays


@runtime_checkable
class Environment(Protocol):
    """What is needed of a `gymnasium.Env`, which need not be installed here."""

    def reset(self, *, seed: int | None = None) -> tuple[object, Mapping[str, object]]:
        """Start an episode."""
        ...

    def step(self, action: object) -> tuple[object, SupportsFloat, bool, bool, Mapping[str, object]]:
        """Act once."""
        ...

    def render(self) -> object:
        """A picture."""
        ...


class GymnasiumBody:
    """Closes the loop with an environment; each of its steps is one control step.

    A sensor that the model reads is found, by its name, in an observation that is a dictionary; a camera that is not
    there is the environment's own picture (`render_mode="rgb_array"`), and a state that is not there the whole
    observation as numbers. `sense` says otherwise.

    Args:
        env: The environment.
        session: Says what the model reads and does.
        sense: From an observation to the model's sensors, or none.
        done: From the latest `info` to whether the goal is reached, or none: the environment's own end.
    """

    def __init__(
        self,
        env: Environment,
        session: Session,
        sense: Callable[[object], Arrays] | None = None,
        done: Callable[[Mapping[str, object]], bool] | None = None,
    ) -> None:
        self.env, self._sensors, self._actions = env, session.sensors, session.actions
        self._sense, self._done = sense, done
        self._seen: object = None
        self.info: Mapping[str, object] = {}

    def reset(self, seed: int | None = None) -> Mapping[str, object]:
        """Start an episode; what the environment says of it."""
        self._seen, self.info = self.env.reset(seed=seed)
        return self.info

    def observe(self) -> Seen:
        """What the environment shows."""
        if self._sense is not None:
            return Seen(self._sense(self._seen))
        return Seen({str(sensor["name"]): self._sensor(sensor) for sensor in self._sensors})

    def apply(self, control: Float32[np.ndarray, " dim"]) -> Done:
        """One step of the environment."""
        action: object = int(control.argmax()) if self._actions.choices else control
        self._seen, _, ended, truncated, self.info = self.env.step(action)
        reached = self._done is not None and self._done(self.info)
        return Done(control, bool(ended or truncated or reached))

    def rest(self, safe: Float32[np.ndarray, " dim"]) -> None:
        """Nothing moves in an environment that is not stepped."""

    def _sensor(self, sensor: Mapping[str, object]) -> np.ndarray:
        name, picture = str(sensor["name"]), sensor["kind"] == "rgb"
        if isinstance(self._seen, Mapping) and name in self._seen:
            found = np.asarray(self._seen[name])
        elif picture:
            found = np.asarray(self.env.render())
        else:
            found = np.asarray(self._seen)
        if found.dtype.kind not in "uifb":
            raise ServingError(
                f"the environment does not show sensor {name!r}", got=found.dtype, remedy="say how with `sense`"
            )
        return frame(found) if picture else found.astype(np.float32).reshape(_shape(sensor))


def frame(picture: np.ndarray) -> np.ndarray:
    """A picture as the model reads it: uint8 [3, h, w] from [h, w, 3] or [3, h, w].

    Raises:
        ServingError: It is no such picture.
    """
    channels_last = picture.ndim == 3 and picture.shape[-1] == 3
    if picture.dtype != np.uint8 or not (channels_last or (picture.ndim == 3 and picture.shape[0] == 3)):
        raise ServingError(
            "this is no picture", got=f"{picture.dtype} {list(picture.shape)}", expected="uint8 [h, w, 3]"
        )
    return np.ascontiguousarray(picture.transpose(2, 0, 1) if channels_last else picture)


def _shape(sensor: Mapping[str, object]) -> tuple[int, ...]:
    shape = sensor["shape"]
    return tuple(int(side) for side in shape) if isinstance(shape, Sequence) else (-1,)
