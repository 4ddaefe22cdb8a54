"""One plan of tiny (LeWM's 15 M), 300 × 10 sequences of 5 blocks, on the device that is at hand: meant for a GPU.

On CUDA imagination runs as CUDA graphs (`monde.models.graphed`); plain imagination is timed beside it in the same run.
The arithmetic of a plan is counted by torch's FlopCounterMode and set against the rate of a large matrix product.

    python benchmarks/gpu.py [--plans 50] [--device auto]
"""

import time
from statistics import median

import torch
from torch.utils.flop_counter import FlopCounterMode

from common import options, row, write
from monde.costs import LatentDistance
from monde.models import JEPA, graphed, model_config
from monde.planning import CEMConfig, CEMPlanner, pose
from monde.protocols import WorldModel
from monde.training import choose_device, choose_precision
from monde.types import ActionSpec, Belief, LatentGoal, Latents, Sensor
from training import matrix_rate

SEARCH = CEMConfig(horizon=5, samples=300, rounds=10, elites=30)
HISTORY, SEED, WARM_UP = 3, 0, 3


def plans(model: WorldModel, belief: Belief, count: int) -> list[float]:
    """Seconds of single plans, after a warm-up."""
    goal = LatentGoal(torch.randn_like(belief.newest))
    planner, generator = CEMPlanner(SEARCH), torch.Generator(belief.latents.device).manual_seed(SEED)
    seconds = []
    for _ in range(WARM_UP + count):
        started = time.perf_counter()
        planner.plan(pose(model, belief, LatentDistance(), goal), generator).actions.cpu()  # waits for the device
        seconds.append(time.perf_counter() - started)
    return seconds[WARM_UP:]


def main() -> None:
    """Measure and write gpu.json."""
    parser = options(__doc__)
    parser.add_argument("--plans", type=int, default=50)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, …")
    given = parser.parse_args()
    device = choose_device(given.device)
    sensor = Sensor(name="top", kind="rgb", shape=(3, 224, 224), rate_hz=10)
    actions = ActionSpec(low=(-1.0, -1.0), high=(1.0, 1.0), block=5, dt_seconds=0.1)
    torch.manual_seed(SEED)
    model = JEPA(model_config("tiny", (sensor,), actions)).eval().requires_grad_(False).to(device)
    model.autocast = choose_precision("auto", device)
    latents = torch.randn(1, HISTORY, 1, model.latent, device=device)
    times = torch.arange(HISTORY, dtype=torch.float64, device=device)[None]
    with torch.no_grad():
        belief = model.recall(Latents(latents, times), torch.zeros(1, HISTORY - 1, actions.width, device=device))
        with FlopCounterMode(display=False) as counter:
            model.imagine(belief, torch.zeros(1, SEARCH.samples, SEARCH.horizon, actions.width, device=device))
    operations = counter.get_total_flops() * SEARCH.rounds
    rate = matrix_rate(torch.bfloat16 if model.autocast else torch.float32, device)
    found = {"plain": plans(model, belief, given.plans)}
    if (fast := graphed(model)) is not model:
        found["graphs"] = plans(fast, belief, given.plans)
    limit = f"{operations / 1e9:.1f} GFLOP a plan; a 2048³ product runs at {rate / 1e9:.0f} GFLOP/s"
    rows = []
    for name, seconds in found.items():
        rows.append(row(f"plan_seconds/{name}", seconds, "s", f"median {median(seconds):.4g}"))
        rows.append(row(f"fraction_of_matrix_rate/{name}", [operations / s / rate for s in seconds], "1", limit))
    precision = "bf16" if model.autocast else "fp32"
    write("gpu", rows, {"search": repr(SEARCH), "device": str(device), "precision": precision}, (SEED,), given.out)


if __name__ == "__main__":
    main()
