"""Things to look at, stored as artefacts under RUN/exhibits/NAME: films, imaginations, scatters."""

from dataclasses import dataclass
from pathlib import Path

from jaxtyping import Float, UInt8
from torch import Tensor

from monde.errors import ContractError, StoreError
from monde.evaluation.exhibit_files import check_frames, field, items, number, tensor, write_exhibit
from monde.evaluation.surprised import SurprisedFilms
from monde.store import RunFolder, load_artefact, read_manifest
from monde.types.checks import check_leading, check_rank


@dataclass(frozen=True, kw_only=True)
class Film:
    """One planned episode, as its camera saw it. Artefact kind "film".

    Args:
        frames: uint8 [T, 3, h, w], the first before any action, one per control step, up to success or the budget.
        goal: uint8 [3, h, w], what the camera would see at the goal.
        success: Whether the goal was reached.
        steps: Control steps taken (to success, or all of them).
        seed: Seed of the episode.
        goal_distance: True distance to the goal at the end, in the world's unit, or none.
        title: One line for a caption.

    Raises:
        ContractError: Wrong rank, dtype or size.
    """

    frames: UInt8[Tensor, "T 3 h w"]
    goal: UInt8[Tensor, "3 h w"]
    success: bool
    steps: int
    seed: int
    goal_distance: float | None
    title: str = ""

    def __post_init__(self) -> None:
        check_frames("Film", {"frames": self.frames, "goal": self.goal[None]})

    def save(self, folder: Path, replace: bool = False) -> None:
        """Write the artefact; see `write_exhibit`."""
        meta = {
            "success": self.success,
            "steps": self.steps,
            "seed": self.seed,
            "goal_distance": self.goal_distance,
            "title": self.title,
        }
        write_exhibit(folder, "film", {"frames": self.frames, "goal": self.goal}, meta, replace)

    @classmethod
    def load(cls, folder: Path) -> "Film":
        """Read it back; raises StoreError as `load_artefact` does, or for a field that is missing."""
        artefact = load_artefact(folder, "film")
        distance = field(folder, artefact, "goal_distance")
        return cls(
            frames=tensor(folder, artefact, "frames"),
            goal=tensor(folder, artefact, "goal"),
            success=field(folder, artefact, "success") is True,
            steps=int(number(folder, artefact, "steps")),
            seed=int(number(folder, artefact, "seed")),
            goal_distance=None if distance is None else number(folder, artefact, "goal_distance"),
            title=str(field(folder, artefact, "title")),
        )


@dataclass(frozen=True, kw_only=True)
class Imagination:
    """Reality beside what was imagined, seen through a decoder that was trained for looking only. Kind "imagination".

    Args:
        real: uint8 [T, 3, h, w], what the camera saw.
        decoded_observed: uint8 [T, 3, h, w], decoded from the latent of each real frame.
        decoded_imagined: uint8 [T, 3, h, w], decoded from the latents imagined from the first `context_steps` frames
            and the actions; within the context it repeats `decoded_observed`.
        times_seconds: T times since the first frame.
        context_steps: Frames that the model had seen before it imagined.
        title: One line for a caption.

    Raises:
        ContractError: Wrong rank, dtype or size.
    """

    real: UInt8[Tensor, "T 3 h w"]
    decoded_observed: UInt8[Tensor, "T 3 h w"]
    decoded_imagined: UInt8[Tensor, "T 3 h w"]
    times_seconds: tuple[float, ...]
    context_steps: int
    title: str = ""

    def __post_init__(self) -> None:
        frames = {"decoded_observed": self.decoded_observed, "decoded_imagined": self.decoded_imagined}
        check_frames("Imagination", {"real": self.real} | frames)
        for name, values in frames.items():
            check_leading("Imagination", name, values, self.real.shape, "T 3 h w")
        if len(self.times_seconds) != len(self.real):
            raise ContractError(
                "Imagination.times_seconds does not line up", got=len(self.times_seconds), expected=len(self.real)
            )

    def save(self, folder: Path, replace: bool = False) -> None:
        """Write the artefact; see `write_exhibit`."""
        tensors = {
            "real": self.real,
            "decoded_observed": self.decoded_observed,
            "decoded_imagined": self.decoded_imagined,
        }
        meta = {
            "times_seconds": list(self.times_seconds),
            "context_steps": self.context_steps,
            "title": self.title,
        }
        write_exhibit(folder, "imagination", tensors, meta, replace)

    @classmethod
    def load(cls, folder: Path) -> "Imagination":
        """Read it back; raises StoreError as `load_artefact` does, or for a field that is missing."""
        artefact = load_artefact(folder, "imagination")
        return cls(
            real=tensor(folder, artefact, "real"),
            decoded_observed=tensor(folder, artefact, "decoded_observed"),
            decoded_imagined=tensor(folder, artefact, "decoded_imagined"),
            times_seconds=tuple(float(str(time)) for time in items(folder, artefact, "times_seconds")),
            context_steps=int(number(folder, artefact, "context_steps")),
            title=str(field(folder, artefact, "title")),
        )


