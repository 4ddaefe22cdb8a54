"""What an agent may be asked for. `Goal` is a union: a picture, a frame of a demonstration, a readout, a predicate.

A model turns pictures and frames into a `LatentGoal` once per episode; costs see latents, readouts or predicates only.
"""

from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor

from monde.errors import ContractError
from monde.types.checks import check_floating, check_rank, describe
from monde.types.streams import Clip


@dataclass(frozen=True)
class PictureGoal:
    """Make the world look like this.

    Args:
        clip: An aligned clip of one step, T = 1, of the sensors that the model reads; one row per episode.

    Raises:
        ContractError: A clip of several steps.
    """

    clip: Clip

    def __post_init__(self) -> None:
        if self.clip.steps != 1:
            raise ContractError(
                "a PictureGoal shows one moment",
                got=f"a clip of {self.clip.steps} steps",
                expected="one step",
                remedy="take the wanted moment with clip.window(t, t + 1)",
            )


@dataclass(frozen=True)
class FrameGoal:
    """Make the world look as it did in a frame of a recording.

    Args:
        recording: Path of the recording.
        episode: Episode index, from 0.
        step: Step of the episode; negative counts from its end.
    """

    recording: str
    episode: int
    step: int

    def __post_init__(self) -> None:
        if self.episode < 0:
            raise ContractError("FrameGoal.episode is negative", got=self.episode, expected="an episode index from 0")


@dataclass(frozen=True)
class ReadoutGoal:
    """Bring a readout into a region.

    Args:
        readout: Name of the readout ("position").
        target: [B, n] wanted values, in the readout's unit.
        tolerance: Distance from `target`, in the readout's unit, that counts as reached.
    """

    readout: str
    target: Float[Tensor, "B n"]
    tolerance: float

    def __post_init__(self) -> None:
        check_rank("ReadoutGoal", "target", self.target, "B n")
        if not self.tolerance > 0:
            raise ContractError("ReadoutGoal.tolerance must be positive", got=self.tolerance, expected="> 0")


@dataclass(frozen=True)
class PredicateGoal:
    """Make a predicate over readouts true.

    Args:
        name: What it is called in reports.
        readouts: Names of the readouts it takes, in order.
        holds: Readout values, each [..., n], to truth [...].
    """

    name: str
    readouts: tuple[str, ...]
    holds: Callable[..., Bool[Tensor, "..."]]


@dataclass(frozen=True, repr=False)
class LatentGoal:
    """A goal as the model sees it: what a picture or frame becomes.

    Args:
        latents: [B, N, D].
    """

    latents: Float[Tensor, "B N D"]

    def __post_init__(self) -> None:
        check_rank("LatentGoal", "latents", self.latents, "B N D")
        check_floating("LatentGoal", "latents", self.latents)

    def __repr__(self) -> str:
        return f"LatentGoal({describe(self.latents)})"


Goal = PictureGoal | FrameGoal | ReadoutGoal | PredicateGoal | LatentGoal
