"""What a frozen latent tells about the state of the world: linear probes, scored on held-out episodes.

RMSE is per component: the root of the squared error averaged over frames *and* components. For a position in the plane
that is the error along one axis; the mean Euclidean error is about 1.25 times as large (for normal errors).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float

from monde.errors import DataError
from monde.evaluation.exhibits import Scatter
from monde.evaluation.latents import ClipSource, EncodedClip, clusters, encode_clips, stack_latents, stack_states
from monde.evaluation.statistics import bootstrap, pearson, r_squared, rmse_interval
from monde.protocols import WorldModel
from monde.readouts import LinearReadout, fit_linear
from monde.scorecard import Row
from monde.types import Sensor

CLIPS = 200
"""Most clips that a probe is fitted on, and most that it is scored on."""

SCATTER_POINTS = 2000
"""Most points of a scatter."""

LEAST_FRAMES = 10
"""Fewest training frames with the truth; of a target of which gaps leave fewer nothing is told."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """A quantity that is probed for.

    Args:
        name: What it is called in metrics ("position").
        sensor: Sensor of the recording that holds the truth.
        components: Components of that sensor, in order.
        unit: Their unit.
        names: One name per component.
    """

    name: str
    sensor: str
    components: tuple[int, ...]
    unit: str
    names: tuple[str, ...]

    def truth(self, clips: list[EncodedClip]) -> Float[np.ndarray, "n k"]:
        """The true values at all frames of `clips`, NaN in gaps."""
        return stack_states(clips, self.sensor)[:, self.components]

    def known(self, clips: list[EncodedClip]) -> Float[np.ndarray, "n k"]:
        """The true values at the frames of `clips` that have them."""
        truth = self.truth(clips)
        return truth[is_known(truth)]


@dataclass(frozen=True, kw_only=True)
class ProbeScore:
    """What probing found; nothing of targets of which gaps leave too little to fit on or to score on.

    Args:
        rows: `probe/<name>/rmse`, `/r2` and `/pearson` for each target, and `probe_position_rmse_px` for a position in
            the plane in pixels.
        readouts: The fitted probes by target name.
        scatters: Truth beside what was read, held out, by target name.
    """

    rows: tuple[Row, ...]
    readouts: dict[str, LinearReadout]
    scatters: dict[str, Scatter]


def targets(sensors: Sequence[Sensor]) -> tuple[Target, ...]:
    """What can be probed for among the sensors of a recording.

    Every state or pose sensor is one target, under its own name; where it has components called x and y (and z) and a
    unit that begins with px or m, these are also the target "position".
    """
    found: list[Target] = []
    for sensor in sensors:
        if sensor.kind not in {"state", "pose"}:
            continue
        width = math.prod(sensor.shape)
        names = sensor.names or tuple(str(index) for index in range(width))
        place = tuple(index for index, name in enumerate(names) if name in {"x", "y", "z"})
        unit = sensor.unit.split(",")[0].strip()
        position = len(place) >= 2 and unit in {"px", "m"} and not any(target.name == "position" for target in found)
        if position:
            chosen = tuple(names[index] for index in place)
            found.append(Target(name="position", sensor=sensor.name, components=place, unit=unit, names=chosen))
        if not position or len(place) < width:
            every = tuple(range(width))
            found.append(Target(name=sensor.name, sensor=sensor.name, components=every, unit=sensor.unit, names=names))
    return tuple(found)


def is_known(values: Float[np.ndarray, "n k"]) -> Bool[np.ndarray, " n"]:
    """Which rows have no gap."""
    return np.isfinite(values).all(1)


def score_probes(
    model: WorldModel,
    train: ClipSource,
    held_out: ClipSource,
    wanted: Sequence[Target],
    untrained: WorldModel | None = None,
    seed: int = 0,
    limit: int = CLIPS,
) -> ProbeScore:
    """Fit linear probes on training episodes and score them on held-out ones. Frames without the truth are left out.

    Floors: the mean of the training values; and the same probe on an untrained model of the same shape, where given.

    Args:
        model: Its latents are probed, frozen.
        train: Clips of training episodes.
        held_out: Clips of episodes that neither model nor probe has seen.
        wanted: What to probe for (see `targets`).
        untrained: A model of the same shape with its first weights.
        seed: Of the bootstrap over clips.
        limit: Most clips used of each source.

    Raises:
        DataError: Nothing to probe for, too little data, or latents that are not finite.
    """
    if not wanted:
        raise DataError("there is nothing to probe for", expected="at least one state or pose sensor in the recording")
    states = tuple(dict.fromkeys(target.sensor for target in wanted))
    fit_on, score_on = encode_clips(model, train, states, limit), encode_clips(model, held_out, states, limit)
    blank = None
    if untrained is not None:
        blank = encode_clips(untrained, train, states, limit), encode_clips(untrained, held_out, states, limit)
    rows: list[Row] = []
    readouts, scatters = {}, {}
    for target in wanted:
        learned, asked = is_known(target.truth(fit_on)), is_known(target.truth(score_on))
        if learned.sum() < min(LEAST_FRAMES, len(learned)) or not asked.any():
            continue
        readout, read = _probe(target, fit_on, score_on)
        truth, mean = target.known(score_on), target.known(fit_on).mean(0)
        floors = {"mean": np.broadcast_to(mean, truth.shape)}
        if blank is not None:
            floors["untrained"] = _probe(target, *blank)[1]
        rows += _rows(target, truth, read, floors, clusters(score_on)[asked], seed, int((~asked).sum()))
        readouts[target.name] = readout
        scatters[target.name] = _scatter(target, truth, read)
    return ProbeScore(rows=tuple(rows), readouts=readouts, scatters=scatters)


def _probe(
    target: Target, fit_on: list[EncodedClip], score_on: list[EncodedClip]
) -> tuple[LinearReadout, Float[np.ndarray, "n k"]]:
    learned, asked = (
        stack_latents(clips)[torch.from_numpy(is_known(target.truth(clips)))] for clips in (fit_on, score_on)
    )
    readout = fit_linear(
        learned, torch.from_numpy(target.known(fit_on)), name=target.name, unit=target.unit, names=target.names
    )
    return readout, readout(asked).double().cpu().numpy()


def _rows(
    target: Target,
    truth: np.ndarray,
    read: np.ndarray,
    floors: dict[str, np.ndarray],
    episodes: np.ndarray,
    seed: int,
    left_out: int,
) -> list[Row]:
    n, k = len(truth), truth.shape[1]
    name = f"probe/{target.name}"
    note = "linear, ridge; per component; held-out episodes"
    note += f"; {left_out} frames without the truth are left out" if left_out else ""
    rmse, interval = rmse_interval(read - truth, seed, episodes)
    floor = {key: float(np.sqrt(np.square(other - truth).mean())) for key, other in floors.items()}
    row = Row(metric=f"{name}/rmse", value=rmse, unit=target.unit, interval=interval, n=n, floors=floor, note=note)
    rows = [row]
    if target.name == "position" and k == 2 and target.unit == "px":
        rows.append(
            Row(metric="probe_position_rmse_px", value=rmse, unit="px", interval=interval, n=n, floors=floor, note=note)
        )
    both = np.concatenate([truth, read], 1)
    for kind, statistic in (("r2", r_squared), ("pearson", pearson)):
        value = statistic(truth, read)
        if math.isnan(value):
            continue  # the state never varies in the held-out data: there is nothing to explain
        low, high = bootstrap(both, _of_halves(statistic, k), seed, episodes)
        floor = {key: statistic(truth, other) for key, other in floors.items()}
        rows.append(Row(metric=f"{name}/{kind}", value=value, interval=(low, high), n=n, floors=floor, note=note))
    return rows


def _of_halves(statistic: Callable[[np.ndarray, np.ndarray], float], k: int) -> Callable[[np.ndarray], float]:
    return lambda rows: statistic(rows[:, :k], rows[:, k:])


def _scatter(target: Target, truth: np.ndarray, read: np.ndarray) -> Scatter:
    chosen = np.unique(np.linspace(0, len(truth) - 1, min(SCATTER_POINTS, len(truth))).round().astype(int))
    r2 = r_squared(truth, read)
    return Scatter(
        truth=torch.from_numpy(truth[chosen]).float(),
        read=torch.from_numpy(read[chosen]).float(),
        names=target.names,
        unit=target.unit,
        r2=0.0 if math.isnan(r2) else r2,
        rmse=float(np.sqrt(np.square(read - truth).mean())),
        title=f"linear probe of {target.name}, held-out episodes",
    )
