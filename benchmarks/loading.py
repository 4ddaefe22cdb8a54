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

from monde.data import FrameCache, Sampler, Windows
from monde.scorecard import Row, Scorecard
from monde.store import commit, machine, utc_now, write_json
from monde.types import ActionSpec, Clip, Sensor, Stream

RESULTS = Path(__file__).resolve().parent / "results"
EPISODE, SIDE, STEPS, BLOCK, BATCH, SEED = 100, 64, 4, 5, 128, 0
SENSORS = (
    Sensor(name="top", kind="rgb", shape=(3, SIDE, SIDE), rate_hz=10.0),
    Sensor(name="state", kind="state", shape=(4,), rate_hz=10.0),
)
ACTIONS = ActionSpec(low=(-1.0, -1.0), high=(1.0, 1.0), dt_seconds=0.1)
T_95 = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78, 6: 2.57, 7: 2.45, 8: 2.36, 9: 2.31, 10: 2.26}


class RandomRecording:
    """A `Recording` of random numbers that lie nowhere: only building and reading the cache is measured."""

    def __init__(self, episodes: int) -> None:
        self.root, self.sensors, self.actions = Path("random"), SENSORS, ACTIONS
        self.lengths = (EPISODE,) * episodes
        self.fingerprint = f"random-{episodes}"

    def read(self, episode: int, start: int, stop: int, sensors: Sequence[str] | None = None) -> Clip:
        """Random frames, states and actions of one episode."""
        rng = np.random.default_rng([SEED, episode])
        frames = rng.integers(0, 256, (EPISODE, SIDE, SIDE, 3), dtype=np.uint8)[start:stop]
        state = rng.normal(size=(EPISODE, 4)).astype(np.float32)[start:stop]
        controls = rng.uniform(-1, 1, (EPISODE, 2)).astype(np.float32)[start : stop - 1]
        values = {"top": torch.from_numpy(frames).permute(0, 3, 1, 2), "state": torch.from_numpy(state)}
        streams = {name: Stream.regular(values[name][None], 10.0, start / 10) for name in sensors or values}
        return Clip(streams, Stream.regular(torch.from_numpy(controls)[None], 10.0, start / 10))


