"""The callables that rooms hand to each other. Planners, evaluators and servers take these, never concrete models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Float64, Shaped
from torch import Generator, Tensor

from monde.errors import ContractError
from monde.types import ActionSpec, Belief, Clip, Goal, Latents, Plan, Problem, Rollout, Sensor


@dataclass(frozen=True, repr=False)
class Observation:
    """What the sensors of a batch of environments deliver at one moment (NumPy: worlds know nothing of torch).

    Args:
        values: [B, ...] by sensor name, in each sensor's shape (RGB uint8 [B, 3, h, w]).
        times_seconds: [B] float64, since each row's episode began.
        valid: [B] by name, of sensors that may deliver nothing: false in rows where the value is padding (0).
        age_seconds: [B] by name, of sensors with a clock of their own: how long ago each row's sample was taken.

    Raises:
        ContractError: Batches that differ.
    """

    values: Mapping[str, Shaped[np.ndarray, "B ..."]]
    times_seconds: Float64[np.ndarray, " B"]
    valid: Mapping[str, Bool[np.ndarray, " B"]] = field(default_factory=dict)
    age_seconds: Mapping[str, Float64[np.ndarray, " B"]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        batches = {"times": len(self.times_seconds)}
        for part in ("values", "valid", "age_seconds"):
            held = dict(getattr(self, part))
            object.__setattr__(self, part, MappingProxyType(held))
            batches |= {f"{part} of {name}": len(array) for name, array in held.items()}
        if len(set(batches.values())) > 1:
            raise ContractError("Observation rows do not line up", got=batches, expected="one B")

    @property
    def batch(self) -> int:
        """B."""
        return len(self.times_seconds)

    def rows(self, index: Shaped[np.ndarray, "..."] | slice) -> "Observation":
        """Some rows, in another order."""
        return Observation(
            {name: array[index] for name, array in self.values.items()},
            self.times_seconds[index],
            {name: array[index] for name, array in self.valid.items()},
            {name: array[index] for name, array in self.age_seconds.items()},
        )

    def __repr__(self) -> str:
        parts = [f"{name}={a.dtype}[{'×'.join(map(str, a.shape))}]" for name, a in self.values.items()]
        return f"Observation({', '.join(parts)})"


@dataclass(frozen=True)
class Transition:
    """What came of one control step.

    Args:
        observation: What the sensors show now.
        ended: [B]; the episode of this row is over (terminated or truncated by the environment itself). A row that has
            ended ignores further actions and repeats its last observation until the next reset.
    """

    observation: Observation
    ended: Bool[np.ndarray, " B"]


@runtime_checkable
class World(Protocol):
    """A batch of environments of one kind, stepped together. Each row has its own seed and does not depend on B."""

    @property
    def name(self) -> str:
        """The name that `monde.worlds.make` knows it by."""
        ...

    @property
    def batch(self) -> int:
        """B."""
        ...

    @property
    def sensors(self) -> tuple[Sensor, ...]:
        """What an observation holds."""
        ...

    @property
    def actions(self) -> ActionSpec:
        """What a control step takes (block = 1)."""
        ...

    def reset(self, seeds: Sequence[int]) -> Observation:
        """Start one episode per row, start, goal and layout drawn from that row's seed alone."""
        ...

    def step(self, controls: Float[np.ndarray, "B dim"]) -> Transition:
        """One control step of every row. Discrete actions are one-hot.

        Raises WorldError on a wrong width, on values out of bounds or not finite, and when an environment itself raises
        (naming row and step).
        """
        ...

    def goal(self) -> Observation | None:
        """What the sensors would show at each row's goal, or none where the environment has no goal of its own."""
        ...

    def success(self) -> Bool[np.ndarray, " B"]:
        """Whether each row's goal is reached now."""
        ...

    def goal_distance(self) -> Float[np.ndarray, " B"] | None:
        """True distance of each row to its goal, in the world's unit, or none. For judging, never for planning."""
        ...

    def close(self) -> None:
        """Free what the environments hold."""
        ...


@runtime_checkable
class Intermittent(Protocol):
    """What a World or Recording offers besides when samples may be missing, or older than the moment they are shown."""

    @property
    def gaps(self) -> tuple[str, ...]:
        """Sensors whose samples may be missing."""
        ...

    @property
    def aged(self) -> tuple[str, ...]:
        """Sensors whose samples have ages."""
        ...


@runtime_checkable
class Policy(Protocol):
    """Something that acts in a world without planning: random, scripted, a user's own."""

    def __call__(
        self, observation: Observation, actions: ActionSpec, generator: np.random.Generator
    ) -> Float[np.ndarray, "B dim"]:
        """Control steps [B, dim] for every row."""
        ...


@runtime_checkable
class Recording(Protocol):
    """An episode-indexed dataset on disk, read lazily."""

    @property
    def root(self) -> Path:
        """Folder of the dataset."""
        ...

    @property
    def source(self) -> Mapping[str, object]:
        """Where it comes from (JSON): for a recorded world its name, policy and seed; empty where nothing is known."""
        ...

    @property
    def sensors(self) -> tuple[Sensor, ...]:
        """What was recorded."""
        ...

    @property
    def actions(self) -> ActionSpec | None:
        """The actions' space (block = 1), or none for recordings without actions."""
        ...

    @property
    def lengths(self) -> tuple[int, ...]:
        """Steps (frames of the reference clock) of each episode."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hash of the content that readers of this recording see; it changes when the content does."""
        ...

    def read(self, episode: int, start: int, stop: int, sensors: Sequence[str] | None = None) -> Clip:
        """Steps `start` to `stop` (exclusive) of one episode as a clip of B = 1, with the actions between them."""
        ...


@runtime_checkable
class Imagines(Protocol):
    """What predicts futures in latent space: a world model, or a level of time above one."""

    @property
    def actions(self) -> ActionSpec:
        """The action blocks it is conditioned on."""
        ...

    def imagine(
        self, belief: Belief, actions: Float[Tensor, "B S H A"], hypotheses: int = 1, beliefs: bool = False
    ) -> Rollout:
        """Futures of S action sequences of H blocks; the history is not encoded again, whatever S is."""
        ...


@runtime_checkable
class WorldModel(Imagines, Protocol):
    """The verbs of a world model."""

    @property
    def sensors(self) -> tuple[Sensor, ...]:
        """The sensors it reads."""
        ...

    def encode(self, clip: Clip) -> Latents:
        """Latents of each step of an aligned clip, without history."""
        ...

    def begin(self, clip: Clip) -> Belief:
        """The belief after an aligned clip of one or more steps."""
        ...

    def update(self, belief: Belief, clip: Clip, action: Float[Tensor, "B A"]) -> Belief:
        """The belief after taking the block `action` and then seeing `clip` (one step). Constant time."""
        ...


@runtime_checkable
class Cost(Protocol):
    """An energy over imagined futures; lower is better."""

    def __call__(self, rollout: Rollout, actions: Float[Tensor, "B S H A"], goal: Goal) -> Float[Tensor, "B S"]:
        """Energy of each action sequence."""
        ...


@runtime_checkable
class Planner(Protocol):
    """A search over action blocks."""

    def plan(
        self,
        problem: Problem,
        generator: Generator,
        deadline_seconds: float | None = None,
        warm_start: Float[Tensor, "B H A"] | None = None,
    ) -> Plan:
        """The best action blocks found."""
        ...


__all__ = [
    "Cost",
    "Imagines",
    "Intermittent",
    "Observation",
    "Planner",
    "Policy",
    "Recording",
    "Transition",
    "World",
    "WorldModel",
]
