"""Training throughput: nano at 64 pixels through the whole loop; tiny (LeWM's 15 M) at 224 beside the machine's limit.

nano is trained by `monde.training.train` on a recording of TwoRoom: forward, backward, optimiser step, loading, logging
and checkpoints are all in the figure. tiny takes one TrainStep and its optimiser step on random frames; its arithmetic
is counted by torch's FlopCounterMode and set against the rate of a large matrix product measured in the same run.

    python benchmarks/training.py [--runs 3] [--seconds 40] [--tiny-steps 4]
"""

import json
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from common import bars, half, options, row, write
from monde.agents import record
from monde.models import JEPA, model_config
from monde.objectives import ObjectiveConfig
from monde.training import TrainConfig, TrainStep, choose_device, choose_precision, train
from monde.types import ActionSpec, Clip, Sensor, Stream

SEED, TINY_BATCH, TINY_WINDOW = 0, 16, 4


def nano(folder: Path, run: int, seconds: float) -> float:
    """Frames a second of one training run, its first log line (warm-up) left out."""
    config = TrainConfig(
        data=str(folder / "data"), run=str(folder / f"run{run}"), minutes=seconds / 60, seed=run, log_seconds=5.0
    )
    train(config)
    lines = [json.loads(line) for line in (folder / f"run{run}" / "metrics.jsonl").read_text().splitlines()]
    first, last = lines[0], lines[-1]
    frames = (last["step"] - first["step"]) * config.batch * config.window
    return float(frames / (last["seconds"] - first["seconds"]))


def matrix_rate(dtype: torch.dtype, device: torch.device, side: int = 2048, repeats: int = 5) -> float:
    """Floating-point operations a second of a square matrix product."""
    a = torch.randn(side, side, device=device).to(dtype)
    b = torch.randn(side, side, device=device).to(dtype)
    seconds = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        _ = a @ b
        _wait(device)
        seconds.append(time.perf_counter() - start)
    return 2 * side**3 / min(seconds[1:])


def tiny(steps: int, bf16: bool, device: torch.device) -> tuple[list[float], float]:
    """Frames a second of each step of tiny at 224 pixels, and its operations a frame (forward and backward)."""
    sensor = Sensor(name="top", kind="rgb", shape=(3, 224, 224), rate_hz=10)
    actions = ActionSpec(low=(-1.0, -1.0), high=(1.0, 1.0), block=5, dt_seconds=0.1)
    torch.manual_seed(SEED)
    module = TrainStep(JEPA(model_config("tiny", (sensor,), actions)), ObjectiveConfig()).to(device)
    module.model.autocast = bf16
    optimiser = torch.optim.AdamW(module.parameters(), lr=1e-4, fused=True)
    generator = torch.Generator().manual_seed(SEED)
    frames = torch.randint(0, 256, (TINY_BATCH, TINY_WINDOW, 3, 224, 224), dtype=torch.uint8)
    blocks = torch.rand(TINY_BATCH, TINY_WINDOW - 1, actions.width) * 2 - 1
    clip = Clip({"top": Stream.regular(frames, 2)}, Stream.regular(blocks, 2)).to(device)

    def step() -> None:
        optimiser.zero_grad(set_to_none=True)
        module(clip, generator).total.backward()
        optimiser.step()
        _wait(device)

    with FlopCounterMode(display=False) as counter:
        step()
    count = TINY_BATCH * TINY_WINDOW
    rates = []
    for _ in range(steps):
        start = time.perf_counter()
        step()
        rates.append(count / (time.perf_counter() - start))
    return rates, counter.get_total_flops() / count


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def main() -> None:
    """Measure and write training.json and training.svg."""
    parser = options(__doc__)
    parser.add_argument("--runs", type=int, default=3, help="training runs of nano")
    parser.add_argument("--seconds", type=float, default=40.0, help="of each")
    parser.add_argument("--tiny-steps", type=int, default=4, help="steps of tiny that are timed, per precision")
    parser.add_argument("--device", default="auto")
    given = parser.parse_args()
    device = choose_device(given.device)
    with tempfile.TemporaryDirectory(prefix="monde-training-") as folder:
        record("tworoom", Path(folder) / "data", episodes=100, steps=100, seed=SEED)
        nanos = [nano(Path(folder), run, given.seconds) for run in range(given.runs)]
    rows = [row("nano_frames_per_second", nanos, "1/s", "64 pixels, 128 × 4 frames; whole loop, loading included")]
    for name, bf16 in (("bf16", True), ("fp32", False)):
        rates, operations = tiny(given.tiny_steps, bf16, device)
        limit = matrix_rate(torch.bfloat16 if bf16 else torch.float32, device)
        rows += [
            row(f"tiny_frames_per_second/{name}", rates, "1/s", f"224 pixels, patch 14, {TINY_BATCH} × {TINY_WINDOW}"),
            row(f"tiny_fraction_of_matrix_rate/{name}", [r * operations / limit for r in rates], "1",
                f"{operations / 1e9:.1f} GFLOP a frame; a 2048³ product runs at {limit / 1e9:.0f} GFLOP/s"),
            row(f"matrix_rate/{name}", [limit], "FLOP/s", "best of 5"),
        ]  # fmt: skip
    native = "bf16" if choose_precision("auto", device) else "fp32"
    chosen = next(r for r in rows if r.metric == f"tiny_frames_per_second/{native}")
    rows.append(row("tiny_frames_per_second", [chosen.value], "1/s", f"{native}, what training chooses here"))
    protocol = {
        "nano_seconds": given.seconds,
        "tiny_batch": TINY_BATCH,
        "tiny_window": TINY_WINDOW,
        "device": device.type,
    }
    card = write("training", rows, protocol, list(range(given.runs)), given.out)
    tinies = {name: half(card, f"tiny_frames_per_second/{name}") for name in ("bf16", "fp32")}
    bars(
        [
            ("nano, 64 px: frames a second", {"nano": half(card, "nano_frames_per_second")}, 1500.0),
            ("tiny, 224 px: frames a second", tinies, None),
        ],
        given.out / "training.svg",
    )
    print(f"nano: {np.min(nanos):.0f} to {np.max(nanos):.0f} frames/s")


if __name__ == "__main__":
    main()
