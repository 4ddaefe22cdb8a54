"""Windows a second from the frame cache, and whether memory stays flat while the data grows tenfold.

Makes two caches of random frames through the cache's own builder, then measures each in fresh processes of one thread:
windows of 4 frames 64×64×3 with blocks of 5 actions, in the order of the training sampler, page cache warm. Writes
results/loading.json, and results/loading.svg where matplotlib is installed.

    python benchmarks/loading.py [--frames 20000] [--growth 10] [--windows 40000] [--repeats 5] [--folder DIR]
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from common import bars, half, options, row, write
from monde.data import FrameCache, Sampler, Windows
from monde.scorecard import Scorecard
from monde.store import anonymous_bytes
from monde.types import ActionSpec, Clip, Sensor, Stream

EPISODE, SIDE, STEPS, BLOCK, BATCH, SEED = 100, 64, 4, 5, 128, 0
SENSORS = (
    Sensor(name="top", kind="rgb", shape=(3, SIDE, SIDE), rate_hz=10.0),
    Sensor(name="state", kind="state", shape=(4,), rate_hz=10.0),
)
ACTIONS = ActionSpec(low=(-1.0, -1.0), high=(1.0, 1.0), dt_seconds=0.1)


class RandomRecording:
    """A `Recording` of random numbers that lie nowhere: only building and reading the cache is measured."""

    def __init__(self, episodes: int) -> None:
        self.root, self.sensors, self.actions = Path("random"), SENSORS, ACTIONS
        self.lengths = (EPISODE,) * episodes
        self.fingerprint, self.source = f"random-{episodes}", dict[str, object]()

    def read(self, episode: int, start: int, stop: int, sensors: Sequence[str] | None = None) -> Clip:
        """Random frames, states and actions of one episode."""
        rng = np.random.default_rng([SEED, episode])
        frames = rng.integers(0, 256, (EPISODE, SIDE, SIDE, 3), dtype=np.uint8)[start:stop]
        state = rng.normal(size=(EPISODE, 4)).astype(np.float32)[start:stop]
        controls = rng.uniform(-1, 1, (EPISODE, 2)).astype(np.float32)[start : stop - 1]
        values = {"top": torch.from_numpy(frames).permute(0, 3, 1, 2), "state": torch.from_numpy(state)}
        streams = {name: Stream.regular(values[name][None], 10.0, start / 10) for name in sensors or values}
        return Clip(streams, Stream.regular(torch.from_numpy(controls)[None], 10.0, start / 10))


def memory() -> int:
    """RssAnon of this process."""
    found = anonymous_bytes()
    if found is None:
        raise RuntimeError("this system does not tell RssAnon: the benchmark needs Linux")
    return found


def build(folder: Path, episodes: int) -> dict[str, float]:
    """Make a cache and watch the memory it takes meanwhile."""
    peak = 0

    def watch(done: int, frames: int) -> None:
        nonlocal peak
        peak = max(peak, memory())

    start = time.perf_counter()
    FrameCache.open_or_build(RandomRecording(episodes), root=folder, progress=watch)
    return {"anonymous_bytes": peak, "seconds": time.perf_counter() - start}


def load(folder: Path, windows: int) -> dict[str, float]:
    """Gather windows in the sampler's order, once to warm the page cache and once against the clock."""
    torch.set_num_threads(1)
    (index,) = folder.glob("*/frames/index.json")
    cache = FrameCache.load(index.parent)
    source = Windows(cache, range(len(cache.lengths)), ["top"], STEPS, ACTIONS.with_block(BLOCK))
    batches = math.ceil(windows / BATCH)
    _gather(source, batches)
    seconds = _gather(source, batches)
    return {"windows_per_second": batches * BATCH / seconds, "anonymous_bytes": memory()}


def _gather(source: Windows, batches: int) -> float:
    sampler = Sampler(len(source), BATCH, SEED)
    start = time.perf_counter()
    for _ in range(batches):
        source.clip(sampler.next())
    return time.perf_counter() - start


