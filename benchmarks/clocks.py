"""What clocks of their own, jitter and dropped samples cost a model: readout error beside that of perfect sensors.

A disc with inertia (PointMass at 200 Hz) is logged as MCAP by four sensors: a pose at 3 Hz (5 cm noise), a camera at
10 Hz, odometry at 50 Hz, an IMU at 200 Hz. Once every sensor delivers exactly when it should; once 5% of the samples
are dropped and each is taken up to 20% of its period too early or too late. One model is trained on each log, at 10
steps a second, and a linear readout of place is scored on held-out episodes. Writes results/clocks.json.

    python benchmarks/clocks.py [--steps 250] [--episodes 32] [--seeds 3] [--folder DIR]
"""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float64, UInt8

from common import options, row, write
from monde.data import Windows
from monde.data.clocks.recording import AlignedRecording
from monde.data.mcap.definitions import definition, full_name
from monde.data.mcap.encoding import Fields, array, message, message_type
from monde.evaluation.latents import EpisodeClips
from monde.evaluation.probes import Target, score_probes
from monde.models import load_model
from monde.scorecard import Scorecard
from monde.training import TrainConfig, train
from monde.training.setup import reopen
from monde.types import Sensor
from monde.worlds.point_mass import PointMass, PointMassConfig

SIMULATED_HZ, STEP_HZ, SECONDS, SIDE, METRES = 200, 10, 6, 32, 0.1
DROPPED, JITTER = 0.05, 0.2
ACTIONS, TRUTH = "/push", "/truth"
SENSORS = (
    Sensor(name="pose", kind="pose", shape=(7,), unit="m", rate_hz=3.0),
    Sensor(name="camera", kind="rgb", shape=(3, SIDE, SIDE), rate_hz=10.0),
    Sensor(name="odometry", kind="twist", shape=(6,), rate_hz=50.0),
    Sensor(name="imu", kind="imu", shape=(6,), rate_hz=200.0),
)
PLACE = Target(name="position", sensor="truth", components=(0, 1), unit="m", names=("x", "y"))


@dataclass(frozen=True)
class Drive:
    """What really happened in one episode, 200 times a second, in metres."""

    states: Float64[np.ndarray, "N 4"]
    frames: UInt8[np.ndarray, "N 3 h w"]
    pushes: Float[np.ndarray, "n 2"]


