"""A real robot's log (Unitree G1, 10 teleoperated episodes): joint angles read from imagined latents, pixels only.

Five folds over the episodes. In each, a model is trained on the camera's pixels of the other episodes (no
proprioception: with it the probe is trivial), with inverse dynamics: SIGReg alone spent the latent on what tells the
episodes apart. A ridge readout from *observed* latents to the joint angles, fitted on the training episodes, is applied
to latents *imagined* 0.5, 1 and 2 s ahead of held-out frames. Errors are RMSE over the 14 arm joints; intervals are
Student's over folds. Floors: those of the design (copy-last, mean, linear autoregression on latents with and without
actions, the model without actions), the mean posture at the same time since the start, and "state := commanded action",
for the commands are the wanted joint angles themselves and are given to the model. Settings were chosen on fold 0 alone
(docs/log.md); the note of each row holds every fold.

    python benchmarks/robot.py [--minutes 1.5] [--folds 5]

With --curve: the error 1 s ahead when 2, 4, 6 and 8 episodes are learned from, for the same held-out episodes and as
many steps of training, into robot_curve.json; and by which power of the number of episodes it falls.

    python benchmarks/robot.py --curve [--steps 600] [--curve-folds 5]
"""

import argparse
import os
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from common import bars, half, options, row, write
from monde.data import Windows
from monde.evaluation.imagining import PredictionConfig, cut_windows, imagine_windows, predictions
from monde.evaluation.imagining import Windows as Judged
from monde.evaluation.latents import EncodedClip, encode_clips, stack_latents, stack_states
from monde.evaluation.retrieval import retrieval_ranks
from monde.evaluation.statistics import kendall_tau
from monde.models import JEPA, load_model
from monde.objectives import ObjectiveConfig
from monde.readouts import LinearReadout, fit_linear
from monde.training import TrainConfig, train
from monde.training.setup import Setup, reopen, untrained_floor
from monde.types import Clip

DATA = Path(os.environ.get("MONDE_SHARED_DATA", "../shared/data")) / "lerobot-g1-bottle"
CAMERA, STATE, ARMS, SEED = "cam_high", "state", 14, 0
CURVE, TOLD = (2, 4, 6, 8), ("commanded_action", "linear_ar_actions")
"""Episodes learned from in the curve, and floors that are told the commands."""
STEP_SECONDS, HORIZONS, CONTEXT = 1 / 6, {"0.5s": 3, "1s": 6, "2s": 12}, 3


@dataclass(frozen=True)
class Episodes:
    """Whole episodes at the model's step."""

    setup: Setup
    numbers: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.numbers)

    def clip(self, index: int) -> Clip:
        """One episode."""
        number, actions = self.numbers[index], self.setup.model.actions
        steps = (self.setup.recording.lengths[number] - 1) // actions.block + 1
        return Windows(self.setup.cache, [number], [CAMERA, STATE], steps, actions).clip(np.array([0]))


def readout(clips: list[EncodedClip]) -> LinearReadout:
    """Arm joints from latents, fitted on all frames."""
    truth = torch.as_tensor(stack_states(clips, STATE)[:, :ARMS], dtype=torch.float32)
    return fit_linear(stack_latents(clips).flatten(1), truth, name=STATE, unit="rad")


def rmse(error: np.ndarray) -> float:
    """Root mean square over windows and joints."""
    return float(np.sqrt(np.square(error).mean()))


def fold(run: Path) -> dict[str, float]:
    """Every figure of one trained fold."""
    _, setup = reopen(run)
    model = load_model(run)
    found: dict[str, float] = {}
    fit_on = encode_clips(model, Episodes(setup, setup.split.train), (STATE,), 100)
    held_out = encode_clips(model, Episodes(setup, setup.split.held_out), (STATE,), 100)
    probe = readout(fit_on)
    found |= observed(probe, fit_on, held_out, "trained")
    blank = untrained_floor(setup, SEED)
    blank_fit, blank_out = (
        encode_clips(blank, Episodes(setup, part), (STATE,), 100) for part in (setup.split.train, setup.split.held_out)
    )
    found |= observed(readout(blank_fit), blank_fit, blank_out, "untrained")
    config = PredictionConfig(context=CONTEXT, horizon=max(HORIZONS.values()), report=(1,), starts=20)
    windows = cut_windows(held_out, config)
    imagined, floors = predictions(model, fit_on, windows, config)
    latents = {"model": imagined["true"], "shuffled_actions": imagined["shuffled"], **floors}
    for label, blocks in HORIZONS.items():
        found |= judged(label, blocks, windows, latents, probe, fit_on, setup)
    found["action_ranking_tau"] = ranking(model, windows, config)
    return found