def child(*arguments: object) -> dict[str, float]:
    """One measurement in a fresh process."""
    command = [sys.executable, __file__, *map(str, arguments)]
    done = subprocess.run(
        command, env=os.environ | {"OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE, text=True, check=True, timeout=1200
    )
    return {str(name): float(value) for name, value in json.loads(done.stdout).items()}


def measure(folder: Path, frames: int, growth: int, windows: int, repeats: int, out: Path) -> Scorecard:
    """Build both caches, measure each `repeats` times in turn."""
    episodes = {"small": max(2, frames // EPISODE), "large": max(2, frames * growth // EPISODE)}
    built = {size: child("--child-build", folder / size, "--episodes", n) for size, n in episodes.items()}
    runs: dict[str, list[dict[str, float]]] = {size: [] for size in episodes}
    for _ in range(repeats):
        for size in episodes:
            runs[size].append(child("--child-load", folder / size, "--windows", windows))
            print(size, runs[size][-1], file=sys.stderr)
    rate = {size: [run["windows_per_second"] for run in runs[size]] for size in runs}
    held = {size: [run["anonymous_bytes"] for run in runs[size]] for size in runs}
    ratios = [large / small for small, large in zip(held["small"], held["large"], strict=True)]
    building = built["large"]["anonymous_bytes"] / built["small"]["anonymous_bytes"]
    counts = {size: n * EPISODE for size, n in episodes.items()}
    warm = "warm page cache, one process, one thread"
    return write(
        "loading",
        (
            row("windows_per_second", rate["small"], "1/s", f"{counts['small']} frames; {warm}"),
            row(
                f"windows_per_second/{counts['large']}_frames",
                rate["large"],
                "1/s",
                f"{counts['large']} frames; {warm}",
            ),
            row("memory_growth_ratio", ratios, "1", f"RssAnon reading {counts['large']} over {counts['small']} frames"),
            row("build_memory_growth_ratio", [building], "1", "peak RssAnon building the large over the small cache"),
            row("anonymous_bytes/small", held["small"], "B", "of the reading process, torch included"),
            row("anonymous_bytes/large", held["large"], "B", "of the reading process, torch included"),
        ),
        {
            "frames": [counts["small"], counts["large"]],
            "frame": [3, SIDE, SIDE],
            "steps": STEPS,
            "block": BLOCK,
            "batch": BATCH,
            "windows": windows,
            "repeats": repeats,
            "order": "Sampler, shuffled",
        },
        (SEED,),
        out,
    )


def main() -> None:
    """Measure and write the result files."""
    parser = options(__doc__)
    parser.add_argument("--frames", type=int, default=20_000, help="frames of the small dataset")
    parser.add_argument("--growth", type=int, default=10, help="how many times larger the other one is")
    parser.add_argument("--windows", type=int, default=40_000, help="windows gathered in each measurement")
    parser.add_argument("--repeats", type=int, default=5, help="fresh processes per dataset")
    parser.add_argument("--folder", type=Path, default=None, help="where the caches are made; removed afterwards")
    parser.add_argument("--episodes", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--child-build", type=Path, default=None, help=argparse.SUPPRESS)
    parser.add_argument("--child-load", type=Path, default=None, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child_build is not None:
        print(json.dumps(build(given.child_build, given.episodes)))
        return
    if given.child_load is not None:
        print(json.dumps(load(given.child_load, given.windows)))
        return
    with tempfile.TemporaryDirectory(prefix="monde-loading-", dir=given.folder) as folder:
        card = measure(Path(folder), given.frames, given.growth, given.windows, given.repeats, given.out)
    large = next(row.metric for row in card.rows if row.metric.startswith("windows_per_second/"))
    labels = (f"{given.frames:,} frames", f"{given.frames * given.growth:,} frames")
    speeds = dict(zip(labels, (half(card, "windows_per_second"), half(card, large)), strict=True))
    sizes = {
        label: half(card, f"anonymous_bytes/{size}") for label, size in zip(labels, ("small", "large"), strict=True)
    }
    bars([("windows a second", speeds, 20_000.0), ("anonymous memory, bytes", sizes, None)], given.out / "loading.svg")


if __name__ == "__main__":
    main()
