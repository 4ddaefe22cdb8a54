"""How a model of films is read: a belief as one row of numbers, or a belief of things as tokens in no order."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Float64

from monde.bets.corners.latents.reading import Readouts
from monde.bets.corners.states import SLOT_OF, SLOTS
from monde.errors import StoreError
from monde.evaluation.physics.beliefs import beliefs_along, imagined_belief, imagined_thoughts, thoughts_along
from monde.models import JEPA
from monde.readouts import MLPReadout, TokenReadout
from monde.types import Latents

R = TypeVar("R", MLPReadout, TokenReadout)

MOMENTS = 4
"""Of each model step, in which it is asked how near two things come."""


class Sight(ABC):
    """What is read of a model of films: places (x, y of each slot), radii and a screen's box, px; and whether the thing
    of each slot was ever noticed, 0 to 1."""

    @abstractmethod
    def expected(self, latents: Latents, ahead: int) -> Float64[np.ndarray, " k"]:
        """What is read `ahead` steps after the last of what was seen of one film."""

    @abstractmethod
    def now(self, latents: Latents) -> Float64[np.ndarray, "n k"]:
        """What is read of single frames; of screens nothing."""

    @abstractmethod
    def gaps(self, latents: Latents, ahead: int, subject: str, discs: Sequence[str]) -> Float64[np.ndarray, " n"]:
        """Of some discs how unlikely each is to have made the difference to where the subject is then, px."""


class RowSight(Sight):
    """Of a model whose belief is a row of numbers.

    Args:
        model: Of films.
        readouts: Fitted on it.
    """

    def __init__(self, model: JEPA, readouts: Readouts) -> None:
        self._model = model
        self._ahead, self._now = _readout(readouts, "ahead", MLPReadout), _readout(readouts, "now", MLPReadout)

    def expected(self, latents: Latents, ahead: int) -> Float64[np.ndarray, " k"]:
        """See `Sight.expected`."""
        belief = imagined_belief(self._model, latents, ahead) if ahead else beliefs_along(self._model, latents)[:, -1]
        return np.append(self._ahead(belief)[0].double().numpy(), np.ones(SLOTS))

    def now(self, latents: Latents) -> Float64[np.ndarray, "n k"]:
        """See `Sight.now`."""
        return self._now(latents.values.flatten(1).float().cpu()).double().numpy()

    def gaps(self, latents: Latents, ahead: int, subject: str, discs: Sequence[str]) -> Float64[np.ndarray, " n"]:
        """The disc that is expected nearest to the subject: what changed its way has met it, and has not gone far.

        Taking each disc out of what was seen, and looking whether the subject is expected elsewhere, is at chance: more
        changes in the latent than that disc (docs/log.md, 2026-11-26).
        """
        told = _places(self.expected(latents, ahead))
        return np.array([float(np.linalg.norm(told[SLOT_OF[name]] - told[SLOT_OF[subject]])) for name in discs])


class ThingSight(Sight):
    """Of a model of things: each is read from the token that it is.

    Args:
        model: Of films.
        readouts: Fitted on it.
    """

    def __init__(self, model: JEPA, readouts: Readouts) -> None:
        self._model, self._read = model, _readout(readouts, "things", TokenReadout)

    def expected(self, latents: Latents, ahead: int) -> Float64[np.ndarray, " k"]:
        """See `Sight.expected`."""
        along = imagined_thoughts(self._model, latents, ahead) if ahead else thoughts_along(self._model, latents)
        return self._read(along[0, -1]).double().numpy()

    def now(self, latents: Latents) -> Float64[np.ndarray, "n k"]:
        """See `Sight.now`."""
        return self._read(thoughts_along(self._model, latents)[:, -1]).double().numpy()

    def gaps(self, latents: Latents, ahead: int, subject: str, discs: Sequence[str]) -> Float64[np.ndarray, " n"]:
        """How near each disc comes to the subject, from edge to edge, in all that was seen and is expected.

        Taking its file out of what was seen, and looking where the subject is expected without it, finds the disc that
        mattered in 40% where this finds it in 92% (docs/log.md, 2026-11-27): the least pull of a disc that never came
        near adds up over a future.
        """
        seen = thoughts_along(self._model, latents)[0]
        told = self._read(torch.cat([seen, imagined_thoughts(self._model, latents, ahead)[0]])).double().numpy()
        places, radii = told[:, : 2 * SLOTS].reshape(-1, SLOTS, 2), told[:, 2 * SLOTS : 3 * SLOTS].mean(axis=0)
        between = np.linspace(0, 1, MOMENTS, endpoint=False)[:, None, None, None]
        way = (places[:-1] + between * np.diff(places, axis=0)).reshape(-1, SLOTS, 2)
        others, own = [SLOT_OF[name] for name in discs], SLOT_OF[subject]
        apart = np.linalg.norm(way[:, others] - way[:, [own]], axis=-1).min(axis=0)
        return np.asarray(apart - radii[others] - radii[own])


def sight_of(model: JEPA, readouts: Readouts) -> Sight:
    """What reads this model.

    Raises:
        StoreError: Readouts of another kind of model.
    """
    return ThingSight(model, readouts) if model.dynamics.things else RowSight(model, readouts)


def _readout(readouts: Readouts, name: str, kind: type[R]) -> R:
    found = readouts.get(name)
    if not isinstance(found, kind):
        raise StoreError(
            "these readouts are not those of such a model of films",
            got={key: type(value).__name__ for key, value in readouts.items()},
            expected={name: kind.__name__},
            remedy="teach the corner again",
        )
    return found


def _places(told: Float64[np.ndarray, " k"]) -> Float64[np.ndarray, "K 2"]:
    return told[: 2 * SLOTS].reshape(SLOTS, 2)