def observed(
    probe: LinearReadout, fit_on: list[EncodedClip], held_out: list[EncodedClip], name: str
) -> dict[str, float]:
    """How well joints are read from latents of real frames: held out, and of the episodes fitted on."""
    parts = {}
    for part, clips in (("held_out", held_out), ("train", fit_on)):
        truth = stack_states(clips, STATE)[:, :ARMS]
        error = probe(stack_latents(clips).flatten(1)[:, None]).double().numpy() - truth
        parts[f"observed/{name}/{part}"] = rmse(error)
    return parts


def judged(
    label: str,
    blocks: int,
    windows: Judged,
    latents: dict[str, torch.Tensor],
    probe: LinearReadout,
    fit_on: list[EncodedClip],
    setup: Setup,
) -> dict[str, float]:
    """Joint errors and retrieval at one horizon."""
    found = {}
    at = list(zip(windows.index, windows.last + blocks, strict=True))
    truth = np.stack([windows.clips[i].states[STATE][t, :ARMS] for i, t in at])
    for name, values in latents.items():
        found[f"error/{name}/{label}"] = rmse(probe(values[:, blocks - 1]).double().numpy() - truth)
        ranks, _ = retrieval_ranks(windows.clips, windows.index, windows.last + blocks, values[:, blocks - 1])
        found[f"top1/{name}/{label}"] = float((ranks == 1).mean())
    found[f"error/mean/{label}"] = rmse(stack_states(fit_on, STATE)[:, :ARMS].mean(0) - truth)
    same_time = [
        np.mean([clip.states[STATE][min(t, len(clip.states[STATE]) - 1), :ARMS] for clip in fit_on], axis=0)
        for _, t in at
    ]
    found[f"error/mean_at_same_time/{label}"] = rmse(np.stack(same_time) - truth)
    # The last command of the block before the frame: what the robot was told to be at.
    commanded = windows.actions[:, blocks - 1].unflatten(-1, (setup.model.actions.block, -1))[:, -1, :ARMS]
    found[f"error/commanded_action/{label}"] = rmse(commanded.double().numpy() - truth)
    return found


def ranking(model: JEPA, windows: Judged, config: PredictionConfig) -> float:
    """Kendall's τ over action sequences of other windows, from each start.

    Imagined: distance of the end (1 s) to the true future's latent. Reality: distance of the posture that the other
    sequence commands to the true future's; the robot follows its commands to 0.03 rad.
    """
    blocks, count = HORIZONS["1s"], len(windows.index)
    block = model.actions.block
    posture = windows.actions[:, blocks - 1].unflatten(-1, (block, -1))[:, -1, :ARMS].double().numpy()
    truth = np.stack(
        [windows.clips[i].states[STATE][t + blocks, :ARMS] for i, t in zip(windows.index, windows.last, strict=True)]
    )
    costs = []
    for shift in range(count):
        ends = imagine_windows(model, windows, windows.actions.roll(shift, 0), config)[:, blocks - 1]
        costs.append((ends - windows.future[:, blocks - 1]).flatten(1).norm(dim=1).numpy())
    taus = []
    for start in range(count):
        others = [(start - shift) % count for shift in range(count)]
        real = np.linalg.norm(posture[others] - truth[start], axis=1)
        taus.append(kendall_tau(np.array([cost[start] for cost in costs]), real))
    return float(np.nanmean(taus))


def main() -> None:
    """Train and judge every fold; write robot.json and robot.svg."""
    parser = options(__doc__)
    parser.add_argument("--minutes", type=float, default=1.5, help="of training, per fold")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--only", type=int, default=None, help="run the first so many folds, for a look")
    parser.add_argument("--frame", type=int, default=64)
    parser.add_argument("--window", type=int, default=8)
    parser.add_argument("--inverse", type=float, default=10.0, help="weight of inverse dynamics")
    parser.add_argument("--regulariser", type=float, default=0.02, help="weight of SIGReg")
    parser.add_argument("--curve", action="store_true", help="errors by number of training episodes instead")
    parser.add_argument("--steps", type=int, default=600, help="of training, per fold of the curve")
    parser.add_argument("--curve-folds", type=int, default=5, help="so many of the folds, for the curve")
    given = parser.parse_args()
    if given.curve:
        counts = {n: run_folds(given, given.only or given.curve_folds, n) for n in CURVE}
        report_curve(counts, given)
    else:
        report(run_folds(given, given.only or given.folds), given)


def run_folds(given: argparse.Namespace, folds: int, episodes: int = 0) -> dict[str, list[float]]:
    """Every figure of the first so many folds; `episodes` to learn from, or all that are not held out."""
    results: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="monde-robot-") as folder:
        for k in range(folds):
            config = TrainConfig(
                data=str(DATA.resolve()), run=f"{folder}/fold{k}", sensors=(CAMERA,), frame=given.frame,
                minutes=None if episodes else given.minutes, steps=given.steps if episodes else None,
                step_seconds=STEP_SECONDS, window=given.window, batch=64, folds=given.folds, fold=k, seed=SEED,
                train_episodes=episodes,
                objective=ObjectiveConfig(inverse_weight=given.inverse, regulariser_weight=given.regulariser),
            )  # fmt: skip
            summary = train(config)
            if not summary.finished:
                raise KeyboardInterrupt
            steps = summary.step
            for name, value in fold(Path(config.run)).items():
                results[name].append(value)
            told = {name: round(v[-1], 3) for name, v in results.items() if "1s" in name}
            print(f"fold {k}, {episodes or 'all'} episodes: {steps} steps", told)
    return results


