"""What the world model is for: layouts and goals that the actor's data did not hold.

    python benchmarks/generalise.py --keep DIR        # DIR as of planning.py

The model was trained on everything; actor and temporal distance are fitted anew on a part of the recording, and judged
on the rest. layouts: fitted where the door is in the upper part of the wall, judged where it is in the lower part.
goals: fitted without any frame of one corner of the square, judged with goals in that corner, one layout. Hybrid
(search in the model, one block ahead; `hybrid_far`: three) beside the actor alone, on the same episodes. Writes
results/generalise.json.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool

from common import options, write
from episodes import Layouts, find_episodes, run_some
from monde.agents import PlanningAgent, Strategy
from monde.costs import TimeToGoal
from monde.evaluation.statistics import bootstrap, wilson
from monde.models import JEPA
from monde.planning import HybridConfig, HybridPlanner
from monde.recipes import PLANNERS, RECIPES
from monde.scorecard import Row
from monde.training import choose_precision
from monde.training.actor import fit_heads
from monde.training.frame_latents import FrameLatents, encode_frames
from monde.training.setup import Setup, reopen
from planning import opened, prepare

SPLIT = 36.0
"""Height, px: doors whose middle lies below it are for judging alone."""
CORNER = (40.0, 24.0)
"""Goals for judging alone: x above the first, y below the second, px."""
SCAN_SEED = 8_000_000
FAR = HybridPlanner(HybridConfig(horizon=3, samples=64, rounds=3, elites=8))


def states(setup: Setup) -> np.ndarray:
    """x and y of every frame that heads are fitted on, px, in the order of `encode_frames`."""
    found = []
    for episode in setup.split.train:
        length = setup.recording.lengths[episode]
        clip = setup.recording.read(episode, 0, length, ["state"])
        found.append(clip.stream("state").values[0, :, :2].numpy())
    return np.concatenate(found)


def doors(setup: Setup) -> np.ndarray:
    """Height of the door of every frame that heads are fitted on, px, read off the wall's middle column."""
    found = []
    for episode in setup.split.train:
        frame = setup.recording.read(episode, 0, 1, ["top"]).stream("top").values[0, 0].numpy().astype(int)
        column, wall = frame[:, :, frame.shape[2] // 2], frame[:, 0, 0]
        # The disc may stand in the door: the opening spans from the first to the last pixel that is no wall.
        open_rows = np.flatnonzero(np.abs(column - wall[:, None]).sum(0) > 30)
        length = setup.recording.lengths[episode]
        found.append(np.full(length, (open_rows[0] + open_rows[-1] + 1) / 2))
    return np.concatenate(found)


def below(layouts: Layouts) -> Bool[np.ndarray, " B"]:
    """Whether the door is where heads were not fitted."""
    return np.asarray(layouts.door >= SPLIT)


def cornered(layouts: Layouts) -> Bool[np.ndarray, " B"]:
    """Whether the goal is where heads were not fitted."""
    return np.asarray((layouts.goal[:, 0] > CORNER[0]) & (layouts.goal[:, 1] < CORNER[1]))


def without(data: FrameLatents, kept: Bool[np.ndarray, " M"]) -> FrameLatents:
    """The frames that are kept; an episode that is cut becomes several, too short ones are left out."""
    least = data.block + 1
    first = data.first.numpy()
    runs, start = [], None
    for index, inside in enumerate([*kept.tolist(), False]):
        ended = start is not None and (not inside or (index < len(first) and first[index] == index))
        if ended and start is not None:
            if index - start >= least:
                runs.append((start, index))
            start = None
        if inside and start is None:
            start = index
    chosen = torch.from_numpy(np.concatenate([np.arange(*run) for run in runs]))
    lengths = torch.tensor([stop - begin for begin, stop in runs])
    firsts = torch.cumsum(lengths, 0) - lengths
    return replace(
        data,
        latents=data.latents[chosen],
        controls=data.controls[chosen],
        first=firsts.repeat_interleave(lengths),
        last=(firsts + lengths - 1).repeat_interleave(lengths),
    )


def judge(
    kind: str, model: JEPA, heads: tuple[Strategy, Strategy, Strategy], name: str, seeds: tuple[int, ...]
) -> list[Row]:
    """Success of the actor alone, the hybrid and a hybrid that looks further, and the hybrids' gain."""
    n = len(seeds)
    found: dict[str, np.ndarray] = {}
    for label, chosen in zip(("actor", "hybrid", "hybrid_far"), heads, strict=True):
        agent = partial(PlanningAgent, model, chosen, seed=0)
        parts = [results.success for results, _ in run_some(name, seeds, agent, 100, 100)]
        found[label] = np.concatenate(parts).astype(float)
    rows = [
        Row(
            metric=f"success/{kind}/{label}",
            value=float(values.mean()),
            interval=wilson(int(values.sum()), n),
            n=n,
        )
        for label, values in found.items()
    ]
    for label in ("hybrid", "hybrid_far"):
        gain = found[label] - found["actor"]

        def mean(sample: np.ndarray) -> float:
            return float(sample.mean())

        note = "paired difference on the same episodes, bootstrap"
        rows.append(
            Row(metric=f"gain/{kind}/{label}", value=mean(gain), interval=bootstrap(gain, mean, 0), n=n, note=note)
        )
    return rows


def fitted(model: JEPA, data: FrameLatents, task: str, seed: int) -> tuple[Strategy, Strategy, Strategy]:
    """Heads fitted on `data` as the task's recipe says, as three strategies."""
    config = RECIPES[task](Path("unused"), seed=seed).actor
    assert config is not None
    model.autocast = choose_precision("auto", model.device)
    summary = fit_heads(model, data, config)
    model.autocast = False
    cost = TimeToGoal(head=summary.distance)
    return (
        Strategy(PLANNERS["actor"], cost, summary.actor),
        Strategy(PLANNERS["hybrid"], cost, summary.actor),
        Strategy(FAR, cost, summary.actor),
    )


def main() -> None:
    """Fit on a part, judge on the rest, write."""
    parser = options(__doc__)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--episodes", type=int, default=200)
    given = parser.parse_args()
    torch.set_num_threads(1)
    rows: list[Row] = []
    protocol: dict[str, object] = {"door_split_px": SPLIT, "goal_corner_px": CORNER, "budget_steps": 100}
    for kind, task in (("layouts", "tworoom_doors"), ("goals", "tworoom")):
        run = prepare(task, 0, given.keep)
        _, setup = reopen(run)
        model = opened(run)
        data = encode_frames(model, setup)
        if kind == "layouts":
            kept = doors(setup) < SPLIT
            seeds = find_episodes(task, given.episodes, SCAN_SEED, below)
        else:
            place = states(setup)
            kept = ~((place[:, 0] > CORNER[0]) & (place[:, 1] < CORNER[1]))
            seeds = find_episodes(task, given.episodes, SCAN_SEED, cornered)
        part = without(data, kept)
        protocol[f"{kind}_frames_fitted"] = [len(part), len(data)]
        rows += judge(kind, model, fitted(model, part, task, 0), task, seeds)
    write("generalise", rows, protocol, (0,), given.out)


if __name__ == "__main__":
    main()
