"""The use of each sense: how much worse the state is read and predicted with another episode's samples in its place.

A sense can go blind beside another without any score telling: with proprioception as input a pixel latent was seen to
hold next to nothing of what was in view while reaching still succeeded. So each sense is asked for: with all of them,
without it (missing), and with the samples of another episode at its place, the other senses as they were.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float

from monde.errors import DataError
from monde.evaluation.imagining import PredictionConfig, Windows, cut_windows, imagine_windows
from monde.evaluation.latents import ClipSource, EncodedClip, clusters, encode_clips, stack_latents
from monde.evaluation.probes import CLIPS, Target, is_known
from monde.evaluation.statistics import bootstrap, rmse_interval
from monde.protocols import WorldModel
from monde.readouts import LinearReadout
from monde.scorecard import Row
from monde.types import Clip

Change = Callable[[ClipSource, int], Clip]


@dataclass(frozen=True)
class Changed:
    """A source of clips that are changed on the way.

    Args:
        source: Of the clips.
        change: Makes the changed clip of an index.
    """

    source: ClipSource
    change: Change

    def __len__(self) -> int:
        return len(self.source)

    def clip(self, index: int) -> Clip:
        """The changed clip."""
        return self.change(self.source, index)


def missing(sensor: str) -> Change:
    """Clips in which a sensor delivers nothing."""

    def change(source: ClipSource, index: int) -> Clip:
        clip = source.clip(index)
        stream = clip.stream(sensor)
        silent = replace(stream, valid=torch.zeros_like(stream.valid))
        return replace(clip, streams={**clip.streams, sensor: silent})

    return change


def elsewhere(sensor: str) -> Change:
    """Clips in which a sensor shows what it showed in another episode: half of all clips further on."""

    def change(source: ClipSource, index: int) -> Clip:
        clip, other = source.clip(index), source.clip((index + len(source) // 2) % len(source))
        return replace(clip, streams={**clip.streams, sensor: other.stream(sensor)})

    return change


def score_senses(
    model: WorldModel,
    held_out: ClipSource,
    wanted: Sequence[Target],
    readouts: Mapping[str, LinearReadout],
    config: PredictionConfig | None = None,
    seed: int = 0,
    limit: int = CLIPS,
) -> tuple[Row, ...]:
    """Score the use of each sense of a model, by what can be read from its latents, observed and imagined.

    Frames without the truth are left out; of a target that has it nowhere nothing is told.

    Args:
        model: It; may read several sensors or one.
        held_out: Clips of episodes that neither model nor readouts have seen, at least two.
        wanted: Quantities that are read (`monde.evaluation.probes.targets`); the first is what `use/…` tells of.
        readouts: Readouts of them, fitted on observed latents of all senses (`ProbeScore.readouts`).
        config: What is predicted from what; the whole horizon counts.
        seed: Of the bootstrap over clips.
        limit: Most clips used.

    Returns:
        For each sense: `use/<sense>`, RMSE with another episode's samples over RMSE with its own (1: it is not used);
        `use/<sense>/missing`, RMSE without it over RMSE with it (1: nothing is lost); `use/<sense>/prediction` and
        `use/<sense>/prediction_missing`, the same of what is read from imagined latents at the end of the horizon. And
        for each target `senses/<target>/all`, `…/without/<sense>` and `…/other/<sense>`, the errors themselves.

    Raises:
        DataError: Nothing to read, fewer than two clips, or clips too short.
    """
    if not wanted or len(held_out) < 2:
        raise DataError(
            "the use of senses cannot be told",
            got=f"{len(wanted)} quantities to read, {len(held_out)} clips",
            expected="at least one state or pose that the model does not read, and two held-out clips",
            remedy="record one, and hold out more episodes",
        )
    config = config or PredictionConfig()
    states = tuple(dict.fromkeys(target.sensor for target in wanted))

    def seen(source: ClipSource) -> "_Seen":
        return _Seen.of(model, encode_clips(model, source, states, limit), config)

    whole, rows = seen(held_out), list[Row]()
    for target in wanted:
        rows += _error(f"senses/{target.name}/all", target, readouts[target.name], whole, seed)
    for sensor in model.sensors:
        parts = {
            "other": seen(Changed(held_out, elsewhere(sensor.name))),
            "without": seen(Changed(held_out, missing(sensor.name))),
        }
        for target in wanted:
            for how, part in parts.items():
                name = f"senses/{target.name}/{how}/{sensor.name}"
                rows += _error(name, target, readouts[target.name], part, seed)
        first = wanted[0]
        names = {"other": ("", "/prediction"), "without": ("/missing", "/prediction_missing")}
        for how, part in parts.items():
            for suffix, predicted in zip(names[how], (False, True), strict=True):
                metric = f"use/{sensor.name}{suffix}"
                rows += _ratio(metric, first, readouts[first.name], whole, part, predicted, seed)
    return tuple(rows)


@dataclass(frozen=True)
class _Seen:
    """What a model made of clips: observed latents, and what it imagined from them on to the end of the horizon."""

    clips: list[EncodedClip]
    windows: Windows
    imagined: torch.Tensor

    @classmethod
    def of(cls, model: WorldModel, clips: list[EncodedClip], config: PredictionConfig) -> "_Seen":
        windows = cut_windows(clips, config)
        return cls(clips, windows, imagine_windows(model, windows, windows.actions, config))

    def errors(self, target: Target, readout: LinearReadout) -> Float[np.ndarray, "n k"]:
        read: np.ndarray = readout(stack_latents(self.clips)).double().cpu().numpy()
        return read - target.truth(self.clips)

    def predicted(self, target: Target, readout: LinearReadout) -> Float[np.ndarray, "n k"]:
        blocks = self.imagined.shape[1]
        spans = zip(self.windows.index, self.windows.last, strict=True)
        truth = np.stack([self.clips[i].states[target.sensor][t + blocks, target.components] for i, t in spans])
        read: np.ndarray = readout(self.imagined[:, -1]).double().cpu().numpy()
        return read - truth


def _error(name: str, target: Target, readout: LinearReadout, seen: _Seen, seed: int) -> list[Row]:
    errors = seen.errors(target, readout)
    asked = is_known(errors)
    if not asked.any():
        return []
    rmse, interval = rmse_interval(errors[asked], seed, clusters(seen.clips)[asked])
    note = "readout fitted on latents of all senses; per component; held-out episodes"
    return [Row(metric=name, value=rmse, unit=target.unit, interval=interval, n=int(asked.sum()), note=note)]


def _ratio(
    metric: str, target: Target, readout: LinearReadout, whole: _Seen, part: _Seen, predicted: bool, seed: int
) -> list[Row]:
    pair = [
        np.square(seen.predicted(target, readout) if predicted else seen.errors(target, readout)).mean(1)
        for seen in (whole, part)
    ]
    squared = np.stack(pair, 1)
    asked = is_known(squared)
    if not asked.any():
        return []
    squared, labels = squared[asked], (whole.windows.index if predicted else clusters(whole.clips))[asked]

    def ratio(rows: np.ndarray) -> float:
        own, changed = np.sqrt(rows.mean(0))
        return float(changed / own) if own > 0 else float("nan")

    own, changed = np.sqrt(squared.mean(0))
    return [
        Row(
            metric=metric,
            value=float(changed / max(own, 1e-12)),
            interval=bootstrap(squared, ratio, seed, labels),
            n=len(squared),
            floors={"unused": 1.0},
            note=f"RMSE of {target.name}: {changed:.3g} {target.unit} over {own:.3g} {target.unit} with all senses",
        )
    ]
