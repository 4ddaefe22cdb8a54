"""The latent corner's model of films: what it expects, where it thinks things are, and how surprised it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float64

from monde.bets.corners.latents.reading import load_readouts
from monde.bets.corners.latents.seeing import encoded
from monde.bets.corners.latents.sights import sight_of
from monde.bets.corners.shown import Frames, Rendering
from monde.bets.corners.states import PLACES_AT, SLOT_OF, SLOTS
from monde.bets.questions.rooms import RATE_HZ
from monde.evaluation.physics.surprise import contrast, judging
from monde.models import JEPA, load_model
from monde.types import Latents

Place = Float64[np.ndarray, " 2"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Expected:
    """What is read off a belief.

    Args:
        places: x, y in px of each thing, by the name of its colour.
        radii: Likewise, px.
        screen: Its box, px; it means something only where there is one.
        noticed: Likewise, whether it was ever seen.
    """

    places: Mapping[str, Place]
    radii: Mapping[str, float]
    screen: Float64[np.ndarray, " 4"]
    noticed: Mapping[str, bool]


class Films:
    """A model of films with its readouts.

    Args:
        run: Its run folder.
        rendering: What it sees.

    Raises:
        StoreError: Not a run with readouts, altered, or of another rendering.
    """

    def __init__(self, run: Path, rendering: Rendering) -> None:
        self._model: JEPA = load_model(run).requires_grad_(False)
        self._sight = sight_of(self._model, load_readouts(run, rendering))
        self._rendering = rendering

    def expected(self, film: Frames, seconds: float) -> Expected:
        """What it expects some time after the last frame of a film."""
        told = self._sight.expected(*self._until(film, seconds))
        places, radii = told[: 2 * SLOTS].reshape(SLOTS, 2), told[2 * SLOTS : 3 * SLOTS]
        return Expected(
            places={name: places[slot] for name, slot in SLOT_OF.items()},
            radii={name: float(radii[slot]) for name, slot in SLOT_OF.items()},
            screen=told[3 * SLOTS : 3 * SLOTS + 4],
            noticed={name: bool(told[3 * SLOTS + 4 + slot] > 0.5) for name, slot in SLOT_OF.items()},
        )

    def causes(self, film: Frames, seconds: float, subject: str, discs: Sequence[str]) -> Float64[np.ndarray, " n"]:
        """How unlikely each of some discs is to have made the difference to where another is some time after the last
        frame of a film, px (`Sight.gaps`)."""
        return self._sight.gaps(*self._until(film, seconds), subject, discs)

    def _until(self, film: Frames, seconds: float) -> tuple[Latents, int]:
        """A film at the model's step, from the frame on from which whole steps lead to the moment asked about, and how
        many steps after the last of them that is."""
        stride = self._model.actions.block
        frames = round(seconds * RATE_HZ)
        last = len(film) - 1 - (-frames) % stride
        seen = film[last % stride : last + 1 : stride]
        return encoded(self._model, seen[None]), (frames + (len(film) - 1 - last)) // stride

    def places(self, frames: Frames, names: Sequence[str]) -> Float64[np.ndarray, "n K 2"]:
        """Where things are in single frames, px: read off their latents; in exact states as these tell."""
        slots = [SLOT_OF[name] for name in names]
        if self._rendering == "state":
            told = frames[:, list(PLACES_AT)].astype(np.float64)
        else:
            told = self._sight.now(encoded(self._model, frames[:, None]))[:, : 2 * SLOTS]
        return told.reshape(len(frames), SLOTS, 2)[:, slots]

    @torch.no_grad()
    def surprise(self, film: Frames) -> float:
        """How unexpected a film is: the mean contrast of `monde.evaluation.physics.surprise`, over all phases of its
        step."""
        stride, config = self._model.actions.block, judging(self._model)
        found = []
        for phase in range(stride):
            latents = encoded(self._model, film[None, phase::stride])
            if latents.values.shape[1] >= config.least_steps:
                found += [value.mean() for value in contrast(self._model, latents, config).values()]
        return float(np.mean(found))
