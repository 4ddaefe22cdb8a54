"""Where a hidden object is thought to be: error in its diameters, and skill over constant velocity.

The position is read from the *belief*: a readout of the frozen model, fitted with the true positions of other films
(of objects, colours and speeds of the training split), in frames where the object is seen and where it is hidden. So
what is asked is whether the belief holds the position, not whether it was ever told to a readout. The judged frame of a
film is the one at which its object has been out of sight for the declared time.

Floors: the true position where it was seen last; constant velocity from there, at the true velocity; the same readout
fitted to an untrained network's belief; and to the latent of the judged frame alone, which shows whatever a screen's
place gives away.

skill = 1 - median error / median error of constant velocity, over the films of one time.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int64
from torch import Tensor

from monde.errors import ContractError, DataError
from monde.evaluation.physics.beliefs import Seen, beliefs_along, frames_per_step, imagined_belief
from monde.evaluation.physics.run import resized
from monde.evaluation.statistics import bootstrap
from monde.models import JEPA
from monde.perception import ThingPerception
from monde.readouts import MLPReadoutConfig, fit_mlp
from monde.scorecard import Row
from monde.types import Latents
from monde.worlds.minimal_pairs.timing import RATE_HZ
from monde.worlds.scenes import HiddenFilm

BELIEF, IMAGINED = "belief", "imagined"
LAST_SEEN, CONSTANT_VELOCITY = "last_seen", "constant_velocity"
UNTRAINED, FRAMEWISE = "untrained", "framewise"
UNTRAINED_IMAGINED = "untrained imagined"
FLOORS = {name: name for name in (LAST_SEEN, CONSTANT_VELOCITY, UNTRAINED, FRAMEWISE)}
"""Ways of reading that stand beside the belief, by the name that they have there."""
IMAGINED_FLOORS = {LAST_SEEN: LAST_SEEN, CONSTANT_VELOCITY: CONSTANT_VELOCITY, UNTRAINED: UNTRAINED_IMAGINED}
"""And beside what is imagined: an untrained network that imagines likewise; no frame is seen, so none is read."""

Reader = Callable[[Float[Tensor, "n F"]], Float[Tensor, "n k"]]
"""Positions from features."""

Fit = Callable[[Float[Tensor, "n F"], Float[Tensor, "n k"]], Reader]
"""Makes one from rows of features and true positions, film after film."""


@dataclass(frozen=True, kw_only=True)
class HiddenConfig:
    """How it is judged.

    Args:
        context: Model steps that a belief must have seen: frames before are not read, and films whose object is hidden
            sooner are refused.
        batch: Films of one length encoded at once.
        seed: Of readouts and intervals.

    Raises:
        ContractError: A number below 1, or a negative seed.
    """

    context: int = 3
    batch: int = 32
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.context, self.batch) < 1 or self.seed < 0:
            raise ContractError("HiddenConfig is out of limits", got=self, expected="context and batch ≥ 1, seed ≥ 0")


@dataclass(frozen=True, kw_only=True, repr=False)
class Sights:
    """What n films give to read from. m rows are all steps of all films, film after film.

    Args:
        events: n names.
        seconds: [n] time out of sight at the judged frame.
        diameters: [n] px, of the disc of equal area.
        truth: [n, 2] px, position at the judged frame.
        last_seen: [n, 2] px, position at the last frame before it was hidden.
        velocity: [n, 2] px/s, there.
        positions: [m, 2] px.
        rows: By way of reading, features [m, F] of all steps.
        judged: By way of reading, features [n, F] at the judged frame.
    """

    events: tuple[str, ...]
    seconds: Float64[np.ndarray, " n"]
    diameters: Float64[np.ndarray, " n"]
    truth: Float64[np.ndarray, "n 2"]
    last_seen: Float64[np.ndarray, "n 2"]
    velocity: Float64[np.ndarray, "n 2"]
    positions: Float[Tensor, "m 2"]
    rows: Mapping[str, Float[Tensor, "m F"]]
    judged: Mapping[str, Float[Tensor, "n F"]]

    def floors(self) -> dict[str, Float64[np.ndarray, "n 2"]]:
        """Where those who do not look would say that it is, px."""
        moved = self.velocity * self.seconds[:, None]
        return {LAST_SEEN: self.last_seen, CONSTANT_VELOCITY: self.last_seen + moved}

    def errors(self, places: Float64[np.ndarray, "n 2"]) -> Float64[np.ndarray, " n"]:
        """Distances from the truth, in diameters."""
        distances: Float64[np.ndarray, " n"] = np.linalg.norm(places - self.truth, axis=1) / self.diameters
        return distances


def score_hidden(
    model: JEPA,
    untrained: JEPA,
    train_films: Iterable[HiddenFilm],
    test_films: Iterable[HiddenFilm],
    config: HiddenConfig | None = None,
) -> tuple[Row, ...]:
    """`error_diameters/<seconds>` and `skill/<seconds>` over films with an event behind the screen; `/<event>` for each
    of them and for none; `/imagined` for beliefs that are shown no frame from the first hidden one on.

    Args:
        model: Frozen, in evaluation mode; reads one camera and no actions; its memory is of constant size.
        untrained: The same network before training.
        train_films: Readouts are fitted on these.
        test_films: Judged; of other objects.
        config: How it is judged.

    Raises:
        ContractError: A model of another kind.
        DataError: No films, films shorter than the context, or films in which nothing is hidden.
    """
    chosen = config or HiddenConfig()
    learned = sights(model, untrained, train_films, chosen)
    judged = sights(model, untrained, test_films, chosen)

    def fit(features: Tensor, values: Tensor) -> Reader:
        return fit_mlp(features, values, MLPReadoutConfig(seed=chosen.seed))

    return rows_of(judged, read_places(learned, judged, fit), chosen.seed)


def sights(model: JEPA, untrained: JEPA, films: Iterable[HiddenFilm], config: HiddenConfig) -> Sights:
    """What these films give to read from; they are looked at a few at a time.

    Raises:
        As `score_hidden`.
    """
    stride = frames_per_step(model, RATE_HZ)
    parts: list[Sights] = []
    for _, same in groupby(films, key=lambda film: len(film.film.rgb)):
        group = list(same)
        parts += [
            _look(model, untrained, group[first : first + config.batch], stride, config)
            for first in range(0, len(group), config.batch)
        ]
    if not parts:
        raise DataError("there is nothing to judge", got="no films", expected="at least one film")
    return _joined(parts)


def read_places(learned: Sights, judged: Sights, fit: Fit) -> dict[str, Float64[np.ndarray, "n 2"]]:
    """Where the judged objects are thought to be, px, by way of reading; floors among them."""
    places = judged.floors()
    for way, rows in learned.rows.items():
        reader = fit(rows, learned.positions)
        places[way] = reader(judged.judged[way]).double().numpy()
        if (imagined := {BELIEF: IMAGINED, UNTRAINED: UNTRAINED_IMAGINED}.get(way)) is not None:
            places[imagined] = reader(judged.judged[imagined]).double().numpy()
    return places


def rows_of(judged: Sights, places: Mapping[str, Float64[np.ndarray, "n 2"]], seed: int) -> tuple[Row, ...]:
    """The rows of `score_hidden`, from where the objects are thought to be."""
    errors = {way: judged.errors(where) for way, where in places.items()}
    events = np.array(judged.events)
    rows: list[Row] = []
    for seconds in np.unique(judged.seconds):
        of_time, name = judged.seconds == seconds, f"{seconds:g}"
        happens = of_time & (events != "none")
        chosen = {"": happens} | {f"/{event}": of_time & (events == event) for event in sorted(set(events))}
        for suffix, which in chosen.items():
            rows += _rows(f"{name}{suffix}", errors, BELIEF, FLOORS, which, seed, skill=suffix != "/none")
        rows += _rows(f"{name}/{IMAGINED}", errors, IMAGINED, IMAGINED_FLOORS, happens, seed, skill=True)
    return tuple(rows)


def _rows(
    name: str,
    errors: Mapping[str, Float64[np.ndarray, " n"]],
    way: str,
    beside: Mapping[str, str],
    which: Bool[np.ndarray, " n"],
    seed: int,
    *,
    skill: bool,
) -> list[Row]:
    n = int(which.sum())
    if not n:
        return []
    own, straight = errors[way][which], errors[CONSTANT_VELOCITY][which]
    floors = {name: errors[floor][which] for name, floor in beside.items()}
    note = "median over films"
    rows = [
        Row(
            metric=f"error_diameters/{name}",
            value=float(np.median(own)),
            interval=bootstrap(own, lambda x: float(np.median(x)), seed),
            n=n,
            floors={floor: float(np.median(values)) for floor, values in floors.items()},
            note=note,
        )
    ]
    if not skill or float(np.median(straight)) == 0:
        return rows
    value = _skill(np.stack([own, straight], axis=1))
    others = {
        floor: _skill(np.stack([values, straight], axis=1))
        for floor, values in floors.items()
        if floor != CONSTANT_VELOCITY
    }
    row = Row(
        metric=f"skill/{name}",
        value=value,
        interval=bootstrap(np.stack([own, straight], axis=1), _skill, seed),
        n=n,
        floors=others,
        note="1 - median error / median error of constant velocity",
    )
    return [*rows, row]


def _skill(pairs: Float64[np.ndarray, "n 2"]) -> float:
    own, straight = np.median(pairs, axis=0)
    return float(1 - own / straight) if straight > 0 else float("nan")


def _look(model: JEPA, untrained: JEPA, films: Sequence[HiddenFilm], stride: int, config: HiddenConfig) -> Sights:
    """Films of one length, each seen from the frame on that makes the judged one a step."""
    steps = np.stack([_steps(film, stride, config.context) for film in films])
    frames = np.stack([film.film.rgb[index] for film, index in zip(films, steps, strict=True)])
    frames = resized(frames, (model.sensors[0].shape[1], model.sensors[0].shape[2]))
    see = Seen(alike=isinstance(model.perception, ThingPerception))
    latents, unlearned = see(model, frames), see(untrained, frames)
    D = latents.values.shape[2:].numel()
    beliefs, blank = beliefs_along(model, latents), beliefs_along(untrained, unlearned)
    ways = {BELIEF: beliefs, FRAMEWISE: beliefs[:, :, :D], UNTRAINED: blank}
    each, last = np.arange(len(films)), np.array([film.judged // stride for film in films])
    seen = np.array([_seen_steps(film, stride) for film in films])
    places = np.stack([film.film.position[index, 0] for film, index in zip(films, steps, strict=True)])
    skipped = config.context - 1
    return Sights(
        events=tuple(film.event for film in films),
        seconds=np.array([film.seconds for film in films], dtype=np.float64),
        diameters=np.array([2 * film.film.radius[0] for film in films]),
        truth=np.stack([film.film.position[film.judged, 0] for film in films]),
        last_seen=np.stack([film.film.position[film.last_seen, 0] for film in films]),
        velocity=np.stack([film.film.velocity[film.last_seen, 0] for film in films]),
        positions=torch.from_numpy(places[:, skipped:]).float().flatten(0, 1),
        rows={way: values[:, skipped:].flatten(0, 1) for way, values in ways.items()},
        judged={way: values[each, last] for way, values in ways.items()}
        | {
            IMAGINED: _imagined(model, latents, seen, last),
            UNTRAINED_IMAGINED: _imagined(untrained, unlearned, seen, last),
        },
    )


def _seen_steps(film: HiddenFilm, stride: int) -> int:
    """Model steps before the object is hidden."""
    return (film.last_seen - film.judged % stride) // stride + 1


def _steps(film: HiddenFilm, stride: int, context: int) -> Int64[np.ndarray, " t"]:
    """Frames that the model sees: every `stride`-th, the judged one among them."""
    T = len(film.film.rgb)
    if not 0 < film.hidden.start <= film.judged < film.hidden.stop <= T:
        raise DataError("nothing is hidden at the judged frame", got=film, expected=f"hidden for {film.seconds:g} s")
    if _seen_steps(film, stride) < context or film.judged // stride >= T // stride:
        raise DataError(
            "this film is shorter than the context",
            got=f"{_seen_steps(film, stride)} steps of {stride} frames before the object is hidden, {T} frames in all",
            expected=f"at least {context} steps, and a whole one from the judged frame on",
            remedy="film it for longer, or ask for less context",
        )
    return film.judged % stride + stride * np.arange(T // stride, dtype=np.int64)


def _imagined(
    model: JEPA, latents: Latents, seen: Int64[np.ndarray, " n"], last: Int64[np.ndarray, " n"]
) -> Float[Tensor, "n F"]:
    """Beliefs at the judged frames of those who saw nothing from the first hidden frame on."""
    found: dict[int, Tensor] = {}
    for before, judged in sorted(set(zip(seen.tolist(), last.tolist(), strict=True))):
        which = np.flatnonzero((seen == before) & (last == judged)).tolist()
        past = Latents(latents.values[which, :before], latents.times_seconds[which, :before])
        found |= dict(zip(which, imagined_belief(model, past, judged + 1 - before), strict=True))
    return torch.stack([found[row] for row in range(len(seen))])


def _joined(parts: Sequence[Sights]) -> Sights:
    return Sights(
        events=tuple(event for part in parts for event in part.events),
        seconds=np.concatenate([part.seconds for part in parts]),
        diameters=np.concatenate([part.diameters for part in parts]),
        truth=np.concatenate([part.truth for part in parts]),
        last_seen=np.concatenate([part.last_seen for part in parts]),
        velocity=np.concatenate([part.velocity for part in parts]),
        positions=torch.cat([part.positions for part in parts]),
        rows={way: torch.cat([part.rows[way] for part in parts]) for way in parts[0].rows},
        judged={way: torch.cat([part.judged[way] for part in parts]) for way in parts[0].judged},
    )
