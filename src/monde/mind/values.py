"""What questions and answers are made of. NumPy only: these pass between processes, and a client needs no torch."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float32, Float64, Shaped, UInt8

from monde.errors import ContractError
from monde.limits import MAX_ASKED_FRAMES, MAX_BLOCK, MAX_HORIZON_BLOCKS, MAX_SENSORS

Violation = Literal["reject", "least", "graded"]


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What the sensors of one agent showed over T moments, a model step (an action block) apart, oldest first.

    Args:
        sensors: [T, ...] by name; cameras are uint8 [T, 3, h, w] of any size (they are resized to the model's).
        controls: [(T - 1) · block, dim] what was done between those moments, in the world's units; empty where T = 1 or
            where nobody acts.
        start_seconds: Time of the first moment, since the episode began.
        missing: Names of sensors that deliver nothing: their values are not looked at and may be left out.

    Raises:
        ContractError: No sensor, too many moments, values that are not finite, or that do not line up.
    """

    sensors: Mapping[str, Shaped[np.ndarray, "T ..."]]
    controls: Float32[np.ndarray, "n dim"] = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    start_seconds: float = 0.0
    missing: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "sensors", MappingProxyType(dict(self.sensors)))
        if not 0 < len(self.sensors) <= MAX_SENSORS:
            raise ContractError("nothing was observed", got=f"{len(self.sensors)} sensors", expected="at least one")
        lengths = {name: len(values) if values.ndim else 0 for name, values in self.sensors.items()}
        if len(set(lengths.values())) > 1 or not 1 <= self.moments <= MAX_ASKED_FRAMES:
            raise ContractError(
                "what was observed does not line up", got=lengths, expected=f"one T for all, 1 to {MAX_ASKED_FRAMES}"
            )
        for name, values in self.sensors.items():
            if name not in self.missing and values.dtype.kind == "f":
                check_finite(f"sensor {name!r}", values)
        check_finite("the controls", self.controls)
        if not math.isfinite(self.start_seconds):
            raise ContractError("the time of the first moment is not finite", got=self.start_seconds)

    @property
    def moments(self) -> int:
        """T."""
        return len(next(iter(self.sensors.values())))


@dataclass(frozen=True, kw_only=True)
class BeliefHandle:
    """Names a belief that a `Mind` keeps; the least lately used are forgotten when there are too many.

    Args:
        id: Its name, good for this Mind alone.
        time_seconds: Of the newest thing seen or imagined.
        imagined_blocks: Action blocks since the last thing that was seen.
    """

    id: str
    time_seconds: float
    imagined_blocks: int = 0


@dataclass(frozen=True, kw_only=True)
class BeliefValue:
    """A belief itself, for a Mind that is to keep nothing; fields as of `monde.types.Belief`, without the batch.

    Args:
        latents: [W, N, D].
        valid: [W].
        memory: Whatever else the dynamics carries.
        time_seconds: Of the newest thing seen or imagined.
        of: Hash of the weights that it belongs to.
        imagined_blocks: Action blocks since the last thing that was seen.
    """

    latents: Float32[np.ndarray, "W N D"]
    valid: Bool[np.ndarray, " W"]
    memory: tuple[Float32[np.ndarray, "..."], ...]
    time_seconds: float
    of: str
    imagined_blocks: int = 0


AnyBelief = BeliefHandle | BeliefValue


@dataclass(frozen=True, kw_only=True)
class Course:
    """A course of action.

    Args:
        name: What it is called in answers.
        controls: [H · block, dim] control steps in the world's units, whole blocks; discrete actions are one-hot.
            Where nobody acts: [H · block, 0], and time is all that passes.

    Raises:
        ContractError: No control step, too many, or numbers that are not finite.
    """

    name: str
    controls: Float32[np.ndarray, "n dim"]

    def __post_init__(self) -> None:
        if not 1 <= len(self.controls) <= MAX_HORIZON_BLOCKS * MAX_BLOCK:
            raise ContractError(f"course {self.name!r} is empty or too long", got=f"{len(self.controls)} control steps")
        check_finite(f"course {self.name!r}", self.controls)


@dataclass(frozen=True, kw_only=True)
class GoalPicture:
    """Make the world look like this.

    Args:
        sensors: One sample of each sensor that the model reads; cameras are uint8 [3, h, w].
        name: What it is called in answers.
    """

    sensors: Mapping[str, Shaped[np.ndarray, "..."]]
    name: str = "picture"


@dataclass(frozen=True, kw_only=True)
class GoalFrame:
    """Make the world look as in a frame of the recording that the run was trained on.

    Args:
        episode: From 0.
        frame: From 0; negative counts from the episode's end.
    """

    episode: int
    frame: int

    @property
    def name(self) -> str:
        """EPISODE:FRAME."""
        return f"{self.episode}:{self.frame}"


