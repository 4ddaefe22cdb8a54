"""Planning, training and reading beside two packages that do the same, each factor on its own, on one core.

python benchmarks/planning_peers.py [--repeats 4] [--skill MINUTES]

Each peer runs its own code in its own environment (`peers/environment.py`), in a process that stays up; measurements of
theirs and ours alternate, so that what disturbs the machine disturbs both. With --skill only the success of each system
against its training time is measured (`peers/skill.py`), to its own file.
"""

import json
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import mean

import torch
from safetensors.torch import save_file
from torch import Tensor

from backbones import PAPER
from common import options, row, write
from monde.agents import record
from monde.models.lewm_names import LAYOUTS, Layout
from monde.scorecard import Row, Scorecard
from monde.store import read_json
from monde.training import choose_precision
from peers import ours
from peers.environment import PEERS
from peers.ours import CEM, ELITES, HORIZON, ROUNDS, SAMPLES
from peers.process import Peer, peer_process
from peers.skill import SkillConfig, skill
from training import matrix_rate

SIZES: Mapping[Layout, Mapping[str, int]] = {
    "stable-worldmodel": PAPER | {"side": 64, "trained_side": 64, "patch": 8},
    "torch-world": PAPER | {"side": 64, "trained_side": 64, "patch": 8, "depth": 6},
}
"""18 M with a ViT of 12 blocks, and 15 M with one of 6, as each package builds it by default."""

PRECISIONS = {"fp32": False, "bf16": True}
SEARCH = {"samples": SAMPLES, "rounds": ROUNDS, "elites": ELITES, "horizon": HORIZON}
BATCH, WINDOW, SEED = 16, 4, 0
WINDOWS, WINDOW_BATCH = 2048, 128

Times = dict[str, list[float]]


def one_core() -> int:
    """Keep this process and those it starts on one core: the last of those allowed."""
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    torch.set_num_threads(1)
    return core


def asked(running: Peer, **request: object) -> float:
    """Seconds that a peer says a request took."""
    return running.ask(**request)["seconds"]


def alternate(measures: Mapping[str, Callable[[], float]], repeats: int, warm_up: int = 1) -> Times:
    """Measure each in turn, `repeats` times after a warm-up."""
    found: Times = {name: [] for name in measures}
    for turn in range(warm_up + repeats):
        for name, measure in measures.items():
            value = measure()
            print(f"{'warm-up ' if turn < warm_up else ''}{name} {value:.4g}", flush=True)
            if turn >= warm_up:
                found[name].append(value)
    return found


def ratio(metric: str, above: Sequence[float], below: Sequence[float], note: str) -> Row:
    """The mean of the ratios of measurements that were made in the same turn."""
    return row(metric, [a / b for a, b in zip(above, below, strict=True)], "×", note)


def engine(peer: Layout, running: Peer, weights: Path, frames: Path, repeats: int) -> tuple[list[Row], Times]:
    """One architecture, one set of weights, one search: their engine and ours."""
    model, shown = ours.imported(weights, peer), ours.batch_of(frames)["frames"]
    measures: dict[str, Callable[[], float]] = {}
    for name, bf16 in PRECISIONS.items():
        measures[f"theirs_{name}"] = partial(asked, running, do="plan", frames=str(frames), bf16=bf16, **SEARCH)
        measures[f"ours_{name}"] = partial(ours.plan_seconds, model, CEM, shown, bf16)
    times = alternate(measures, repeats)
    best = "bf16" if choose_precision("auto", torch.device("cpu")) else "fp32"
    plain = "theirs as its code plans, fp32 (neither planner has a setting for precision)"
    rows = [
        ratio(f"speedup_engine/{peer}", times["theirs_fp32"], times[f"ours_{best}"],
              f"{plain}; ours with model.autocast, {best}, what training chooses on this processor"),
        ratio(f"speedup_engine_fp32/{peer}", times["theirs_fp32"], times["ours_fp32"], "both fp32"),
        ratio(f"speedup_engine_bf16/{peer}", times["theirs_bf16"], times["ours_bf16"],
              "both under torch.autocast bf16, theirs by our wrapping its call"),
    ]  # fmt: skip
    weight = f"{model.parameters_total / 1e6:.1f} M weights, two frames encoded, {SAMPLES} × {ROUNDS}"
    rows += [
        row(f"plan_seconds/{system}_{name}", times[f"{side}_{name}"], "s", weight)
        for side, system in (("theirs", peer), ("ours", f"{peer}_in_monde")) for name in PRECISIONS
    ]  # fmt: skip
    return rows, times


