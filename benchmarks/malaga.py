"""A model of simulated scans meets a real log: scans a second ahead, and the way home, without a scan to learn from.

    MONDE_SHARED_DATA=DIR python benchmarks/malaga.py --keep DIR

The recipe `laser_yard` is recorded, trained and fitted on simulated scans only (skipped where the folder holds it).
Then, on the real log (225 scans, 59 s, 76 m, one loop):

- `scan_error_ratio/FLOOR`: the scan four scans (1.06 s on average) ahead, foretold from the scans so far and from what
  odometry says of the motion to come. Errors are absolute, in metres, each counted up to 5 m (a beam that just misses
  an edge errs by tens), meaned over beams with a return. Floors: the last scan as it is; the last scan as it would look
  from where odometry goes, beams that nothing was moved to taking the nearest beam that something was (the best of
  three ways to fill them). Both are told the same odometry. Intervals: blocks of 16 scans drawn again.
- `loop_error_metres/METHOD`: there is no true pose. At the end the robot is where it had been before; scans of both
  visits are matched directly, from 27 guesses each, and kept where the match is good and four of the guesses agree
  (at a share of partners of 0.8 instead of 0.6 a single pair was left in a first run). What a method's chain of
  relative poses says of such a pair, less what the direct match says, is its loop error: the direct match is taken for
  true, and is itself an ICP, good to some centimetres.

What was looked at while choosing: this log's odometry beside an ICP (it errs by 0.1 m and 0.025 rad a step), and the
fillings of the floor. Errors of simulated odometry are drawn from a range that holds these.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float64, Int64

from common import options, write
from malaga_log import Log, read_log
from monde.data import Windows
from monde.models import JEPA, load_model, weights_hash
from monde.readouts import MLPReadoutConfig, MotionReadout, ScanForecast, ScanMatcher, fit_motion
from monde.recipes import laser_yard
from monde.scorecard import Row
from monde.spatial import match_scans, scanner_motion, se2_compose, se2_inverse, warp_scan
from monde.store import RunFolder
from monde.training.scan_forecast import forecast_clips, scan_sensor
from monde.training.setup import reopen
from monde.types import Clip, Stream

HORIZON, CAP_M = 4, 5.0
BLOCK, DRAWS = 16, 2000
APART, NEAR_M, ALIKE_RAD = 100, 4.0, 0.7
"""Pairs of scans that close the loop: so many scans apart, so near and turned so much alike by a first estimate."""
GOOD, AGREED, WITHIN_M = (0.6, 0.05), 4, 0.1
"""A match counts if so large a share of the returns has a partner, at so small a median residual (metres), and if so
many of the 27 guesses lead to the same motion, within so many metres."""


def capped(told: np.ndarray, came: np.ndarray, returned: np.ndarray) -> Float64[np.ndarray, " n"]:
    """Mean error of each scan over its beams with a return."""
    error = np.minimum(np.abs(told - came), CAP_M)
    return (error * returned).sum(1) / returned.sum(1)


def ratio(ours: np.ndarray, floor: np.ndarray, seed: int = 0) -> tuple[float, tuple[float, float]]:
    """Mean of ours over the mean of the floor, and its interval by blocks of neighbouring scans."""
    generator = np.random.default_rng(seed)
    starts = generator.integers(0, len(ours) - BLOCK + 1, size=(DRAWS, -(-len(ours) // BLOCK)))
    rows = (starts[:, :, None] + np.arange(BLOCK)).reshape(DRAWS, -1)
    low, high = np.quantile(ours[rows].mean(1) / floor[rows].mean(1), [0.025, 0.975])
    return float(ours.mean() / floor.mean()), (float(low), float(high))


def log_clips(model: JEPA, log: Log, steps: int) -> Clip:
    """Every stretch of so many scans as a clip; speed and yaw rate are what odometry says, over a step of the model."""
    starts = np.arange(len(log.scans) - steps + 1)
    index = starts[:, None] + np.arange(steps)
    moved = se2_compose(se2_inverse(log.poses[:-1]), log.poses[1:])
    rates = moved[:, [0, 2]] / model.actions.dt_seconds
    scans = Stream.regular(torch.from_numpy(log.scans[index]).float(), 1 / model.actions.dt_seconds)
    poses = Stream.regular(torch.from_numpy(log.poses[index]), 1 / model.actions.dt_seconds)
    acted = Stream.regular(torch.from_numpy(rates[index[:, :-1]]).float(), 1 / model.actions.dt_seconds)
    return Clip({"scan": scans, "odometry": poses}, acted)


def forecast_rows(model: JEPA, run: Path, log: Log) -> list[Row]:
    """Errors of scans foretold, and of floors."""
    head = ScanForecast.load(RunFolder(run).readouts / "scan_forecast", weights_hash(run))
    _, setup = reopen(run)
    known = forecast_clips(model, log_clips(model, log, 2 * HORIZON + 1), scan_sensor(setup), "odometry", HORIZON)
    told = head.read(known.latents, known.inputs, CAP_M).double().numpy()
    blind = head.read(known.latents.roll(len(known.latents) // 2, 0), known.inputs, CAP_M).double().numpy()
    at = np.arange(HORIZON, len(log.scans) - HORIZON)
    came = log.scans[at + HORIZON]
    returned = came < log.geometry.most_m
    motion = scanner_motion(log.poses[at], log.poses[at + HORIZON], log.ahead_m)
    warped, filled = warp_scan(log.scans[at], log.geometry, motion)
    everything = {"model": told, "model_latents_of_another_time": blind, "copy_last": log.scans[at],
                  "odometry_warp": warped}  # fmt: skip
    errors = {name: capped(scan, came, returned) for name, scan in everything.items()}
    rows = []
    for floor in ("copy_last", "odometry_warp"):
        value, interval = ratio(errors["model"], errors[floor])
        rows.append(Row(metric=f"scan_error_ratio/{floor}", value=value, interval=interval, n=len(at),
                        floors={floor: 1.0}, note="4 scans ahead; below 1 the model errs less"))  # fmt: skip
    value, interval = ratio(errors["model"], errors["model_latents_of_another_time"])
    rows.append(Row(metric="scan_error_ratio/model_latents_of_another_time", value=value, interval=interval, n=len(at),
                    note="what the imagined latents contribute"))  # fmt: skip
    for name, scan in everything.items():
        rows.append(Row(metric=f"scan_error_metres/{name}", value=float(errors[name].mean()), unit="m", n=len(at)))
        middle = float(np.median(np.abs(scan - came)[returned]))
        rows.append(Row(metric=f"scan_error_median_metres/{name}", value=middle, unit="m", n=int(returned.sum())))
    for where, which in (("seen_before", filled & returned), ("come_into_view", ~filled & returned)):
        parts = {name: float(np.minimum(np.abs(everything[name] - came), CAP_M)[which].mean())
                 for name in ("model", "odometry_warp")}  # fmt: skip
        rows.append(Row(metric=f"scan_error_metres/model/{where}", value=parts["model"], unit="m",
                        n=int(which.sum()), floors={"odometry_warp": parts["odometry_warp"]}))  # fmt: skip
    return rows


def latent_readout(model: JEPA, run: Path, most: int = 8_000) -> MotionReadout:
    """Motion of the scanner from the latents of two scans, fitted on the simulated recording."""
    _, setup = reopen(run)
    windows = Windows(setup.cache, setup.split.train, ["scan", "state"], 2, model.actions)
    ahead = scanner_ahead(run)
    found, truth = [], []
    for part in np.array_split(np.linspace(0, len(windows) - 1, most).astype(np.int64), most // 400):
        clip = windows.clip(part)
        with torch.no_grad():
            found.append(model.encode(Clip({"scan": clip.stream("scan")})).values)
        states = clip.stream("state").values.double().numpy()
        truth.append(scanner_motion(states[:, 0, :3], states[:, 1, :3], ahead))
    latents, moved = torch.cat(found), torch.from_numpy(np.concatenate(truth)).float()
    return fit_motion(latents[:, 0], latents[:, 1], moved, config=MLPReadoutConfig(epochs=20))


def scanner_ahead(run: Path) -> float:
    """How far before the middle of the simulated body the scanner is fixed."""
    mount = scan_sensor(reopen(run)[1]).mount
    return 0.0 if mount is None else mount.translation[0]


def motions(model: JEPA, run: Path, log: Log) -> dict[str, Float64[np.ndarray, "n 3"]]:
    """Motions of the scanner from each scan to the next, by every method."""
    odometry = scanner_motion(log.poses[:-1], log.poses[1:], log.ahead_m)
    scans = log.scans
    icp = [match_scans(scans[i], scans[i + 1], log.geometry, odometry[i]).motion for i in range(len(odometry))]
    with torch.no_grad():
        clip = Clip({"scan": Stream.regular(torch.from_numpy(scans[None]).float(), 4.0)})
        latents = model.encode(clip).values[0]
    read = latent_readout(model, run)(latents[:-1], latents[1:]).double().numpy()
    matcher = ScanMatcher.load(RunFolder(run).readouts / "scan_matcher", weights_hash(run))
    return {
        "odometry": odometry,
        "icp": np.array(icp),
        "model_latents": read,
        "model": matcher.match(scans[:-1], scans[1:], log.geometry, read),
        "model_and_odometry": matcher.match(scans[:-1], scans[1:], log.geometry, odometry),
    }


def chained(steps: np.ndarray) -> Float64[np.ndarray, "m 3"]:
    """Poses from motions, one after the other."""
    poses = [np.zeros(3)]
    for step in steps:
        poses.append(se2_compose(poses[-1], step))
    return np.array(poses)


def closures(log: Log, first: np.ndarray) -> tuple[Int64[np.ndarray, "m 2"], Float64[np.ndarray, "m 3"]]:
    """Pairs of scans of two visits, and how they lie to one another by a match of their own."""
    away = np.hypot(*(first[:, None, :2] - first[None, :, :2]).transpose(2, 0, 1))
    turned = np.abs((first[:, None, 2] - first[None, :, 2] + np.pi) % (2 * np.pi) - np.pi)
    number = np.arange(len(first))
    fit: Bool[np.ndarray, "n n"] = (away < NEAR_M) & (turned < ALIKE_RAD) & (number[None] - number[:, None] > APART)
    pairs, found = [], []
    for later in np.flatnonzero(fit.any(0))[::3]:
        earlier = int(np.where(fit[:, later], away[:, later], np.inf).argmin())
        near = se2_compose(se2_inverse(first[earlier]), first[later])
        tries = [
            match_scans(log.scans[earlier], log.scans[later], log.geometry, near + np.array([x, y, yaw]))
            for x in (-1.5, 0, 1.5)
            for y in (-1.5, 0, 1.5)
            for yaw in (-0.2, 0, 0.2)
        ]
        best = max(tries, key=lambda match: match.share - match.residual_m)
        same = sum(float(np.hypot(*(match.motion - best.motion)[:2])) < WITHIN_M for match in tries)
        if best.share >= GOOD[0] and best.residual_m <= GOOD[1] and same >= AGREED:
            pairs.append((earlier, int(later)))
            found.append(best.motion)
    return np.array(pairs), np.array(found)


def loop_rows(model: JEPA, run: Path, log: Log) -> list[Row]:
    """Loop errors of all methods."""
    steps = motions(model, run, log)
    pairs, direct = closures(log, chained(steps["icp"]))
    rows = []
    for name, moved in steps.items():
        poses = chained(moved)
        said = se2_compose(se2_inverse(poses[pairs[:, 0]]), poses[pairs[:, 1]])
        gaps = np.hypot(*(said[:, :2] - direct[:, :2]).T)
        turns = np.abs((said[:, 2] - direct[:, 2] + np.pi) % (2 * np.pi) - np.pi)
        low, high = np.quantile(gaps, [0.025, 0.975])
        note = f"mean over pairs of two visits ({low:.2f} to {high:.2f} m over pairs, which are no independent draws); "
        note += f"turn {float(turns.mean()):.3f} rad"
        rows.append(Row(metric=f"loop_error_metres/{name}", value=float(gaps.mean()), unit="m", n=len(gaps), note=note))
    apart = np.abs(steps["model_and_odometry"] - steps["icp"])
    dead = float(np.hypot(*(steps["odometry"] - steps["icp"])[:, :2].T).mean())
    rows.append(Row(metric="step_difference_from_icp_metres/model_and_odometry", unit="m", n=len(apart),
                    value=float(np.hypot(*apart[:, :2].T).mean()), note="no truth: agreement of two methods",
                    floors={"odometry": dead}))  # fmt: skip
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Make, measure, write."""
    parser = options(__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--keep", type=Path, required=True, help="folder of the recording and the run")
    parser.add_argument("--steps", type=int, default=900, help="of training, and of the forecast's")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    log = read_log()
    recipe = laser_yard(given.keep / "laser_yard-0", steps=given.steps)
    recipe.record()
    recipe.learn()
    model = load_model(recipe.run).requires_grad_(False)
    rows = [*forecast_rows(model, recipe.run, log), *loop_rows(model, recipe.run, log)]
    protocol = {
        "data": "mrpt-malaga/sena_telecom_one_loop, never trained on",
        "training": "simulated scans only",
        "steps": given.steps,
        "horizon_scans": HORIZON,
        "horizon_seconds": float(np.mean(log.times_seconds[HORIZON:] - log.times_seconds[:-HORIZON])),
        "cap_metres": CAP_M,
    }
    write("malaga", rows, protocol, [0], given.out)


if __name__ == "__main__":
    main()
