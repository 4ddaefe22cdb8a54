"""Bytes of raw messages a second out of MCAP, and whether memory stays flat while the file grows eightfold.

Writes files of raw pictures (1280 × 720, rgb8) and clouds (30,000 points of 16 bytes) as a robot would, then reads all
steps of each in a fresh process of one thread, page cache warm, from the file to the tensors of a clip. Seconds are of
the processor, so that what else runs on its core does not count; wall time is beside. Writes results/reading.json.

    python benchmarks/reading.py [--mib 800] [--growth 8] [--repeats 5] [--folder DIR]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from common import options, row, write
from monde.data.clocks.config import LogConfig
from monde.data.mcap.definitions import definition, full_name
from monde.data.mcap.reader import Mcap
from monde.scorecard import Scorecard
from monde.store import anonymous_bytes

HEIGHT, WIDTH, POINTS, RATE_HZ, SEED, PIECE = 720, 1280, 30_000, 10, 0, 4
KINDS = {"images": HEIGHT * WIDTH * 3, "clouds": POINTS * 16}
COMPRESSIONS = ("none", "lz4", "zstd")


def make(path: Path, kind: str, mib: int, compression: str) -> None:
    """One file of pictures or clouds, of about so many mebibytes of raw messages."""
    from mcap.writer import CompressionType
    from mcap_ros2.writer import Writer

    rng = np.random.default_rng(SEED)
    noise = rng.integers(0, 4, (HEIGHT, WIDTH, 3))
    name = "sensor_msgs/Image" if kind == "images" else "sensor_msgs/PointCloud2"
    fields = [{"name": n, "offset": 4 * i, "datatype": 7, "count": 1} for i, n in enumerate(("x", "y", "z", "i"))]
    with path.open("wb") as file, Writer(file, compression=CompressionType[compression.upper()]) as writer:
        schema = writer.register_msgdef(full_name(name), definition(name))
        for index in range(max(2, mib * 2**20 // KINDS[kind])):
            moment = index * 10**9 // RATE_HZ
            header = {"stamp": {"sec": moment // 10**9, "nanosec": moment % 10**9}, "frame_id": "sensor"}
            if kind == "images":
                # Smooth pictures with a little noise, as cameras deliver: random bytes would not compress at all.
                ramp = (np.arange(WIDTH) // 5 + index)[None, :, None] + np.arange(HEIGHT)[:, None, None] // 4
                pixels = (ramp + np.roll(noise, 7 * index, axis=1)).astype(np.uint8)
                body = {"height": HEIGHT, "width": WIDTH, "encoding": "rgb8", "is_bigendian": 0, "step": WIDTH * 3}
                body |= {"data": pixels.tobytes()}
            else:
                points = rng.normal(size=(POINTS, 4)).astype("<f4")
                body = {"height": 1, "width": POINTS, "fields": fields, "is_bigendian": False, "point_step": 16}
                body |= {"row_step": 16 * POINTS, "data": points.tobytes(), "is_dense": True}
            writer.write_message("/" + kind, schema, {"header": header, **body}, log_time=moment)


def read(path: Path, repeats: int) -> dict[str, list[float]]:
    """Read everything once to warm the page cache, and several times against the clock."""
    torch.set_num_threads(1)
    peak, rates = 0, list[tuple[float, float]]()
    for _ in range(1 + repeats):
        start, wall = time.process_time(), time.perf_counter()
        recording = Mcap(LogConfig(cloud_points=POINTS)).open(path)
        (sensor,) = recording.sensors
        for first in range(0, recording.lengths[0], PIECE):
            clip = recording.read(0, first, min(first + PIECE, recording.lengths[0]))
            assert bool(clip.stream(sensor.name).valid.all())
            peak = max(peak, anonymous_bytes() or 0)
        total = recording.lengths[0] * KINDS[sensor.name]
        rates.append((total / (time.process_time() - start), total / (time.perf_counter() - wall)))
    by_processor, by_wall = zip(*rates[1:], strict=True)
    return {"bytes_per_second": list(by_processor), "wall": list(by_wall), "anonymous_bytes": [float(peak)]}


def child(*arguments: object) -> dict[str, list[float]]:
    """Measurements of one file in a fresh process."""
    command = [sys.executable, __file__, *map(str, arguments)]
    done = subprocess.run(
        command, env=os.environ | {"OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE, text=True, check=True, timeout=600
    )
    return {str(name): [float(value) for value in values] for name, values in json.loads(done.stdout).items()}


def measure(folder: Path, mib: int, growth: int, repeats: int, out: Path) -> Scorecard:
    """Measure the large file without compression, one an eighth as large, and that with compression."""
    rows, rates, held, walls = [], {}, {}, {}
    plan = [(kind, "none", mib // growth) for kind in KINDS] + [(kind, "none", mib) for kind in KINDS]
    plan += [(kind, compression, mib // growth) for kind in KINDS for compression in COMPRESSIONS[1:]]
    for kind, compression, size in plan:
        path = folder / f"{kind}.mcap"
        make(path, kind, size, compression)
        found = child("--child", path, "--repeats", repeats)
        path.unlink()
        rates[kind, compression, size], walls[kind, compression, size] = found["bytes_per_second"], found["wall"]
        held[kind, compression, size] = found["anonymous_bytes"]
        print(kind, compression, size, found, file=sys.stderr)
    large = {kind: rates[kind, "none", mib] for kind in KINDS}
    both = [2 / (1 / image + 1 / cloud) for image, cloud in zip(large["images"], large["clouds"], strict=True)]
    warm = "to tensors, page cache warm, one thread"
    rows.append(
        row("mcap_bytes_per_second", both, "B/s", f"as many bytes of images as of clouds, {mib} MiB each, {warm}")
    )
    for kind in KINDS:
        rows.append(row(f"mcap_bytes_per_second/{kind}", large[kind], "B/s", f"{mib} MiB, not compressed, {warm}"))
        busy = "by wall time on a core shared with other work"
        rows.append(row(f"mcap_bytes_per_wall_second/{kind}", walls[kind, "none", mib], "B/s", busy))
        for compression in COMPRESSIONS[1:]:
            told = rates[kind, compression, mib // growth]
            rows.append(row(f"mcap_bytes_per_second/{kind}/{compression}", told, "B/s", f"{mib // growth} MiB"))
        small, grown = held[kind, "none", mib // growth], held[kind, "none", mib]
        ratio = [after / before for before, after in zip(small, grown, strict=True)]
        note = f"peak RssAnon reading {mib} over {mib // growth} MiB"
        rows.append(row(f"memory_growth_ratio/{kind}", ratio, "1", note))
        rows.append(row(f"anonymous_bytes/{kind}", grown, "B", f"peak reading {mib} MiB, torch included"))
    protocol = {
        "images": [HEIGHT, WIDTH, 3],
        "points": POINTS,
        "mib": [mib // growth, mib],
        "repeats": repeats,
        "steps_read_at_once": PIECE,
        "bytes": "of pixels and points in the messages, not of files",
    }
    return write("reading", rows, protocol, (SEED,), out)


def main() -> None:
    """Measure and write the result file."""
    parser = options(__doc__)
    parser.add_argument("--mib", type=int, default=800, help="mebibytes of raw messages in a large file")
    parser.add_argument("--growth", type=int, default=8, help="how many times smaller the other one is")
    parser.add_argument("--repeats", type=int, default=5, help="readings of each file, in one fresh process")
    parser.add_argument("--folder", type=Path, default=None, help="where the files are made; removed afterwards")
    parser.add_argument("--child", type=Path, default=None, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child is not None:
        print(json.dumps(read(given.child, given.repeats)))
        return
    with tempfile.TemporaryDirectory(prefix="monde-reading-", dir=given.folder) as folder:
        measure(Path(folder), given.mib, given.growth, given.repeats, given.out)


if __name__ == "__main__":
    main()
