"""Success in TwoRoom against training time, from the same recorded frames: each peer's own training, and monde's.

A peer trains in its own process by its own objective and optimiser. Every few minutes its weights are imported into
monde, which gives the numbers of its own code (backbones.json; `cost_difference` in planning_peers.json), and plan in
monde's TwoRoom as its evaluation does: CEM 300 × 10 for the last latent's distance, 5 blocks of 5 steps, all executed
before it plans again. Time spent on scoring is not counted. monde trains nano and its actor by the demo's recipe, anew
for each length of training.
"""

import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from monde.agents import record
from monde.evaluation.control import ControlConfig, score_control
from monde.models import import_lewm, load_model
from monde.models.lewm_names import LAYOUTS, Layout
from monde.recipes import strategy
from monde.recipes.tworoom import tworoom
from monde.scorecard import Row
from monde.training import choose_precision, fit_actor, train
from peers.ours import ACTIONS, CAMERA, CEM, HORIZON, as_arrays
from peers.process import peer_process

BATCHES: Mapping[Layout, int] = {"stable-worldmodel": 128, "torch-world": 64}
"""Windows in a training step, as each publishes it."""

OURS_MINUTES = (1.0, 2.0, 4.0, 8.0)
"""Training times of nano that are tried, the actor's quarter not included."""

ENOUGH = 0.95


@dataclass(frozen=True, kw_only=True)
class SkillConfig:
    """Settings of the stage.

    Args:
        minutes: At which a peer's training is cut.
        every: Minutes between two scorings of a peer.
        episodes: Episodes of a scoring.
        recorded: Episodes of 100 steps that all learn from.
        threads: Threads of training and planning.
        sizes: Of each peer's model.
    """

    minutes: float
    every: float
    episodes: int
    recorded: int
    threads: int
    sizes: Mapping[Layout, Mapping[str, int]]


@dataclass(frozen=True)
class Point:
    """Success after some training: seconds, optimiser steps (of a peer, by its own count)."""

    seconds: float
    success: Row
    steps: int | None = None


def skill(config: SkillConfig, seed: int = 0) -> list[Row]:
    """The curve of each system, its last point, and how much sooner monde is at 95%."""
    torch.set_num_threads(config.threads)
    with tempfile.TemporaryDirectory(prefix="monde-skill-") as temporary:
        folder = Path(temporary)
        record("tworoom", folder / "recording", episodes=config.recorded, steps=100, seed=seed)
        curves = {"monde": _ours(config, folder, seed)}
        arrays = as_arrays(folder / "recording")
        mean, std = (f(arrays["actions"][:, :-1].flatten(0, 1), 0) for f in (torch.mean, torch.std))
        arrays["actions"] = (arrays["actions"] - mean) / std
        save_file(arrays, folder / "data.safetensors")
        for peer in LAYOUTS:
            curves[peer] = _theirs(config, folder, peer, (mean, std), seed)
    return _rows(curves, config)


def _ours(config: SkillConfig, folder: Path, seed: int) -> list[Point]:
    points: list[Point] = []
    for minutes in (m for m in OURS_MINUTES if m <= max(config.minutes, OURS_MINUTES[0])):
        recipe = tworoom(folder, minutes=minutes, seed=seed)
        run = folder / f"run{minutes:g}"
        start = time.perf_counter()
        train(replace(recipe.train, data=str(folder / "recording"), run=str(run)))
        if recipe.actor is not None:
            fit_actor(run, recipe.actor)
        spent = time.perf_counter() - start
        control = ControlConfig(episodes=config.episodes, seed=seed, timed_plans=1)
        scored = score_control(load_model(run), strategy("hybrid", run), "tworoom", control)
        points.append(Point(spent, _success(scored.rows)))
        print("monde", f"{spent:.0f} s", points[-1].success, flush=True)
        if points[-1].success.value >= ENOUGH:
            break
    return points


def _theirs(config: SkillConfig, folder: Path, peer: Layout, moments: tuple[Tensor, Tensor], seed: int) -> list[Point]:
    bf16 = choose_precision("auto", torch.device("cpu"))
    control = ControlConfig(
        episodes=config.episodes, seed=seed, timed_plans=1, replan_every=HORIZON, batch=config.episodes
    )
    weights, points, spent, steps = folder / "fitted.safetensors", list[Point](), 0.0, 0
    arguments = (peer, json.dumps(dict(config.sizes[peer])), folder / "first.safetensors", "fresh")
    with peer_process(peer, "serve", *arguments, threads=config.threads) as running:
        while spent < 60 * config.minutes and not (points and points[-1].success.value >= ENOUGH):
            told = running.ask(
                do="fit", data=str(folder / "data.safetensors"), seconds=60 * config.every, batch=BATCHES[peer],
                bf16=bf16, seed=seed + len(points), save=str(weights),
            )  # fmt: skip
            spent, steps = spent + told["seconds"], steps + int(told["steps"])
            mean, std = (moment.repeat(ACTIONS.block) for moment in moments)
            model = import_lewm(weights, peer, camera=CAMERA, actions=ACTIONS, action_mean=mean, action_std=std)
            model.autocast = bf16
            points.append(Point(spent, _success(score_control(model, CEM, "tworoom", control).rows), steps))
            print(peer, f"{spent:.0f} s, {told['steps']:.0f} steps", points[-1].success, flush=True)
    return points


def _success(rows: tuple[Row, ...]) -> Row:
    return next(row for row in rows if row.metric == "success")


def _rows(curves: Mapping[str, list[Point]], config: SkillConfig) -> list[Row]:
    rows: list[Row] = []
    for system, points in curves.items():
        for point in points:
            rows.append(replace(point.success, metric=f"success_after/{system}/{point.seconds:.0f}s"))
        steps = "" if points[-1].steps is None else f", {points[-1].steps} steps"
        note = f"after {points[-1].seconds:.0f} s of training{steps}; {points[-1].success.note}"
        rows.append(replace(points[-1].success, metric=f"success/{system}", note=note))
    needed = {system: points[-1] for system, points in curves.items()}
    ours = needed.pop("monde")
    if ours.success.value < ENOUGH:
        return rows
    for peer, theirs in needed.items():
        reached = theirs.success.value >= ENOUGH
        how = "to 95%" if reached else f"at least: theirs cut at {config.minutes:g} minutes without 95%"
        note = (
            f"{how}; {theirs.seconds:.0f} s over {ours.seconds:.0f} s, ours with its actor's fitting, without scoring"
        )
        rows.append(Row(metric=f"skill_speedup/{peer}", value=theirs.seconds / ours.seconds, unit="×", n=1, note=note))
    return rows