@dataclass(frozen=True, kw_only=True)
class GoalBelief:
    """Make the world as it is in a belief: an imagined end, say.

    Args:
        belief: Which.
        name: What it is called in answers.
    """

    belief: AnyBelief
    name: str = "belief"


@dataclass(frozen=True, kw_only=True)
class GoalReadout:
    """Bring a readout to a target, or keep to bounds on its components.

    Args:
        text: As `monde plan --goal` takes it: "state=40,20±3" or "state.x>40,state.y<20".
    """

    text: str

    @property
    def name(self) -> str:
        """The text."""
        return self.text


AnyGoal = GoalPicture | GoalFrame | GoalBelief | GoalReadout


@dataclass(frozen=True, kw_only=True)
class Avoid:
    """Keep a readout out of a ball or a box (`monde.costs.KeepOut`).

    Args:
        readout: Its name.
        centre: Of the region, in the readout's unit.
        radius: Of the ball, or none for a box.
        half_sides: Of the box, or empty for a ball.
        margin: How far to stay away from it.
        violation: What is made of a course that enters: refused, the least is chosen, or its depth is a cost.
    """

    readout: str
    centre: tuple[float, ...]
    radius: float | None = None
    half_sides: tuple[float, ...] = ()
    margin: float = 0.0
    violation: Violation = "least"


@dataclass(frozen=True, kw_only=True)
class Within:
    """Keep the components of a readout within a range (`monde.costs.Limit`).

    Args:
        readout: Its name.
        low: One number for each component, or none for no bound.
        high: Likewise.
        violation: What is made of a course that leaves it.
    """

    readout: str
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
    violation: Violation = "least"


AnyConstraint = Avoid | Within


@dataclass(frozen=True, kw_only=True)
class Box:
    """A part of a camera's picture, in pixels of the model's frame: rows top to bottom, columns left to right, ends
    exclusive.

    Args:
        name: What it is called in answers ("the ball").
        sensor: The camera.
        top: First row.
        left: First column.
        bottom: End.
        right: End.

    Raises:
        ContractError: An empty box.
    """

    name: str
    sensor: str
    top: int
    left: int
    bottom: int
    right: int

    def __post_init__(self) -> None:
        if not (0 <= self.top < self.bottom and 0 <= self.left < self.right):
            raise ContractError(f"box {self.name!r} is empty", got=self, expected="0 ≤ top < bottom, 0 ≤ left < right")


@dataclass(frozen=True, kw_only=True)
class Trusted:
    """How far an answer can be trusted.

    Args:
        success_probability: Calibrated on the run's own episodes (`monde trust`), or none: nothing is calibrated to
            tell, or the question has no success.
        unfamiliarity: Distance of what the answer rests on from all that was trained on, in units of what 99.9% of
            held-out frames stay below: above 1 is out of distribution. None where the run does not know.
        out_of_distribution: What is ("present", "goal", "course NAME"), and empty where all is familiar.
        told: The same in words, one sentence.
    """

    success_probability: float | None = None
    unfamiliarity: float | None = None
    out_of_distribution: tuple[str, ...] = ()
    told: str = ""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What one readout says at T moments.

    Args:
        readout: Its name.
        unit: Of the values.
        names: Of the n components.
        values: [T, n].
        low: [T, n] lower end of the interval: what 95% of held-out errors stay within, of frames that were seen or
            imagined as many blocks ahead as these, and the spread of the hypotheses besides.
        high: [T, n] upper end.
    """

    readout: str
    unit: str
    names: tuple[str, ...]
    values: Float32[np.ndarray, "T n"]
    low: Float32[np.ndarray, "T n"]
    high: Float32[np.ndarray, "T n"]


@dataclass(frozen=True, kw_only=True)
class Future:
    """What is imagined to come of one course, H blocks long.

    Args:
        course: Its name.
        times_seconds: [H] of the imagined moments.
        spread: [H] by how much the hypotheses differ, in spreads of the latents; 0 for a single one.
        readings: Readouts along the way that were asked for.
        frames: [H, 3, h, w] decoded (for looking only), or none where they were not asked for.
        belief: The belief at the end (the first hypothesis'), or none where it was not asked for.
        trust: Of this future.
    """

    course: str
    times_seconds: Float64[np.ndarray, " H"]
    spread: Float32[np.ndarray, " H"]
    readings: tuple[Reading, ...] = ()
    frames: UInt8[np.ndarray, "H 3 h w"] | None = None
    belief: AnyBelief | None = None
    trust: Trusted = Trusted()


def check_finite(what: str, values: Shaped[np.ndarray, "..."]) -> None:
    """Refuse numbers that are NaN or infinite; none is repaired in silence.

    Raises:
        ContractError: How many are not finite.
    """
    wrong = int((~np.isfinite(values)).sum()) if values.dtype.kind in "fc" else 0
    if wrong:
        raise ContractError(
            f"{what}: not all numbers are finite",
            got=f"{wrong} of {values.size} are NaN or infinite",
            expected="finite numbers",
            remedy="leave the sample out, or name the sensor as missing",
        )
