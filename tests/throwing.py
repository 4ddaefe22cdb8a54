"""Simulated recordings of thrown balls, and the TSV layout of the real ones."""

from pathlib import Path

import numpy as np

RATE_HZ = 300.0
BASE_METRES = 0.03


def thrown(seed: int, gravity: float = 9.5, restitution: float = 0.5, seconds: float = 1.6) -> np.ndarray:
    """[t, 3] metres: a ball flies, meets the ground (height 0) and comes up again."""
    rng = np.random.default_rng(seed)
    position = np.array([*rng.uniform(-0.5, 0.5, 2), rng.uniform(0.8, 1.4)])
    speed = np.array([*rng.uniform(-1.0, 1.0, 2), rng.uniform(0.5, 3.0)])
    dt, seen = 1 / RATE_HZ / 20, []
    for _ in range(round(seconds * RATE_HZ)):
        seen.append(position.copy())
        for _ in range(20):
            speed = speed - np.array([0.0, 0.0, gravity]) * dt
            position = position + speed * dt
            if position[2] < 0 and speed[2] < 0:
                position[2], speed[2] = -restitution * position[2], -restitution * speed[2]
    return np.array(seen) + rng.normal(0, 0.0003, (len(seen), 3))


def write_tsv(path: Path, tracks: list[tuple[str, int, np.ndarray]], frames: int) -> Path:
    """Markers as (name, first frame, [t, 3] metres), not seen elsewhere."""
    cells = np.zeros((frames, len(tracks), 3))
    for column, (_, start, points) in enumerate(tracks):
        cells[start : start + len(points), column] = points * 1000
    head = [
        f"NO_OF_FRAMES\t{frames}",
        "NO_OF_CAMERAS\t4",
        f"NO_OF_MARKERS\t{len(tracks)}",
        f"FREQUENCY\t{RATE_HZ:g}",
        "DATA_INCLUDED\t3D",
        "MARKER_NAMES\t" + "\t".join(name for name, _, _ in tracks),
        "Frame\tTime\t" + "\t".join(f"{name} {axis}" for name, _, _ in tracks for axis in "XYZ") + "\t",
    ]
    body = [
        f"{i + 1}\t{i / RATE_HZ:.5f}\t" + "\t".join(f"{value:.3f}" for value in row.ravel()) + "\t"
        for i, row in enumerate(cells)
    ]
    path.write_text("\n".join([*head, *body]) + "\n", encoding="utf-8")
    return path


def write_recording(path: Path, seed: int, throws: int = 4) -> Path:
    """A base that stands still, and several throws one after the other, each its own marker."""
    flights = [thrown(100 * seed + index) + np.array([0.0, 0.0, BASE_METRES]) for index in range(throws)]
    length = len(flights[0]) + 150
    base = np.tile([0.1, 0.2, BASE_METRES], (throws * length, 1))
    tracks = [("base_1", 0, base), *(("", index * length, points) for index, points in enumerate(flights))]
    return write_tsv(path, tracks, throws * length)
