"""Physical quantities read from beliefs: position, velocity, size, mass, friction, restitution, gravity, contact, depth
order; each beside the same readout of an untrained network's belief and of pixels.

`quantity/<name>` is a ridge regression, `quantity/<name>/mlp` two hidden layers, both of the frozen belief (see
`monde.evaluation.physics.beliefs`), fitted on training films and judged on others: R², or the area under the ROC curve
for contact and depth order. Where each is asked for: `monde.evaluation.physics.told`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int64
from torch import Tensor

from monde.errors import ContractError, DataError
from monde.evaluation.physics.beliefs import beliefs_along, encode_films, frames_per_step
from monde.evaluation.physics.told import QUANTITIES, Quantity, Told, told
from monde.evaluation.statistics import auroc, bootstrap, r_squared
from monde.models import JEPA
from monde.protocols import Recording
from monde.readouts import MLPReadoutConfig, fit_linear, fit_mlp
from monde.scorecard import Row

BELIEF, UNTRAINED, PIXELS = "belief", "untrained", "pixels"
CELLS, LAST = 8, 4
"""The floor of pixels: the last four frames that the model saw, averaged down to 8 × 8 colours."""

Fit = Callable[[Tensor, Tensor], Callable[[Tensor], Tensor]]

Measure = Callable[[np.ndarray, np.ndarray], float]
"""How good a reading is, of the truth and of what was read."""


@dataclass(frozen=True, kw_only=True)
class QuantitiesConfig:
    """How they are read.

    Args:
        context: Model steps that a belief must have seen before anything is asked of it.
        least_rows: Fewest rows that a readout is fitted on, and of each answer where it is true or false.
        least_films: Fewest films that a quantity is judged on.
        mlp: Whether nonlinear readouts are fitted as well.
        seed: Of readouts and intervals.

    Raises:
        ContractError: A number below 1, or a negative seed.
    """

    context: int = 4
    least_rows: int = 40
    least_films: int = 8
    mlp: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.context, self.least_rows, self.least_films) < 1 or self.seed < 0:
            raise ContractError("QuantitiesConfig is out of limits", got=self, expected="numbers ≥ 1, seed ≥ 0")


@dataclass(frozen=True)
class QuantitiesScore:
    """What was read.

    Args:
        rows: `quantity/<name>`, and `/mlp`.
        missing: Why a quantity has no row, by name.
    """

    rows: tuple[Row, ...]
    missing: Mapping[str, str]


@dataclass(frozen=True, repr=False)
class _Part:
    """Rows of one quantity: features by way of reading, truth, and the film of each row."""

    features: Mapping[str, Float[Tensor, "m F"]]
    truth: Float64[np.ndarray, "m d"]
    films: Int64[np.ndarray, " m"]


@dataclass(frozen=True, repr=False)
class Looked:
    """One film as it is read from.

    Args:
        told: Its state; contacts since the last step.
        frames: [t] of the steps from the context on.
        features: By way of reading, [t, F] at these steps.
    """

    told: Told
    frames: Int64[np.ndarray, " t"]
    features: Mapping[str, Float[Tensor, "t F"]]


def score_quantities(
    model: JEPA,
    untrained: JEPA,
    recording: Recording,
    train: Sequence[int],
    held_out: Sequence[int],
    config: QuantitiesConfig | None = None,
) -> QuantitiesScore:
    """Readouts of physical quantities from the belief after each step of a film.

    Args:
        model: Frozen, in evaluation mode; reads one camera and no actions; its memory is of constant size.
        untrained: The same network before training.
        recording: Made by `monde.record_scenes`, in the plane or in space.
        train: Episodes that readouts are fitted on.
        held_out: Episodes that they are judged on.
        config: How they are read.

    Raises:
        ContractError: A model of another kind.
        DataError: A recording of something else, or no films that are long enough for the context.
    """
    chosen = config or QuantitiesConfig()
    if set(train) & set(held_out):
        raise DataError("films are judged on that readouts were fitted on", got=sorted(set(train) & set(held_out))[:5])
    learned, judged = (look_at(model, untrained, recording, episodes, chosen) for episodes in (train, held_out))
    rows: list[Row] = []
    missing: dict[str, str] = {}
    for name, quantity in QUANTITIES.items():
        parts = _part(quantity, learned), _part(quantity, judged)
        reason = _lacking(quantity, *parts, chosen)
        if reason:
            missing[name] = reason
            continue
        rows += _rows(name, quantity, *parts, judged[0].told.space, chosen)
    return QuantitiesScore(tuple(rows), missing)


def look_at(
    model: JEPA, untrained: JEPA, recording: Recording, episodes: Sequence[int], config: QuantitiesConfig
) -> list[Looked]:
    """Films of these episodes; those too short for the context are left out.

    Raises:
        DataError: No film is left, or the recording is of something else.
    """
    camera = model.sensors[0]
    stride = frames_per_step(model, camera.rate_hz or 1 / model.actions.dt_seconds)
    found = []
    for episode in episodes:
        length = recording.lengths[episode]
        if (length - 1) // stride + 1 < config.context:
            continue
        clip = recording.read(episode, 0, length, (camera.name, "state"))
        values = clip.stream("state").values[0].double().numpy()
        frames = np.arange((config.context - 1) * stride, length, stride)
        film = clip.stream(camera.name).values.numpy()[:, ::stride]
        features = {
            BELIEF: beliefs_along(model, encode_films(model, film))[0],
            UNTRAINED: beliefs_along(untrained, encode_films(untrained, film))[0],
            PIXELS: _pixels(film[0]),
        }
        kept = {way: rows[config.context - 1 :] for way, rows in features.items()}
        found.append(Looked(_of_steps(told(recording.sensors, values, config.context * stride), stride), frames, kept))
    if not found:
        raise DataError(
            "no film is long enough for the context", got=f"{len(episodes)} films", expected=f"{config.context} steps"
        )
    return found


def _of_steps(film: Told, stride: int) -> Told:
    """Contacts since the last *step*: a model that sees every fourth frame is asked for all that was in between."""
    values = film.values.copy()
    for column, name in enumerate(film.names):
        if "_touches_" in name:
            shifted = [np.concatenate([np.zeros(s), film.values[: len(values) - s, column]]) for s in range(stride)]
            values[:, column] = np.max(shifted, axis=0)
    return Told(film.names, values, film.frames)


def _pixels(film: np.ndarray) -> Float[Tensor, "t F"]:
    frames = torch.from_numpy(np.ascontiguousarray(film)).float()
    small = torch.nn.functional.adaptive_avg_pool2d(frames, CELLS).flatten(1)
    index = (torch.arange(len(small))[:, None] - torch.arange(LAST)).clamp_min(0)
    return small[index].flatten(1)


def _part(quantity: Quantity, films: Sequence[Looked]) -> _Part | None:
    truth, numbers, features = [], [], []
    for number, film in enumerate(films):
        answer = quantity.of(film.told)
        if answer is None:
            continue
        values, asked = answer
        rows: Bool[np.ndarray, " t"] = asked[film.frames]
        truth.append(values[film.frames][rows])
        numbers.append(np.full(int(rows.sum()), number))
        features.append({way: table[torch.from_numpy(rows)] for way, table in film.features.items()})
    if not truth or not sum(map(len, truth)):
        return None
    joined = {way: torch.cat([part[way] for part in features]) for way in features[0]}
    return _Part(joined, np.concatenate(truth), np.concatenate(numbers))


def _lacking(quantity: Quantity, learned: _Part | None, judged: _Part | None, config: QuantitiesConfig) -> str:
    """Why it cannot be scored; empty where it can."""
    if learned is None or judged is None:
        return "no film tells it"
    films = len(np.unique(judged.films))
    if len(learned.truth) < config.least_rows or films < config.least_films:
        return f"{len(learned.truth)} rows to fit on, {films} films to judge on"
    for part in (learned, judged):
        if float(np.ptp(part.truth, axis=0).max()) < 1e-9:
            return "it does not vary"
        fewest = int(min(part.truth.sum(), len(part.truth) - part.truth.sum())) if quantity.label else config.least_rows
        if fewest < (config.least_rows if part is learned else config.least_films):
            return f"{fewest} rows of one answer"
    return ""


def _rows(
    name: str, quantity: Quantity, learned: _Part | None, judged: _Part | None, space: bool, config: QuantitiesConfig
) -> list[Row]:
    assert learned is not None
    assert judged is not None
    kinds: dict[str, tuple[str, Fit]] = {"": ("linear, ridge", _linear)}
    if config.mlp:
        kinds["/mlp"] = ("two hidden layers", lambda x, y: fit_mlp(x, y, MLPReadoutConfig(seed=config.seed)))
    measure, called = (_area, "area under the ROC curve") if quantity.label else (r_squared, "R²")
    unit = quantity.unit[space]
    rows = []
    for suffix, (readout, fit) in kinds.items():
        read = {way: _read(fit, learned, judged, way) for way in learned.features}
        told = np.concatenate([judged.truth, read[BELIEF], read[UNTRAINED]], axis=1)
        note = f"{called}{'' if unit == '1' else f' (in {unit})'}; {readout}; {quantity.where}; n counts films"
        floors = {way: measure(judged.truth, read[way]) for way in (UNTRAINED, PIXELS)}
        for metric, statistic, beside, what in (
            ("quantity", _told(measure), floors, note),
            ("learned", _learned(measure), {}, f"less that of the untrained network, on the same films; {note}"),
        ):
            rows.append(
                Row(
                    metric=f"{metric}/{name}{suffix}",
                    value=statistic(told),
                    interval=bootstrap(told, statistic, config.seed, judged.films),
                    n=len(np.unique(judged.films)),
                    floors=beside,
                    note=what,
                )
            )
    return rows


def _linear(features: Tensor, values: Tensor) -> Callable[[Tensor], Tensor]:
    readout = fit_linear(features[:, None], values, name="quantity", unit="")
    return lambda rows: readout(rows[:, None])


def _read(fit: Fit, learned: _Part, judged: _Part, way: str) -> Float64[np.ndarray, "m d"]:
    reader = fit(learned.features[way], torch.from_numpy(learned.truth))
    values: Float64[np.ndarray, "m d"] = reader(judged.features[way]).double().numpy()
    return values


def _told(measure: Measure) -> Callable[[np.ndarray], float]:
    """Of rows of truth, what the belief told, and what the untrained network's did: how good the belief is."""

    def statistic(rows: np.ndarray) -> float:
        truth, belief, _ = np.split(rows, 3, axis=1)
        return measure(truth, belief)

    return statistic


def _learned(measure: Measure) -> Callable[[np.ndarray], float]:
    """Of such rows: by how much the belief is better than the untrained network's."""

    def statistic(rows: np.ndarray) -> float:
        truth, belief, untrained = np.split(rows, 3, axis=1)
        return measure(truth, belief) - measure(truth, untrained)

    return statistic


def _area(truth: Float64[np.ndarray, "m 1"], read: Float64[np.ndarray, "m 1"]) -> float:
    return auroc(read[:, 0], truth[:, 0] > 0.5)
