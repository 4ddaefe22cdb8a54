"""What a predictor of films foresees: how likely options are, where discs will be, how likely a film is."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from monde.bets.corners.shown import Shown, without
from monde.bets.corners.states import SCREEN_AT, SLOT_OF, THING
from monde.bets.corners.tokens.codes import CELLS
from monde.bets.corners.tokens.films import PAST, SensorFilms, StateFilms
from monde.bets.corners.tokens.predictor import Predictor
from monde.bets.corners.tokens.words import PER_PIXEL, Words, pixels
from monde.bets.questions.rooms import COLOURS, RATE_HZ
from monde.bets.sensing import spots

SPREAD_BINS = 4.0
"""Over which bins of places share their likelihood: 1 px."""

WINDOW_BINS = 3 * PER_PIXEL
"""A place is told where most likelihood lies within 3 px of it, as answers are judged."""

FILM_AHEAD = (2, 4)
"""Frames between moments of a film that is judged."""

SAMPLES = 6
"""Pictures of a moment that are sampled."""

HIDDEN_AREA = 0.4
"""A disc is hidden where less than this share of what was seen of it is left."""


@runtime_checkable
class Foresees(Protocol):
    """Both renderings' foresight."""

    def options(self, seen: Shown, seconds: float) -> list[float]:
        """Log-likelihood of each option's frame, so many seconds after the last that is seen."""
        ...

    def places(self, seen: Shown, seconds: float, names: Sequence[str]) -> Float64[np.ndarray, "K 2"]:
        """Where discs will be, px."""
        ...

    def hidden(self, seen: Shown, seconds: float, name: str) -> float:
        """Probability that a disc will be behind the screen."""
        ...

    def film(self, film: np.ndarray) -> float:
        """Log-likelihood of a film, moment by moment."""
        ...

    def changed(self, seen: Shown, seconds: float, subject: str, causes: Sequence[str]) -> list[float]:
        """How far (px) a disc would be from where it will be, without each of these."""
        ...


class StateForesight:
    """Of exact states.

    Args:
        predictor: Of films.
    """

    def __init__(self, predictor: Predictor) -> None:
        self._predictor, self._scribe = predictor, StateFilms()

    def options(self, seen: Shown, seconds: float) -> list[float]:
        """Likelihood of the named discs' places."""
        assert seen.options is not None
        options = seen.options
        there = [SLOT_OF[name] for name in seen.names]
        n, k = len(options), len(there)
        words = self._words(np.repeat(seen.film[-1:], n, axis=0), np.tile(there, (n, 1)), seconds)
        places = self._scribe.write(
            options, np.tile(there, (n, 1)), np.zeros((n, k), dtype=np.int64), np.repeat(options[:, None], k, 1)
        )
        target = places.target.clone()
        target[..., 0] = self._looks(words)
        return self._likelihood(words.put(target)).sum(dim=1).tolist()

    def places(self, seen: Shown, seconds: float, names: Sequence[str]) -> Float64[np.ndarray, "K 2"]:
        """Most likely within reach; now as its own words tell."""
        words = self._words(seen.film[-1:], np.array([[SLOT_OF[name] for name in names]]), seconds)
        if seconds <= 0:
            return pixels(words.asked[0, :, 1:3].cpu().numpy())
        return pixels(self._predictor.tell(words, window_bins=WINDOW_BINS)[0, :, 1:].cpu().numpy())

    def hidden(self, seen: Shown, seconds: float, name: str) -> float:
        """Whether most of it lies in the screen's box."""
        now = seen.film[-1]
        there, x0, y0, x1, y1 = now[SCREEN_AT : SCREEN_AT + 5]
        if not there:
            return 0.0
        x, y = self.places(seen, seconds, [name])[0]
        inside = min(x - x0, x1 - x, y - y0, y1 - y)
        radius = float(now[SLOT_OF[name] * THING + 5])
        return float(1 / (1 + np.exp(-(inside - 0.5 * radius))))

    def film(self, film: np.ndarray) -> float:
        """Of all things, a few frames after each moment."""
        total = 0.0
        slots = np.arange(len(SLOT_OF))
        for ahead in FILM_AHEAD:
            now = film[:-ahead]
            then = np.repeat(film[ahead:, None], len(slots), axis=1)
            words = self._scribe.write(now, np.tile(slots, (len(now), 1)), np.full((len(now), len(slots)), ahead), then)
            total += float(self._likelihood(words).sum())
        return total

    def changed(self, seen: Shown, seconds: float, subject: str, causes: Sequence[str]) -> list[float]:
        """Distances of the expected places, and of what is thought likely of them."""
        return [self._changed(seen, seconds, subject, cause) for cause in causes]

    def _changed(self, seen: Shown, seconds: float, subject: str, cause: str) -> float:
        slots = np.array([[SLOT_OF[subject]]])
        both = np.stack([seen.film[-1], without(seen, cause, "state").film[-1]])
        words = self._words(both, np.repeat(slots, 2, axis=0), seconds)
        told = self._predictor.tell(words, window_bins=WINDOW_BINS)
        with torch.no_grad():
            logits = self._predictor(words.put(told[:1].expand(2, -1, -1)).on(told.device))
        gaps = [(p[0, 0] - p[1, 0]).cumsum(0).abs().sum() for p in (part.softmax(dim=-1) for part in logits[1:])]
        return float(sum(gaps, torch.zeros(()))) / PER_PIXEL

    def _words(self, now: np.ndarray, slots: np.ndarray, seconds: float) -> Words:
        ahead = np.full(slots.shape, round(seconds * RATE_HZ))
        return self._scribe.write(now, slots, ahead).on(_device(self._predictor))

    def _looks(self, words: Words) -> Tensor:
        return words.asked[..., 6]

    def _likelihood(self, words: Words) -> Tensor:
        return self._predictor.likelihood(words.on(_device(self._predictor)), SPREAD_BINS)