def agreement(peer: Layout, running: Peer, weights: Path, frames: Path, folder: Path) -> list[Row]:
    """Whether both judge the same action sequences alike."""
    generator = torch.Generator().manual_seed(SEED)
    actions = torch.randn(1, SAMPLES, HORIZON, PAPER["actions"], generator=generator)
    shown = ours.batch_of(frames)["frames"]
    given, to = folder / "judged.safetensors", folder / "costs.safetensors"
    save_file({"frames": shown, "actions": actions}, given)
    running.ask(do="costs", given=str(given), to=str(to))
    theirs, model = ours.batch_of(to)["costs"], ours.imported(weights, peer)
    exact, narrow = (ours.costs(model, shown, actions, bf16) for bf16 in PRECISIONS.values())
    difference = float((exact - theirs).abs().max() / theirs.std())
    note = f"largest difference over {SAMPLES} sequences, in standard deviations of the cost over them"
    return [
        Row(metric=f"cost_difference/{peer}", value=difference, n=SAMPLES, note=f"{note}; both fp32"),
        Row(metric=f"cost_rank_correlation_bf16/{peer}", value=ours.spearman(narrow, theirs), n=SAMPLES,
            note="Spearman, our bf16 costs against theirs in fp32"),
        Row(metric=f"elites_shared_bf16/{peer}", value=shared(narrow, theirs), n=ELITES,
            note=f"of their {ELITES} best sequences, the share that is among ours in bf16", floors={"chance": 0.1}),
    ]  # fmt: skip


def shared(one: Tensor, other: Tensor) -> float:
    """The share of elites that two judges have in common."""
    best = [set(x.topk(ELITES, largest=False).indices.tolist()) for x in (one, other)]
    return len(best[0] & best[1]) / ELITES


def factors(frames: Path, peers: Mapping[Layout, Times], repeats: int) -> list[Row]:
    """What a smaller model and another algorithm add, and all together."""
    shown, tiny, nano = ours.batch_of(frames)["frames"], ours.sized("tiny"), ours.sized("nano")
    quick = ours.hybrid(nano)
    best = choose_precision("auto", torch.device("cpu"))
    times = alternate(
        {
            "tiny_cem": lambda: ours.plan_seconds(tiny, CEM, shown, best),
            "nano_cem": lambda: ours.plan_seconds(nano, CEM, shown, False),
            "nano_hybrid": lambda: mean(ours.plan_seconds(nano, quick, shown, False) for _ in range(20)),
        },
        repeats,
    )
    notes = {
        "tiny_cem": f"{SAMPLES} × {ROUNDS}, {tiny.parameters_total / 1e6:.1f} M, {'bf16' if best else 'fp32'}",
        "nano_cem": f"{SAMPLES} × {ROUNDS}, {nano.parameters_total / 1e6:.1f} M, fp32",
        "nano_hybrid": "actor, 32 × 2, learned time to the goal, fp32; mean of 20 in each turn",
    }
    rows = [row(f"plan_seconds/{name}", values, "s", notes[name]) for name, values in times.items()]
    rows.append(ratio("speedup_size", times["tiny_cem"], times["nano_cem"], "tiny over nano, same search"))
    rows.append(ratio("speedup_algorithm", times["nano_cem"], times["nano_hybrid"], "CEM over ours.hybrid, both nano"))
    for peer, theirs in peers.items():
        note = (
            "their plan as its code plans (fp32) over the mean of nano's hybrid, both with encoding, minutes apart: "
            "engine, size and algorithm; random weights"
        )
        hybrid = mean(times["nano_hybrid"])
        rows.append(row(f"speedup_total/{peer}", [plan / hybrid for plan in theirs["theirs_fp32"]], "×", note))
    return rows


