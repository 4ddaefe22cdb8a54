"""Sensors of every kind, and episodes in which their samples go missing or come late."""

from collections.abc import Mapping

import numpy as np

from monde.data import EpisodeData
from monde.spatial import pad_cloud
from monde.types import ActionSpec, Sensor, SensorKind
from monde.types.geometry import GridGeometry, Intrinsics, Mount, ScanGeometry

CAMERA = Intrinsics(width=16, height=12, fx=14.0, fy=14.0, cx=7.5, cy=5.5)
BEAMS = ScanGeometry(start_rad=-np.pi, step_rad=2 * np.pi / 24, most_m=8.0)
SHAPES: Mapping[SensorKind, tuple[int, ...]] = {
    "rgb": (3, 12, 16),
    "depth": (1, 12, 16),
    "points": (40, 4),
    "scan": (24,),
    "state": (2,),
    "pose": (7,),
    "twist": (6,),
    "imu": (6,),
    "gnss": (3,),
    "grid": (1, 8, 8),
}
GEOMETRY = {"rgb": CAMERA, "depth": CAMERA, "scan": BEAMS, "grid": GridGeometry(cell_m=0.5)}
SENSORS = tuple(
    Sensor(
        name=kind,
        kind=kind,
        shape=shape,
        rate_hz=10.0,
        unit="m" if kind == "depth" else "1",
        geometry=GEOMETRY.get(kind),
        mount=Mount(parent="base", translation=(0.1, 0.0, 0.2)),
    )
    for kind, shape in SHAPES.items()
)
ACTIONS = ActionSpec(low=(-1.0,), high=(1.0,), dt_seconds=0.1)
NAMES = [sensor.name for sensor in SENSORS]


def samples(sensor: Sensor, steps: int, rng: np.random.Generator) -> np.ndarray:
    shape = (steps, *sensor.shape)
    if sensor.kind == "rgb":
        return rng.integers(0, 256, shape, dtype=np.uint8)
    if sensor.kind == "depth":
        return (rng.uniform(0.5, 3.0, shape) * (rng.random(shape) > 0.2)).astype(np.float32)
    if sensor.kind == "points":
        counts = rng.integers(0, sensor.shape[0] + 1, steps)
        clouds = [pad_cloud(rng.normal(size=(n, sensor.shape[1])), sensor.shape[0]) for n in counts]
        return np.stack(clouds).astype(np.float32)
    if sensor.kind == "scan":
        return rng.choice(np.array([0.0, 8.0, 1.5], dtype=np.float32), shape)
    if sensor.kind == "grid":
        return rng.choice(np.array([-1.0, 0.0, 1.0], dtype=np.float32), shape)
    values = rng.normal(size=shape)
    if sensor.kind == "pose":
        values[:, 3:] /= np.linalg.norm(values[:, 3:], axis=1, keepdims=True) * np.sign(values[:, 6:])
    return values.astype(np.float32)


def episode(steps: int, seed: int, sensors: tuple[Sensor, ...] = SENSORS, gaps: bool = True) -> EpisodeData:
    rng = np.random.default_rng(seed)
    values = {sensor.name: samples(sensor, steps, rng) for sensor in sensors}
    times = np.cumsum(rng.uniform(0.09, 0.11, steps))
    valid = {sensor.name: rng.random(steps) > 0.3 for sensor in sensors} if gaps else {}
    ages = {sensor.name: rng.uniform(0, 0.09, steps) for sensor in sensors if sensor.kind in {"pose", "rgb"}}
    for name, there in valid.items():
        values[name][~there] = 0
    controls = rng.uniform(-1, 1, (steps - 1, 1)).astype(np.float32)
    return EpisodeData(values, times, controls, valid=valid, age_seconds=ages if gaps else {})