def drives(episodes: int, seed: int) -> Iterator[Drive]:
    """The disc under its scripted policy, which pushes anew ten times a second."""
    config = PointMassConfig(side_pixels=SIDE, radius_pixels=2.0, border_pixels=2.0, dt_seconds=1 / SIMULATED_HZ)
    world = PointMass(config, batch=episodes)
    policy, generator = world.scripted(), np.random.default_rng(seed)
    seen = world.reset([seed + row for row in range(episodes)])
    states, frames, pushes = [], [], []
    for tick in range(SECONDS * SIMULATED_HZ):
        if tick % (SIMULATED_HZ // STEP_HZ) == 0:
            push = policy(seen, world.actions, generator)
            pushes.append(push)
        states.append(seen.values["state"].astype(np.float64) * METRES)
        frames.append(seen.values["top"])
        seen = world.step(push).observation
    world.close()
    for episode in range(episodes):
        yield Drive(
            np.stack([state[episode] for state in states]),
            np.stack([frame[episode] for frame in frames]),
            np.stack([push[episode] for push in pushes]),
        )


def sample(sensor: Sensor, drive: Drive, tick: int, rng: np.random.Generator) -> np.ndarray:
    """What a sensor says at a tick."""
    place, velocity = drive.states[tick, :2], drive.states[tick, 2:]
    if sensor.kind == "rgb":
        return drive.frames[tick]
    if sensor.kind == "pose":
        return np.array([*(place + rng.normal(0, 0.05, 2)), 0.0, 0.0, 0.0, 0.0, 1.0])
    if sensor.kind == "twist":
        return np.array([*(velocity + rng.normal(0, 0.02, 2)), 0.0, 0.0, 0.0, 0.0])
    before = drive.states[max(0, tick - 1), 2:]
    return np.array([0.0, 0.0, 0.0, *((velocity - before) * SIMULATED_HZ + rng.normal(0, 0.1, 2)), 9.81])


def log(path: Path, drive: Drive, seed: int, mixed: bool) -> None:
    """One episode as a robot would log it: with perfect clocks, or with jitter and dropped samples."""
    from mcap_ros2.writer import Writer

    rng, last = np.random.default_rng(seed), len(drive.states) - 1
    queue: list[tuple[float, str, str, Fields]] = []
    for sensor in SENSORS:
        for number in range(int(SECONDS * sensor.rate_hz)):
            late = rng.uniform(-JITTER, JITTER) if mixed else 0.0
            tick = min(max(0, round((number + late) / sensor.rate_hz * SIMULATED_HZ)), last)
            if not (mixed and rng.random() < DROPPED):
                moment = tick / SIMULATED_HZ
                fields = message(sensor, sample(sensor, drive, tick, rng), None, round(moment * 1e9))
                queue.append((moment, f"/{sensor.name}", message_type(sensor), fields))
    for number, push in enumerate(drive.pushes):
        queue.append((number / STEP_HZ, ACTIONS, "std_msgs/Float32MultiArray", array(push)))
    for tick in range(0, len(drive.states), SIMULATED_HZ // STEP_HZ // 4):
        truth = array(drive.states[tick], ("x", "y", "vx", "vy"))
        queue.append((tick / SIMULATED_HZ, TRUTH, "std_msgs/Float32MultiArray", truth))
    with path.open("wb") as file, Writer(file) as writer:
        schemas = {kind: writer.register_msgdef(full_name(kind), definition(kind)) for _, _, kind, _ in queue}
        for moment, topic, kind, fields in sorted(queue, key=lambda entry: entry[0]):
            writer.write_message(topic, schemas[kind], dict(fields), log_time=10**9 + round(moment * 1e9))


def error(folder: Path, steps: int, seed: int) -> tuple[float, float]:
    """RMSE of place in metres on held-out episodes, and that of the mean of the training values."""
    run = folder / f"run-{seed}"
    names = tuple(sensor.name for sensor in SENSORS)
    settings = TrainConfig(
        data=str(folder / "logs"),
        run=str(run),
        sensors=names,
        frame=SIDE,
        block=1,
        batch=64,
        steps=steps,
        held_out=0.25,
        seed=seed,
        device="cpu",
        precision="fp32",
    )
    train(settings)
    _, setup = reopen(run)
    model = load_model(run)
    length = min(setup.recording.lengths) - 1
    known, held_out = (
        EpisodeClips(Windows(setup.cache, side, [*names, "truth"], length, model.actions), length)
        for side in (setup.split.train, setup.split.held_out)
    )
    score = score_probes(model, known, held_out, [PLACE], seed=seed)
    (found,) = (row for row in score.rows if row.metric == "probe/position/rmse")
    return found.value, found.floors["mean"]


def measure(folder: Path, steps: int, episodes: int, seeds: int, out: Path) -> Scorecard:
    """Log both ways, train and score with each seed."""
    config = {"actions": ACTIONS, "rate_hz": STEP_HZ, "reference": "camera"}
    for name, mixed in (("clean", False), ("mixed", True)):
        logs = folder / name / "logs"
        logs.mkdir(parents=True)
        (logs / "monde.json").write_text(json.dumps(config))
        for number, drive in enumerate(drives(episodes, seed=0)):
            log(logs / f"{number:03d}.mcap", drive, number, mixed)
    errors = {name: [error(folder / name, steps, seed) for seed in range(seeds)] for name in ("clean", "mixed")}
    rmse = {name: [value for value, _ in found] for name, found in errors.items()}
    ratios = [mixed / clean for clean, mixed in zip(rmse["clean"], rmse["mixed"], strict=True)]
    floors = {"mean": float(np.mean([floor for _, floor in errors["mixed"]]))}
    told = f"linear readout of place, {episodes // 4} held-out episodes, {seeds} trainings"
    _, setup = reopen(folder / "mixed" / "run-0")
    recording = setup.recording
    ages = {}
    if isinstance(recording, AlignedRecording):
        ages = {
            sensor.name: np.concatenate([recording.alignment(e, sensor.name).age_seconds for e in range(episodes)])
            for sensor in SENSORS
        }
    rows = [
        row("error_ratio", ratios, "1", f"mixed over perfect clocks; {told}"),
        row("error_metres/clean", rmse["clean"], "m", told, floors),
        row("error_metres/mixed", rmse["mixed"], "m", told, floors),
        *(row(f"age_seconds/{name}", [float(old.mean())], "s", "mean over steps, mixed") for name, old in ages.items()),
    ]
    protocol = {
        "sensors_hz": {sensor.name: sensor.rate_hz for sensor in SENSORS},
        "dropped": DROPPED,
        "jitter_of_period": JITTER,
        "step_hz": STEP_HZ,
        "episodes": episodes,
        "seconds": SECONDS,
        "optimiser_steps": steps,
        "rules": "last sample, no older than three periods of its sensor",
    }
    return write("clocks", rows, protocol, tuple(range(seeds)), out)


def main() -> None:
    """Measure and write the result file."""
    parser = options(__doc__)
    parser.add_argument("--steps", type=int, default=250, help="optimiser steps of each training")
    parser.add_argument("--episodes", type=int, default=32, help="episodes; a quarter is held out")
    parser.add_argument("--seeds", type=int, default=3, help="trainings on each log")
    parser.add_argument("--folder", type=Path, default=None, help="where logs and runs are made; removed afterwards")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="monde-clocks-", dir=given.folder) as folder:
        measure(Path(folder), given.steps, given.episodes, given.seeds, given.out)


if __name__ == "__main__":
    main()