def training_steps(peer: Layout, running: Peer, weights: Path, batch: Path, repeats: int) -> list[Row]:
    """Their training step and ours, of their architecture and objective."""
    training, tensors, count = ours.Training(weights, peer), ours.batch_of(batch), BATCH * WINDOW
    operations = {
        "theirs": running.ask(do="step", batch=str(batch), bf16=False, count=True)["operations"],
        "ours": float(training.operations(tensors)),
    }
    measures: dict[str, Callable[[], float]] = {}
    for name, bf16 in PRECISIONS.items():
        measures[f"theirs_{name}"] = partial(asked, running, do="step", batch=str(batch), bf16=bf16)
        measures[f"ours_{name}"] = partial(training.step, tensors, bf16)
        kind = torch.bfloat16 if bf16 else torch.float32
        measures[f"limit_{name}"] = partial(matrix_rate, kind, torch.device("cpu"), repeats=2)
    times = alternate(measures, repeats, warm_up=4)
    fastest = {side: min(PRECISIONS, key=lambda p: sum(times[f"{side}_{p}"])) for side in operations}
    above, below = times[f"theirs_{fastest['theirs']}"], times[f"ours_{fastest['ours']}"]
    note = f"each at its faster precision: theirs {fastest['theirs']}, ours {fastest['ours']}"
    rows = [ratio(f"train_speedup/{peer}", above, below, note)]
    for name in PRECISIONS:
        pair = times[f"theirs_{name}"], times[f"ours_{name}"]
        rows.append(ratio(f"train_speedup_{name}/{peer}", *pair, f"both {name}"))
    for side, system in (("theirs", peer), ("ours", f"{peer}_in_monde")):
        for name in PRECISIONS:
            seconds, limits = times[f"{side}_{name}"], times[f"limit_{name}"]
            reached = [operations[side] / s / limit for s, limit in zip(seconds, limits, strict=True)]
            rows += [
                row(f"train_frames_per_second/{system}_{name}", [count / s for s in seconds], "1/s",
                    f"{BATCH} × {WINDOW} frames 64 × 64, patch 8; loss, gradient, clipping, AdamW"),
                row(f"train_fraction_of_matrix_rate/{system}_{name}", reached, "1",
                    f"{operations[side] / count / 1e9:.2f} GFLOP a frame; a 2048³ product, in the same turn, runs at "
                    f"{mean(limits) / 1e9:.0f} GFLOP/s by torch's own choice of library"),
            ]  # fmt: skip
    return rows


def window_rates(recording: Path, folder: Path, repeats: int) -> list[Row]:
    """Their Lance reader and our cache over the same frames."""
    peer: Layout = "stable-worldmodel"
    save_file(ours.as_arrays(recording), folder / "frames.safetensors")
    cache = ours.CachedWindows.of(recording, WINDOW_BATCH)
    cache.rate(8 * WINDOWS)
    arguments = (folder / "frames.safetensors", folder, WINDOWS, WINDOW_BATCH)
    with peer_process(peer, "lance_peer", *arguments) as running:
        times = alternate(
            {
                "theirs": lambda: running.ask()["windows_per_second"],
                "ours": lambda: cache.rate(8 * WINDOWS),
            },
            repeats,
        )
    same = "4 frames 64 × 64 × 3, 5 control steps apart, with their actions, shuffled batches of 128, no workers"
    jpeg = "its default format, JPEG, decoded by PIL: torchvision's decoder does not load beside this torch"
    return [
        ratio(f"window_speedup/{peer}", times["ours"], times["theirs"], f"{same}; theirs from Lance, {jpeg}"),
        row(f"windows_per_second/{peer}", times["theirs"], "1/s", jpeg),
        row("windows_per_second/monde", times["ours"], "1/s", "from its frame cache, uncompressed, page cache warm"),
    ]