def anonymous_bytes() -> int:
    """RssAnon of this process: memory that is its own, page cache of mapped files left out."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("this system does not tell RssAnon: the benchmark needs Linux")


def build(folder: Path, episodes: int) -> dict[str, float]:
    """Make a cache and watch the memory it takes meanwhile."""
    peak = 0

    def watch(done: int, frames: int) -> None:
        nonlocal peak
        peak = max(peak, anonymous_bytes())

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
    return {"windows_per_second": batches * BATCH / seconds, "anonymous_bytes": anonymous_bytes()}


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


def interval(values: Sequence[float]) -> tuple[float, float] | None:
    """95% interval of the mean (Student)."""
    if len(values) < 2:
        return None
    half = T_95.get(len(values), 2.0) * float(np.std(values, ddof=1)) / math.sqrt(len(values))
    mean = float(np.mean(values))
    return mean - half, mean + half


def row(metric: str, values: Sequence[float], unit: str, note: str) -> Row:
    """A row of the scorecard from repeated measurements."""
    return Row(
        metric=metric, value=float(np.mean(values)), unit=unit, interval=interval(values), n=len(values), note=note
    )


def measure(folder: Path, frames: int, growth: int, windows: int, repeats: int) -> Scorecard:
    """Build both caches, measure each `repeats` times in turn."""
    episodes = {"small": max(2, frames // EPISODE), "large": max(2, frames * growth // EPISODE)}
    built = {size: child("--child-build", folder / size, "--episodes", n) for size, n in episodes.items()}
    runs: dict[str, list[dict[str, float]]] = {size: [] for size in episodes}
    for _ in range(repeats):
        for size in episodes:
            runs[size].append(child("--child-load", folder / size, "--windows", windows))
            print(size, runs[size][-1], file=sys.stderr)
    rate = {size: [run["windows_per_second"] for run in runs[size]] for size in runs}
    memory = {size: [run["anonymous_bytes"] for run in runs[size]] for size in runs}
    ratios = [large / small for small, large in zip(memory["small"], memory["large"], strict=True)]
    building = built["large"]["anonymous_bytes"] / built["small"]["anonymous_bytes"]
    counts = {size: n * EPISODE for size, n in episodes.items()}
    warm = "warm page cache, one process, one thread"
    return Scorecard(
        name="loading",
        rows=(
            row("windows_per_second", rate["small"], "1/s", f"{counts['small']} frames; {warm}"),
            row(
                f"windows_per_second/{counts['large']}_frames",
                rate["large"],
                "1/s",
                f"{counts['large']} frames; {warm}",
            ),
            row("memory_growth_ratio", ratios, "1", f"RssAnon reading {counts['large']} over {counts['small']} frames"),
            row("build_memory_growth_ratio", [building], "1", "peak RssAnon building the large over the small cache"),
            row("anonymous_bytes/small", memory["small"], "B", "of the reading process, torch included"),
            row("anonymous_bytes/large", memory["large"], "B", "of the reading process, torch included"),
        ),
        protocol={
            "frames": [counts["small"], counts["large"]],
            "frame": [3, SIDE, SIDE],
            "steps": STEPS,
            "block": BLOCK,
            "batch": BATCH,
            "windows": windows,
            "repeats": repeats,
            "order": "Sampler, shuffled",
        },
        machine=machine(),
        commit=commit(),
        seeds=(SEED,),
        created=utc_now(),
    )


def chart(card: Scorecard, path: Path) -> bool:
    """Two bars a quantity, small beside large; false where matplotlib is not installed."""
    try:
        import matplotlib

        matplotlib.use("svg")
        import matplotlib.pyplot as plt
    except ImportError:
        return False
    large = next(r.metric for r in card.rows if r.metric.startswith("windows_per_second/"))
    figure, axes = plt.subplots(1, 2, figsize=(7, 3), constrained_layout=True)
    panels = (
        ("windows a second", ("windows_per_second", large), 1.0, 20_000.0),
        ("anonymous memory, MiB", ("anonymous_bytes/small", "anonymous_bytes/large"), 2.0**20, None),
    )
    labels = [f"{n:,} frames" for n in card.protocol["frames"]]  # type: ignore[attr-defined]
    for axis, (title, metrics, scale, target) in zip(axes, panels, strict=True):
        rows = [card[metric] for metric in metrics]
        errors = [0.0 if r.interval is None else (r.interval[1] - r.value) / scale for r in rows]
        axis.bar(labels, [r.value / scale for r in rows], yerr=errors, capsize=4, color=["#4477aa", "#66ccee"])
        axis.set_title(title, fontsize=10)
        if target is not None:
            axis.axhline(target, color="#aa3377", linewidth=1, linestyle="--")
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
    return True


def main() -> None:
    """Measure and write the result files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=20_000, help="frames of the small dataset")
    parser.add_argument("--growth", type=int, default=10, help="how many times larger the other one is")
    parser.add_argument("--windows", type=int, default=40_000, help="windows gathered in each measurement")
    parser.add_argument("--repeats", type=int, default=5, help="fresh processes per dataset")
    parser.add_argument("--folder", type=Path, default=None, help="where the caches are made; removed afterwards")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where the result files go")
    parser.add_argument("--episodes", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--child-build", type=Path, default=None, help=argparse.SUPPRESS)
    parser.add_argument("--child-load", type=Path, default=None, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child_build is not None:
        print(json.dumps(build(options.child_build, options.episodes)))
        return
    if options.child_load is not None:
        print(json.dumps(load(options.child_load, options.windows)))
        return
    with tempfile.TemporaryDirectory(prefix="monde-loading-", dir=options.folder) as folder:
        card = measure(Path(folder), options.frames, options.growth, options.windows, options.repeats)
    write_json(options.out / "loading.json", card.to_json())
    chart(card, options.out / "loading.svg")
    print(card)


if __name__ == "__main__":
    main()
