"""What a latent tells of space: how the body moved between two frames, and what a laser scanner sees, now and later."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from monde.evaluation.imagining import PredictionConfig, Windows, cut_windows, imagine_windows
from monde.evaluation.latents import ClipSource, EncodedClip, encode_clips, stack_latents
from monde.evaluation.probes import CLIPS
from monde.evaluation.statistics import mean_interval, rmse_interval
from monde.protocols import WorldModel
from monde.readouts import MotionReadout, ScanReadout, fit_motion, fit_scan
from monde.scorecard import Row
from monde.spatial import relative, se2_compose, se2_inverse, wrap
from monde.types import Sensor
from monde.types.geometry import ScanGeometry

LEAST_PAIRS = 10
"""Fewest pairs of frames, or frames, that a readout is fitted on and scored on; of fewer nothing is told."""
MOST_BEAMS = 72
"""Most beams of a scan that are read: neighbours say nearly the same."""


@dataclass(frozen=True, kw_only=True)
class SpaceScore:
    """What was found.

    Args:
        rows: For each pose sensor `motion/<name>/translation_rmse` and `/rotation_rmse` over one model step; for each
            scan `scan/<name>/mae` on observed latents and `scan/<name>/mae/<s>s` on imagined ones.
        motions: The readouts of motions, by sensor name.
        scans: The readouts of scans, by sensor name.
    """

    rows: tuple[Row, ...] = ()
    motions: dict[str, MotionReadout] = field(default_factory=dict)
    scans: dict[str, ScanReadout] = field(default_factory=dict)


def score_space(
    model: WorldModel,
    train: ClipSource,
    held_out: ClipSource,
    sensors: Sequence[Sensor],
    config: PredictionConfig | None = None,
    seed: int = 0,
    limit: int = CLIPS,
) -> SpaceScore:
    """Fit readouts of motions and scans on training clips and score them on held-out ones.

    Samples that are missing are left out. Floors: `still` (the body stays), `mean` (the mean motion or scan of the
    training clips), `copy_last` (the scan of the last frame that was seen).

    Args:
        model: Its latents are read, frozen.
        train: Clips of training episodes, with these sensors.
        held_out: Clips of episodes that neither model nor readouts have seen.
        sensors: Of the recording; those of kind pose and scan are scored.
        config: What is predicted from what.
        seed: Of the bootstrap over clips.
        limit: Most clips used of each source.

    Raises:
        DataError: Clips too short, or latents that are not finite.
    """
    config = config or PredictionConfig()
    names = tuple(sensor.name for sensor in sensors if sensor.kind in {"pose", "scan"})
    if not names:
        return SpaceScore()
    fit_on = encode_clips(model, train, names, limit)
    score_on = encode_clips(model, held_out, names, limit)
    motions, scans, rows = dict[str, MotionReadout](), dict[str, ScanReadout](), list[Row]()
    windows = cut_windows(score_on, config)
    imagined = imagine_windows(model, windows, windows.actions, config)
    for sensor in sensors:
        if sensor.kind == "pose":
            motion, told = _motion(sensor, fit_on, score_on, seed)
            motions.update({sensor.name: motion} if motion else {})
            rows += told
        elif sensor.kind == "scan" and isinstance(sensor.geometry, ScanGeometry):
            scan = _fit_scan(sensor, sensor.geometry, fit_on)
            if scan is not None:
                scans[sensor.name] = scan
                seconds = model.actions.block_seconds
                rows += _scan_rows(sensor, scan, fit_on, score_on, windows, imagined, config, seconds, seed)
    return SpaceScore(rows=tuple(rows), motions=motions, scans=scans)


@dataclass(frozen=True)
class _Pairs:
    """Latents of frames and of those one step later, the motions between, and the clip of each."""

    first: Float[Tensor, "n N D"]
    second: Float[Tensor, "n N D"]
    motions: Float[np.ndarray, "n k"]
    clip: Int64[np.ndarray, " n"]


def _pairs(clips: list[EncodedClip], name: str) -> _Pairs:
    first, second, motions, index = [], [], [], []
    for number, clip in enumerate(clips):
        poses = clip.states[name]
        there = np.flatnonzero(np.isfinite(poses[:-1]).all(1) & np.isfinite(poses[1:]).all(1))
        a, b = poses[there], poses[there + 1]
        motions.append(se2_compose(se2_inverse(a), b) if poses.shape[1] == 3 else relative(a, b))
        picked = torch.from_numpy(there).to(clip.latents.device)
        first.append(clip.latents[picked])
        second.append(clip.latents[picked + 1])
        index.append(np.full(len(there), number))
    return _Pairs(torch.cat(first), torch.cat(second), np.concatenate(motions), np.concatenate(index))


def _motion(
    sensor: Sensor, fit_on: list[EncodedClip], score_on: list[EncodedClip], seed: int
) -> tuple[MotionReadout | None, list[Row]]:
    known, asked = _pairs(fit_on, sensor.name), _pairs(score_on, sensor.name)
    if min(len(known.motions), len(asked.motions)) < LEAST_PAIRS:
        return None, []
    readout = fit_motion(known.first, known.second, torch.from_numpy(known.motions), name=sensor.name)
    read = readout(asked.first, asked.second).double().cpu().numpy()
    planar = read.shape[1] == 3
    places = 2 if planar else 3
    still, mean = np.zeros((1, places)), known.motions[:, :places].mean(0)
    moved, turned = asked.motions[:, :places], _turns(asked.motions, asked.motions * 0 + _nothing(planar))
    parts = (
        ("translation_rmse", "m", read[:, :places] - moved, {"still": still - moved, "mean": mean - moved}),
        ("rotation_rmse", "rad", _turns(read, asked.motions), {"still": turned}),
    )
    rows = []
    for what, unit, errors, others in parts:
        rmse, interval = rmse_interval(errors, seed, asked.clip)
        floors = {name: float(np.sqrt(np.square(other).mean())) for name, other in others.items()}
        note = "over one model step, two hidden layers on two observed latents; per component; held-out episodes"
        metric = f"motion/{sensor.name}/{what}"
        rows.append(
            Row(metric=metric, value=rmse, unit=unit, interval=interval, n=len(errors), floors=floors, note=note)
        )
    return readout, rows


def _nothing(planar: bool) -> Float[np.ndarray, " k"]:
    return np.zeros(3) if planar else np.array([0.0, 0, 0, 0, 0, 0, 1])


def _turns(one: Float[np.ndarray, "n k"], other: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n 1"]:
    """Angles between the rotations of two sets of poses."""
    if one.shape[1] == 3:
        difference = one[:, 2:] - other[:, 2:]
        return wrap(difference)
    return 2 * np.arccos(np.abs((one[:, 3:] * other[:, 3:]).sum(1, keepdims=True)).clip(0, 1))


def _fit_scan(sensor: Sensor, geometry: ScanGeometry, clips: list[EncodedClip]) -> ScanReadout | None:
    ranges = np.concatenate([clip.states[sensor.name] for clip in clips])
    there = np.isfinite(ranges).all(1)
    if int(there.sum()) < LEAST_PAIRS:
        return None
    latents = stack_latents(clips)
    picked = torch.from_numpy(np.flatnonzero(there)).to(latents.device)
    stride = -(-sensor.shape[0] // MOST_BEAMS)
    known = torch.from_numpy(ranges[there]).float()
    return fit_scan(latents[picked], known, geometry, name=sensor.name, stride=stride)


def _scan_rows(
    sensor: Sensor,
    readout: ScanReadout,
    fit_on: list[EncodedClip],
    score_on: list[EncodedClip],
    windows: Windows,
    imagined: Tensor,
    config: PredictionConfig,
    step_seconds: float,
    seed: int,
) -> list[Row]:
    stride = -(-sensor.shape[0] // readout.beams)

    def seen(clip: EncodedClip) -> Float[np.ndarray, "T R"]:
        ranges = clip.states[sensor.name][:, ::stride]
        return np.where(ranges > 0, ranges, np.nan)  # unknown beams and missing scans alike

    learned = np.concatenate([seen(clip) for clip in fit_on])
    mean = np.nanmean(np.where(np.isnan(learned).all(0), readout.geometry.most_m, learned), axis=0)
    truth = np.concatenate([seen(clip) for clip in score_on])
    clip_of = np.repeat(np.arange(len(score_on)), [len(clip.latents) for clip in score_on])
    read = readout(stack_latents(score_on)).double().cpu().numpy()
    rows = _mae(f"scan/{sensor.name}/mae", read, truth, {"mean": mean}, clip_of, "observed latents", seed)
    spans = list(zip(windows.index, windows.last, strict=True))
    last = np.stack([seen(score_on[i])[t] for i, t in spans])
    for blocks in sorted({blocks for blocks in config.report if blocks <= config.horizon}):
        later = np.stack([seen(score_on[i])[t + blocks] for i, t in spans])
        read = readout(imagined[:, blocks - 1]).double().cpu().numpy()
        name = f"scan/{sensor.name}/mae/{blocks * step_seconds:g}s"
        rows += _mae(name, read, later, {"copy_last": last, "mean": mean}, windows.index, "imagined latents", seed)
    return rows


def _mae(
    metric: str,
    read: Float[np.ndarray, "n R"],
    truth: Float[np.ndarray, "n R"],
    floors: dict[str, np.ndarray],
    clip: np.ndarray,
    of: str,
    seed: int,
) -> list[Row]:
    """Mean absolute error over the beams that are known in truth and in all floors."""
    known = np.isfinite(truth)
    for other in floors.values():
        known &= np.isfinite(np.broadcast_to(other, truth.shape))
    rows = known.any(1)
    if not rows.any():
        return []
    count = known[rows].sum(1)

    def errors(other: np.ndarray) -> Float[np.ndarray, " n"]:
        gaps = np.where(known, np.abs(np.broadcast_to(other, truth.shape) - truth), 0.0)
        means: np.ndarray = gaps[rows].sum(1) / count
        return means

    value, interval = mean_interval(errors(read), seed, clip[rows])
    beaten = {name: float(errors(other).mean()) for name, other in floors.items()}
    note = f"beams that are known, read from {of} by two hidden layers; held-out episodes"
    return [Row(metric=metric, value=value, unit="m", interval=interval, n=int(rows.sum()), floors=beaten, note=note)]