def quick(folder: Path, repeats: int) -> list[Row]:
    """Everything but the success of trained models."""
    generator = torch.Generator().manual_seed(SEED)
    shape = (BATCH, WINDOW, 3, 64, 64)
    shown = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
    blocks = torch.randn(BATCH, WINDOW, PAPER["actions"], generator=generator)
    frames, batch = folder / "frames.safetensors", folder / "batch.safetensors"
    save_file({"frames": shown[:1, :2].contiguous()}, frames)
    save_file({"frames": shown, "actions": blocks}, batch)
    rows: list[Row] = []
    peers: dict[Layout, Times] = {}
    for peer in LAYOUTS:
        weights = folder / f"{peer}.safetensors"
        with peer_process(peer, "serve", peer, json.dumps(dict(SIZES[peer])), weights) as running:
            rows += agreement(peer, running, weights, frames, folder)
            found, peers[peer] = engine(peer, running, weights, frames, repeats)
            rows += found + training_steps(peer, running, weights, batch, 2 * repeats)
    rows += factors(frames, peers, repeats)
    record("tworoom", folder / "recording", episodes=60, steps=100, seed=SEED)
    return rows + window_rates(folder / "recording", folder, repeats)


def earlier(out: Path) -> list[Row]:
    """The rows of the last --skill, which is too long to run each time; their notes say where they are from."""
    path = out / "planning_peers_skill.json"
    if not path.exists():
        return []
    card = Scorecard.from_json(read_json(path))
    kept = [found for found in card.rows if found.metric.startswith(("success/", "skill_speedup/"))]
    return [replace(found, note=f"{found.note}; of {path.name}") for found in kept]


def main() -> None:
    """Measure and write planning_peers.json, or planning_peers_skill.json with --skill."""
    parser = options(__doc__)
    parser.add_argument("--repeats", type=int, default=4, help="turns of each measurement, twice of training")
    parser.add_argument("--skill", type=float, metavar="MINUTES", help="success against training time, peers cut there")
    parser.add_argument("--skill-every", type=float, default=10.0, help="minutes between two scorings of a peer")
    parser.add_argument("--skill-episodes", type=int, default=50)
    parser.add_argument("--skill-recorded", type=int, default=400, help="episodes that all learn from")
    parser.add_argument("--skill-threads", type=int, default=len(os.sched_getaffinity(0)))
    given = parser.parse_args()
    protocol: dict[str, object] = {"peers": PEERS, "sizes": SIZES}
    if given.skill is not None:
        config = SkillConfig(
            minutes=given.skill, every=given.skill_every, episodes=given.skill_episodes,
            recorded=given.skill_recorded, threads=given.skill_threads, sizes=SIZES,
        )  # fmt: skip
        rows = skill(config, SEED)
        protocol |= {
            "minutes": config.minutes, "every": config.every, "recorded": config.recorded,
            "episodes": config.episodes, "threads": config.threads,
        }  # fmt: skip
        write("planning_peers_skill", rows, protocol, [SEED], given.out)
        return
    protocol |= SEARCH | {
        "core": one_core(), "history_frames": 1, "repeats": given.repeats, "batch": BATCH, "window": WINDOW,
        "order": "theirs and ours in turn, after a warm-up; ratios but speedup_total are of the same turn",
        "cost": "squared distance of the last imagined latent to the goal's",
        "sigreg": "1,024 projections, 17 knots, weight 0.09; theirs a step at a time, ours over all frames, unbiased",
    }  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="monde-peers-") as folder:
        rows = quick(Path(folder), given.repeats)
    write("planning_peers", rows + earlier(given.out), protocol, [SEED], given.out)


if __name__ == "__main__":
    main()
