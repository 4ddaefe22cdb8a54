"""A run in onnxruntime: how far it is from torch, and how long a step takes in either.

    python benchmarks/export.py --keep DIR [--seed 0]

DIR as of planning.py; the TwoRoom run is exported anew. One call at a time, batch 1, one thread: the median of many, as
another process may hold the core at any moment, and the quartiles as the interval. Writes results/export.json.
"""

import shutil
import tempfile
from pathlib import Path

import torch

from common import options, write
from monde.export import agreement, export_run
from monde.scorecard import Row
from planning import prepare

CALLS = 500


def main() -> None:
    """Export, compare, write."""
    parser = options(__doc__)
    parser.add_argument("--keep", type=Path, required=True, help="folder of recordings and runs")
    parser.add_argument("--seed", type=int, default=0, help="of the run's training")
    given = parser.parse_args()
    torch.set_num_threads(1)
    run = prepare("tworoom", given.seed, given.keep)
    place = Path(tempfile.mkdtemp(prefix="monde-export-"))
    try:
        done = export_run(run, place / "onnx")
        found = agreement(run, done.folder, CALLS)
    finally:
        shutil.rmtree(place)
    worst = max(one.max_abs_difference for one in found)
    rows = [Row(metric="max_abs_difference", value=worst, n=len(found), note="over all outputs, batches and ten steps")]
    for one in found:
        rows.append(Row(metric=f"max_abs_difference/{one.graph}", value=one.max_abs_difference, n=1))
        for name, timed in (("torch", one.torch_seconds), ("onnxruntime", one.onnx_seconds)):
            if timed is not None:
                row = Row(
                    metric=f"{one.graph}_seconds/{name}",
                    value=timed.median,
                    unit="s",
                    interval=(timed.lower, timed.upper),
                    n=one.calls,
                    note="median of single calls, batch 1, one thread; interval: quartiles",
                )
                rows.append(row)
    protocol = {"world": "tworoom", "calls": CALLS, "bytes": dict(done.files), "weights": done.of}
    write("export", rows, protocol, (given.seed,), given.out)


if __name__ == "__main__":
    main()