@dataclass(frozen=True, kw_only=True)
class Scatter:
    """What a readout says against what is true, on held-out frames. Artefact kind "scatter".

    Args:
        truth: float [n, k], in `unit`.
        read: float [n, k], likewise.
        names: One name per component.
        unit: Unit of both.
        r2: Coefficient of determination over all held-out frames, averaged over components.
        rmse: Root mean squared error per component (see `monde.evaluation.probes`), in `unit`.
        title: One line for a caption.

    Raises:
        ContractError: Wrong rank or sizes that differ.
    """

    truth: Float[Tensor, "n k"]
    read: Float[Tensor, "n k"]
    names: tuple[str, ...]
    unit: str
    r2: float
    rmse: float
    title: str = ""

    def __post_init__(self) -> None:
        check_rank("Scatter", "truth", self.truth, "n k")
        check_leading("Scatter", "read", self.read, self.truth.shape, "n k")
        if len(self.names) != self.truth.shape[1]:
            raise ContractError("Scatter.names does not line up", got=len(self.names), expected=self.truth.shape[1])

    def save(self, folder: Path, replace: bool = False) -> None:
        """Write the artefact; see `write_exhibit`."""
        meta = {
            "names": list(self.names),
            "unit": self.unit,
            "r2": self.r2,
            "rmse": self.rmse,
            "title": self.title,
        }
        write_exhibit(folder, "scatter", {"truth": self.truth, "read": self.read}, meta, replace)

    @classmethod
    def load(cls, folder: Path) -> "Scatter":
        """Read it back; raises StoreError as `load_artefact` does, or for a field that is missing."""
        artefact = load_artefact(folder, "scatter")
        return cls(
            truth=tensor(folder, artefact, "truth"),
            read=tensor(folder, artefact, "read"),
            names=tuple(str(name) for name in items(folder, artefact, "names")),
            unit=str(field(folder, artefact, "unit")),
            r2=number(folder, artefact, "r2"),
            rmse=number(folder, artefact, "rmse"),
            title=str(field(folder, artefact, "title")),
        )


Exhibit = Film | Imagination | Scatter | SurprisedFilms


def load_exhibit(folder: Path) -> Exhibit:
    """The exhibit in `folder`, of whichever kind it is.

    Raises:
        StoreError: Nothing there, altered, or of a kind that is no exhibit.
    """
    kind = read_manifest(folder).get("kind")
    kinds: dict[str, type[Film] | type[Imagination] | type[Scatter] | type[SurprisedFilms]] = {
        "film": Film,
        "imagination": Imagination,
        "scatter": Scatter,
        "surprised-films": SurprisedFilms,
    }
    if not isinstance(kind, str) or kind not in kinds:
        raise StoreError(f"{folder} is no exhibit", got=kind, expected=f"one of {', '.join(kinds)}")
    return kinds[kind].load(folder)


def exhibits(run: RunFolder) -> dict[str, Path]:
    """Folders of the exhibits of a run by name, sorted."""
    if not run.exhibits.is_dir():
        return {}
    folders = (folder for folder in run.exhibits.iterdir() if (folder / "manifest.json").exists())
    return {folder.name: folder for folder in sorted(folders)}
