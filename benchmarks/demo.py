"""The demo as a newcomer runs it, from nothing, and the same model scored over 200 episodes.

Runs `monde demo` in an empty folder as a process of its own, then scores its run again with n episodes. Writes
results/demo.json, and the pictures of the README (results/demo_*.png) from the run's exhibits.

    python benchmarks/demo.py [--episodes 200] [--keep DIR]
"""

import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from common import options, write
from monde.evaluation import ControlConfig, Film, Imagination, describe_strategy, score_control
from monde.models import load_model
from monde.recipes import strategy
from monde.scorecard import Row, Scorecard
from monde.store import read_json
from monde.training import choose_precision

BUDGET = 100


def run_demo(folder: Path, name: str, minutes: float) -> Scorecard:
    """`monde demo` in a fresh process; its own scorecard."""
    command = [
        sys.executable,
        "-m",
        "monde",
        "demo",
        "--out",
        str(folder),
        "--planner",
        name,
        "--minutes",
        str(minutes),
    ]
    subprocess.run(command, check=True, timeout=3000)
    return Scorecard.from_json(read_json(folder / "demo.json"))


def control(run: Path, name: str, episodes: int) -> tuple[tuple[Row, ...], dict[str, object]]:
    """Success and plan time over `episodes` fresh starts and goals, and how it was planned."""
    model = load_model(run)
    model.autocast = choose_precision("auto", model.device)
    chosen = strategy(name, run)
    config = ControlConfig(episodes=episodes, budget_steps=BUDGET, seed=1, timed_plans=50)
    return score_control(model, chosen, "tworoom", config).rows, describe_strategy(chosen)


def strip(frames: torch.Tensor, count: int, scale: int) -> np.ndarray:
    """Evenly spread frames [T, 3, h, w] side by side, enlarged without smoothing."""
    index = np.linspace(0, len(frames) - 1, count).round().astype(int)
    tiles = [np.kron(frames[i].permute(1, 2, 0).numpy(), np.ones((scale, scale, 1), np.uint8)) for i in index]
    gap = np.full((tiles[0].shape[0], 4, 3), 255, np.uint8)
    return np.concatenate([part for tile in tiles for part in (tile, gap)][:-1], axis=1)


def pictures(run: Path, out: Path) -> None:
    """One planned episode with its goal, and one imagination beside reality."""
    films = [Film.load(folder) for folder in sorted((run / "exhibits").glob("plan-*"))]
    film = max(films, key=lambda film: (film.success, film.steps))
    goal = film.goal[None].expand(1, -1, -1, -1)
    shown = np.concatenate([strip(film.frames, 7, 2), np.full((128, 12, 3), 255, np.uint8), strip(goal, 1, 2)], axis=1)
    Image.fromarray(shown).save(out / "demo_plan.png", optimize=True)
    dream = Imagination.load(sorted((run / "exhibits").glob("imagination-*"))[0])
    rows = [strip(part, 8, 2) for part in (dream.real, dream.decoded_imagined)]
    Image.fromarray(np.concatenate([rows[0], np.full((4, rows[0].shape[1], 3), 255, np.uint8), rows[1]])).save(
        out / "demo_imagination.png", optimize=True
    )


def main() -> None:
    """Measure and write demo.json and the pictures."""
    parser = options(__doc__)
    parser.add_argument("--episodes", type=int, default=200, help="episodes of the benchmark")
    parser.add_argument("--planner", default="hybrid")
    parser.add_argument("--minutes", type=float, default=4.0, help="training time of the demo")
    parser.add_argument("--keep", type=Path, default=None, help="keep the demo's folder here")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="monde-demo-") as temporary:
        folder = given.keep or Path(temporary) / "demo"
        shown = run_demo(folder, given.planner, given.minutes)
        (run,) = [path.parent for path in folder.glob("*/run.json")]
        rows = [replace(row, metric=f"demo/{row.metric}") if row.metric in CONTROL else row for row in shown.rows]
        scored, planned = control(run, given.planner, given.episodes)
        rows += scored
        pictures(run, given.out)
        lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        shutil.copyfile(run / "metrics.jsonl", given.out / "demo_metrics.jsonl")
    protocol = dict(shown.protocol) | {
        "planner": planned,
        "benchmark_episodes": given.episodes,
        "benchmark_seed": 1,
        "train_minutes": given.minutes,
        "train_steps": lines[-1]["step"],
    }
    write("demo", rows, protocol, (0, 1), given.out)


CONTROL = {
    "success",
    "steps_to_success",
    "final_distance",
    "plan_seconds",
    "plan_seconds_p95",
    "plans_per_second_batched",
}
"""Rows that the demo measures over 50 episodes and the benchmark over 200."""

if __name__ == "__main__":
    main()
