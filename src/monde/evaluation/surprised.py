"""`SurprisedFilms`: a set of possible and impossible films beside the surprise at each of their frames."""

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from monde.errors import ContractError
from monde.evaluation.exhibit_files import field, number, tensor, write_exhibit
from monde.store import load_artefact


@dataclass(frozen=True, kw_only=True)
class SurprisedFilms:
    """The films of one set. Artefact kind "surprised-films".

    Args:
        films: [k, T, 3, h, w].
        curves: [k, T] surprise at each frame, finite.
        possible: [k].
        event_frame: First frame that tells an impossible film from the possible one that it began as.
        hidden: First frame and end (exclusive) of the time before it over which the films of the set look alike.
        principle: Its name.
        grade: easy, hidden or long-hidden.
        space: 2d or 3d.
        rate_hz: Frames a second.

    Raises:
        ContractError: Sizes that differ, films that are no films, or a surprise that is not finite.
    """

    films: UInt8[Tensor, "k T 3 h w"]
    curves: Float[Tensor, "k T"]
    possible: Bool[Tensor, " k"]
    event_frame: int
    hidden: tuple[int, int]
    principle: str
    grade: str
    space: str
    rate_hz: float

    def __post_init__(self) -> None:
        shape = tuple(self.films.shape)
        fits = (
            len(shape) == 5
            and shape[2] == 3
            and self.films.dtype == torch.uint8
            and self.curves.shape == shape[:2]
            and self.possible.shape == shape[:1]
        )
        if not fits or min(shape) < 1:
            got = f"{list(shape)}, curves {list(self.curves.shape)}, possible {list(self.possible.shape)}"
            raise ContractError(
                "SurprisedFilms' parts do not line up", got=got, expected="[k, T, 3, h, w], [k, T], [k]"
            )
        if not torch.isfinite(self.curves).all() or not self.rate_hz > 0:
            raise ContractError("SurprisedFilms holds a surprise or a rate that is no number", got=self.rate_hz)

    def save(self, folder: Path, replace: bool = False) -> None:
        """Write the artefact; see `write_exhibit`."""
        meta = {
            "event_frame": self.event_frame,
            "hidden_first": self.hidden[0],
            "hidden_stop": self.hidden[1],
            "principle": self.principle,
            "grade": self.grade,
            "space": self.space,
            "rate_hz": self.rate_hz,
        }
        tensors = {"films": self.films, "curves": self.curves, "possible": self.possible}
        write_exhibit(folder, "surprised-films", tensors, meta, replace)

    @classmethod
    def load(cls, folder: Path) -> "SurprisedFilms":
        """Read it back; raises StoreError as `load_artefact` does, or for a field that is missing."""
        artefact = load_artefact(folder, "surprised-films")
        return cls(
            films=tensor(folder, artefact, "films"),
            curves=tensor(folder, artefact, "curves"),
            possible=tensor(folder, artefact, "possible"),
            event_frame=int(number(folder, artefact, "event_frame")),
            hidden=(int(number(folder, artefact, "hidden_first")), int(number(folder, artefact, "hidden_stop"))),
            principle=str(field(folder, artefact, "principle")),
            grade=str(field(folder, artefact, "grade")),
            space=str(field(folder, artefact, "space")),
            rate_hz=number(folder, artefact, "rate_hz"),
        )
