"""How surprised the model of a run is by a film of one's own, moment by moment."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from monde.evaluation.physics.footage import Footage, read_footage
from monde.evaluation.physics.run import watching_model
from monde.evaluation.physics.surprise import Surprise, SurpriseConfig, judging, surprise

MOMENTS = 3
"""Most surprising moments that are named."""

APART_SECONDS = 0.5
"""Between two of them."""


@dataclass(frozen=True, kw_only=True)
class FilmSurprise:
    """A film and its surprise.

    Args:
        footage: The film as the model saw it.
        surprise: Of it alone (n = 1).
        step_seconds: Duration of a model step.
    """

    footage: Footage
    surprise: Surprise
    step_seconds: float

    @property
    def curve(self) -> Float64[np.ndarray, " T"]:
        """[T] surprise at each frame."""
        return self.surprise.curve[0]

    @property
    def moments(self) -> tuple[int, ...]:
        """The most surprising frames, most surprising first: peaks above 0, some time apart."""
        curve, apart = self.curve, max(1, round(APART_SECONDS * self.footage.rate_hz))
        found: list[int] = []
        for index in np.argsort(-curve, kind="stable"):
            if curve[index] <= 0 or len(found) == MOMENTS:
                break
            if all(abs(int(index) - other) >= apart for other in found):
                found.append(int(index))
        return tuple(found)

    def columns(self) -> dict[str, Float64[np.ndarray, " T"]]:
        """Columns by name: time, surprise, and what it is made of; NaN where nothing can be told yet."""
        step = self.step_seconds
        found = {"time_seconds": self.footage.times_seconds, "surprise": self.curve}
        found |= {f"surprisal_{k * step:g}s_ahead": values[0] for k, values in self.surprise.surprisals.items()}
        found |= {
            f"contrast_{k * step:g}s_ahead_to_{c * step:g}s_of_context": values[0]
            for (k, c), values in self.surprise.contrasts.items()
        }
        return found

    def csv(self) -> str:
        """The columns as CSV; what cannot be told yet is left empty."""
        columns, text = self.columns(), io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        for row in zip(*columns.values(), strict=True):
            writer.writerow(["" if np.isnan(value) else f"{value:.6g}" for value in row])
        return text.getvalue()


def surprise_of_film(
    run: Path,
    path: Path,
    rate_hz: float | None = None,
    config: SurpriseConfig | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> FilmSurprise:
    """Watch a film of any size and rate with the newest checkpoint of a run.

    Args:
        run: Run folder, of a model that reads one camera and is told no actions.
        path: See `read_footage`.
        rate_hz: Frames a second of the film, where it states none.
        config: How it is judged.
        progress: Told (stage, done, wanted).

    Raises:
        StoreError: Not a run, or its checkpoint was altered.
        UsageError: The run acts or reads several sensors; a film without a rate.
        DataError: The film cannot be read, or is too short, too long or too slow.
    """
    tell = progress or (lambda stage, done, wanted: None)
    tell("opening", 0, 3)
    model = watching_model(run)
    chosen = config or judging(model)
    tell("reading the film", 1, 3)
    camera = model.sensors[0]
    footage = read_footage(path, (camera.shape[1], camera.shape[2]), model.actions, chosen.least_steps, rate_hz)
    tell("watching", 2, 3)
    found = surprise(model, footage.frames[None], footage.rate_hz, chosen)
    tell("watching", 3, 3)
    return FilmSurprise(footage=footage, surprise=found, step_seconds=model.actions.block_seconds)