class SensorForesight:
    """Of pictures: whole pictures are foretold; where discs are in them is read off their colours. Now is read
    likewise, off what the codes of the last picture tell.

    Args:
        predictor: Of films.
        scribe: With their codebook.
    """

    def __init__(self, predictor: Predictor, scribe: SensorFilms) -> None:
        self._predictor, self._scribe = predictor, scribe

    def options(self, seen: Shown, seconds: float) -> list[float]:
        """Likelihood of all codes of the option's picture."""
        assert seen.options is not None
        words = self._words(seen, seconds, len(seen.options))
        target = torch.from_numpy(self._scribe.codebook.encode(seen.options)).to(words.target)
        return self._predictor.likelihood(words.put(target)).sum(dim=1).tolist()

    def places(self, seen: Shown, seconds: float, names: Sequence[str]) -> Float64[np.ndarray, "K 2"]:
        """Means over sampled pictures, now in the last that was seen; where a disc is in none, where it was seen last,
        and in the middle if it never was: codes need not show a small disc."""
        past = self._coded(seen.film)
        pictures = past[-1:] if seconds <= 0 else self._sampled(seen, seconds)
        found = []
        for name in names:
            centre, area = spots(pictures, COLOURS[name])
            usual = spots(past, COLOURS[name])
            weight = np.where(np.isfinite(centre[:, 0]), area, 0.0)
            if weight.sum() > 1.0:
                found.append((np.nan_to_num(centre) * weight[:, None]).sum(axis=0) / weight.sum())
                continue
            last = usual[0][np.isfinite(usual[0][:, 0])]
            found.append(last[-1] if len(last) else np.full(2, seen.film.shape[-1] / 2))
        return np.stack(found)

    def hidden(self, seen: Shown, seconds: float, name: str) -> float:
        """How much of its colour is gone, of what was usual in the pictures that were seen."""
        pictures = self._coded(seen.film[-1:]) if seconds <= 0 else self._sampled(seen, seconds)
        usual = float(np.median(spots(seen.film[:-1], COLOURS[name])[1]))
        left = float(spots(pictures, COLOURS[name])[1].mean()) / max(usual, 1e-6)
        return float(np.clip(1 - left / (2 * HIDDEN_AREA), 0, 1))

    def film(self, film: np.ndarray) -> float:
        """A few frames after moments of the film, by all that was seen up to them."""
        total = 0.0
        for ahead in FILM_AHEAD[1:]:
            now = np.arange(4, len(film) - ahead, 3)
            words = self._scribe.moments(film, now, np.full(len(now), ahead)).on(_device(self._predictor))
            total += float(self._predictor.likelihood(words).sum())
        return total

    def changed(self, seen: Shown, seconds: float, subject: str, causes: Sequence[str]) -> list[float]:
        """Distances of the mean places."""
        here = self.places(seen, seconds, [subject])[0]
        rest = [self.places(without(seen, cause, "sensors"), seconds, [subject])[0] for cause in causes]
        return [float(np.linalg.norm(place - here)) for place in rest]

    def _words(self, seen: Shown, seconds: float, n: int) -> Words:
        film = seen.film[np.maximum(len(seen.film) - 1 + np.array(PAST), 0)]
        past = np.repeat(self._scribe.codebook.encode(film)[None], n, axis=0)
        return self._scribe.write(past, np.full(n, round(seconds * RATE_HZ))).on(_device(self._predictor))

    def _coded(self, film: np.ndarray) -> np.ndarray:
        """Pictures as their codes tell."""
        return self._scribe.codebook.decode(self._scribe.codebook.encode(film))

    def _sampled(self, seen: Shown, seconds: float) -> np.ndarray:
        words = self._words(seen, seconds, SAMPLES)
        now = len(self._scribe.fields) - 1 - len(self._scribe.targets)
        noise = gumbel(self._predictor, SAMPLES, CELLS)
        told = self._predictor.tell(words.put(words.asked[..., now:-1]), noise)
        return self._scribe.codebook.decode(told.cpu().numpy())


def gumbel(predictor: Predictor, samples: int, asked: int) -> list[Tensor]:
    """Noise of which the likeliest is a sample, the same each time; the first sample's is none."""
    generator = torch.Generator().manual_seed(samples)
    found = []
    for field in predictor.config.targets:
        even = torch.rand(samples, asked, field.size, generator=generator).clamp(1e-9, 1 - 1e-7)
        noise = -torch.log(-torch.log(even))
        noise[0] = 0
        found.append(noise.to(_device(predictor)))
    return found


def _device(predictor: Predictor) -> torch.device:
    return next(predictor.parameters()).device
