"""`ShiftedWorld`: any world seen by other cameras in another light, or with actions that do something else."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float, Float32, Float64, UInt8

from monde.errors import UsageError, WorldError
from monde.protocols import Observation, Policy, Transition, World
from monde.worlds.checks import check_controls, check_seeds
from monde.worlds.pixels import commonest, shift_pixels
from monde.worlds.shifts import ActionShift, PixelShift, Shift
from monde.worlds.wrapped import WrappedWorld

_NOISE, _SPECKLE = 1, 2
"""What keeps the random numbers of a shift apart from each other and from the world's own, of the same seed."""


class ShiftedWorld(WrappedWorld):
    """A world under a shift of its pictures and actions. Implements `monde.protocols.World`.

    Goal pictures are shifted as all others are: whoever asks for a goal in the changed world shows it there. States,
    success and distances are those of the world itself.

    Args:
        world: The world; closed with this one.
        shift: Its `pixels` and `actions` are applied; a `look` must be drawn by the world itself.
        name: The name of both together.

    Raises:
        UsageError: A gain or noise on discrete actions.
    """

    def __init__(self, world: World, shift: Shift, name: str) -> None:
        if world.actions.discrete and (shift.actions.gain != 1 or shift.actions.noise):
            raise UsageError(
                f"{world.name} cannot be shifted so",
                got="a gain or noise on discrete actions",
                expected="box actions, or a delay alone",
                remedy="choose a shift of its pictures",
            )
        super().__init__(world, name)
        self._shift = shift
        self._cameras = [sensor.name for sensor in world.sensors if sensor.kind == "rgb"]
        self._backgrounds: dict[str, UInt8[np.ndarray, "B 3"]] = {}
        self._speckles: dict[str, Float32[np.ndarray, "B 3 h w"]] = {}
        self._generators: list[np.random.Generator] = []
        self._waiting: list[Float64[np.ndarray, "B dim"]] = []

    def reset(self, seeds: Sequence[int]) -> Observation:
        """Start one episode per row; what the shift draws comes from that row's seed, too.

        Raises:
            WorldError: As the world itself.
        """
        plain = check_seeds(self._name, self.batch, seeds)
        seen = self._world.reset(plain)
        self._generators = [np.random.default_rng([seed, _NOISE]) for seed in plain]
        rest = np.broadcast_to(np.array(self.actions.rest), (self.batch, self.actions.dim))
        self._waiting = [rest] * self._shift.actions.delay_steps
        if self._shift.pixels.background is not None:
            self._backgrounds = {name: commonest(seen.values[name]) for name in self._cameras}
        if self._shift.pixels.speckle:
            self._speckles = {
                name: np.stack([_speckle(seed, seen.values[name].shape[1:]) for seed in plain])
                for name in self._cameras
            }
        return self._seen(seen)

    def step(self, controls: Float[np.ndarray, "..."]) -> Transition:
        """One control step of every row.

        Raises:
            WorldError: As the world itself; the bounds are those of what is asked for, not of what becomes of it.
        """
        if not self._generators:
            raise WorldError(f"{self._name} has no episode yet", remedy="call reset with one seed per row first")
        self._waiting.append(check_controls(self._name, self.actions, self.batch, controls))
        taken = self._acted(self._waiting.pop(0), self._shift.actions)
        transition = self._world.step(taken)
        return Transition(self._seen(transition.observation), transition.ended)

    def goal(self) -> Observation | None:
        """The world's goal, seen as everything else is."""
        goal = self._world.goal()
        return None if goal is None else self._seen(goal)

    def _acted(self, controls: Float64[np.ndarray, "B dim"], shift: ActionShift) -> Float64[np.ndarray, "B dim"]:
        if self.actions.discrete or (shift.gain == 1 and not shift.noise):
            return controls
        low, high = np.array(self.actions.low), np.array(self.actions.high)
        noise = np.stack([generator.normal(size=self.actions.dim) for generator in self._generators])
        return np.clip(shift.gain * controls + shift.noise * (high - low) / 2 * noise, low, high)

    def _seen(self, observation: Observation) -> Observation:
        if self._shift.pixels == PixelShift():
            return observation
        values = dict(observation.values)
        for name in self._cameras:
            values[name] = shift_pixels(
                values[name], self._shift.pixels, self._backgrounds.get(name), self._speckles.get(name)
            )
        return replace(observation, values=values)


class ScriptedShiftedWorld(ShiftedWorld):
    """A `ShiftedWorld` of a world with a policy of its own, which knows nothing of the shift."""

    def __init__(self, world: World, shift: Shift, name: str, scripted: object) -> None:
        super().__init__(world, shift, name)
        self._scripted = scripted

    def scripted(self) -> Policy:
        """The world's own policy."""
        policy = self._scripted() if callable(self._scripted) else None
        if not isinstance(policy, Policy):
            raise WorldError(f"{self.name} has no policy of its own", got=type(policy).__name__, expected="a Policy")
        return policy


def shifted(world: World, shift: Shift, name: str) -> World:
    """The world with a shift of pixels and actions around it, or itself where there is none."""
    if shift.pixels == PixelShift() and shift.actions == ActionShift():
        return world
    scripted = getattr(world, "scripted", None)
    try:
        return (
            ShiftedWorld(world, shift, name) if scripted is None else ScriptedShiftedWorld(world, shift, name, scripted)
        )
    except UsageError:
        world.close()
        raise


def _speckle(seed: int, shape: tuple[int, ...]) -> Float32[np.ndarray, "3 h w"]:
    return np.random.default_rng([seed, _SPECKLE]).normal(size=shape).astype(np.float32)