def report_curve(counts: Mapping[int, Mapping[str, Sequence[float]]], given: argparse.Namespace) -> None:
    """Rows of the learning curve: errors, and their slope where both axes are logarithms."""
    rows = []
    for n, results in counts.items():
        floors = {
            name.split("/")[1]: float(np.mean(values))
            for name, values in results.items()
            if name.startswith("error/") and name.endswith("/1s")
            if name.split("/")[1] not in {"model", "shuffled_actions", *TOLD}
        }
        ours = results["error/model/1s"]
        by_fold = "by fold: " + ", ".join(f"{value:.4f}" for value in ours)
        rows.append(row(f"joint_error_rad/1.0s/episodes_{n}", ours, "rad", by_fold, floors))
    errors = np.log([results["error/model/1s"] for results in counts.values()])  # [counts, folds]
    slopes = np.polyfit(np.log(list(counts)), errors, 1)[0].tolist()
    rows.append(row("log_log_slope/1.0s", slopes, "1", "d ln(error) / d ln(episodes), one a fold"))
    halved = [2.0**slope for slope in slopes]
    rows.append(row("error_factor_per_doubling/1.0s", halved, "1", "what twice the episodes multiply the error by"))
    settings = dict(vars(given))
    out = Path(settings.pop("out"))
    protocol = {"data": "lerobot-g1-bottle", "split": "k-fold over episodes", "episodes": list(counts)}
    card = write("robot_curve", rows, settings | protocol, [SEED], out)
    shown = {f"{n} episodes": half(card, f"joint_error_rad/1.0s/episodes_{n}") for n in counts}
    best = min(floor for n in counts for floor in card[f"joint_error_rad/1.0s/episodes_{n}"].floors.values())
    bars(
        [("joint error 1 s ahead, rad; line: best floor that is not told the commands", shown, best)],
        out / "robot_curve.svg",
    )


def report(results: Mapping[str, Sequence[float]], given: argparse.Namespace) -> None:
    """Rows from the figures of the folds."""
    named = {name.split("/")[1] for name in results if name.startswith("error/")}
    floors = sorted(named - {"model", "shuffled_actions"})
    rows = []
    for label in HORIZONS:
        ours = results[f"error/model/{label}"]
        others = {name: results[f"error/{name}/{label}"] for name in floors}
        held = {name: float(np.mean(values)) for name, values in others.items()}
        by_fold = "by fold: " + ", ".join(f"{value:.4f}" for value in ours)
        rows.append(row(f"joint_error_rad/{label}", ours, "rad", by_fold, held))
        rows += [row(f"floor_joint_error_rad/{name}/{label}", values, "rad") for name, values in others.items()]
        for metric, left_out in (
            ("ratio_to_best_floor", ()),
            ("ratio_to_best_floor_not_told_commands", TOLD),
        ):
            best = min((name for name in floors if name not in left_out), key=lambda name: held[name])
            ratios = [mine / floor for mine, floor in zip(ours, others[best], strict=True)]
            rows.append(row(f"{metric}/{label}", ratios, "1", f"the best floor is {best}"))
        shuffled = zip(results[f"error/shuffled_actions/{label}"], ours, strict=True)
        rows.append(
            row(f"action_gap_rad/{label}", [s - m for s, m in shuffled], "rad", "with another window's actions, less")
        )
        found = {n: float(np.mean(results[f"top1/{n}/{label}"])) for n in floors if f"top1/{n}/{label}" in results}
        rows.append(row(f"retrieval_top1/{label}", results[f"top1/model/{label}"], "1", "in its episode", found))
    rows.append(row("action_ranking_tau", results["action_ranking_tau"], "1", "1 s ahead", {"chance": 0.0}))
    for name in ("trained/held_out", "trained/train", "untrained/held_out", "untrained/train"):
        rows.append(
            row(f"observed_joint_error_rad/{name}", results[f"observed/{name}"], "rad", "latents of real frames")
        )
    settings = dict(vars(given))
    out = Path(settings.pop("out"))
    card = write("robot", rows, settings | {"data": "lerobot-g1-bottle", "split": "k-fold over episodes"}, [SEED], out)
    bars(
        [
            (
                f"joint error {label} ahead, rad",
                {"model": half(card, f"joint_error_rad/{label}")}
                | {n.replace("_", "\n"): half(card, f"floor_joint_error_rad/{n}/{label}") for n in floors},
                None,
            )
            for label in HORIZONS
        ],
        out / "robot.svg",
        16,
    )


if __name__ == "__main__":
    main()
