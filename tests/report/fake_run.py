"""A run folder as `monde train`, `monde score` and `monde plan` leave it, made in a second, through the real stores."""

import json
import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from monde.evaluation.exhibits import Film, Imagination, Scatter
from monde.scorecard import Row, Scorecard
from monde.store import RunFolder, write_json

SIDE = 64


def draw(x: float, y: float, blur: float = 0.0) -> Tensor:
    """A frame of a world of two rooms: a wall with a door, and an agent at (x, y); uint8 [3, h, w]."""
    frame = np.full((SIDE, SIDE, 3), 236.0)
    frame[:, 31:33] = 60
    frame[28:38, 31:33] = 236
    frame[:1], frame[-1:], frame[:, :1], frame[:, -1:] = 60, 60, 60, 60
    rows, columns = np.mgrid[:SIDE, :SIDE]
    inside = 1 / (1 + np.exp((np.hypot(columns - x, rows - y) - 3.5) / (0.25 + blur)))
    frame += inside[..., None] * (np.array([214, 72, 48]) - frame)
    return torch.from_numpy(frame.clip(0, 255).astype(np.uint8)).permute(2, 0, 1).contiguous()


def path(steps: int, seed: int) -> list[tuple[float, float]]:
    """Through the door."""
    generator = np.random.default_rng(seed)
    y0, y1 = generator.uniform(10, 54, 2)
    s = np.linspace(0, 1, steps)
    return [(12 + 40 * t, (33 + (y0 - 33) * abs(1 - 2 * t) if t < 0.5 else 33 + (y1 - 33) * abs(2 * t - 1))) for t in s]


def write_metrics(run: RunFolder, lines: int = 120) -> None:
    """metrics.jsonl of a run that learns."""
    generator = np.random.default_rng(0)
    entries = []
    for index in range(lines):
        t = index / lines
        noise = float(generator.normal(0, 0.04))
        prediction, sigreg = 0.9 * math.exp(-7 * t) + 0.012 + abs(noise) * 0.02, 9 * math.exp(-9 * t) + 0.4 + noise
        entries.append(
            {
                "step": 20 * (index + 1),
                "seconds": 1.6 * (index + 1),
                "frames_per_second": 2100 + 120 * noise * 10,
                "loss": prediction + 0.1 * sigreg,
                "gradient_norm": 0.8 * math.exp(-3 * t) + 0.1 + abs(noise),
                "learning_rate": 1e-3 * math.cos(1.5 * t),
                "loss/prediction": prediction,
                "loss/sigreg": sigreg,
                "latent/effective_rank": 4 + 26 * (1 - math.exp(-5 * t)) + noise * 4,
                "latent/std": 0.4 + 0.6 * (1 - math.exp(-6 * t)) + noise * 0.1,
                "probe/r2": 0.3 + 0.69 * (1 - math.exp(-8 * t)),
                "probe/untrained_r2": 0.61,
            }
        )
    run.metrics.write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")


def scorecard() -> Scorecard:
    """Figures of a small run."""
    rows = [
        Row(
            metric="success",
            value=0.64,
            interval=(0.501, 0.759),
            n=50,
            floors={"random": 0.04, "stay": 0.0},
            note="budget 100 control steps; 1 start at its goal was drawn again",
        ),
        Row(metric="steps_to_success", value=41.3, unit="steps", interval=(36.0, 47.1), n=32),
        Row(metric="plan_seconds", value=0.0831, unit="s", interval=(0.079, 0.088), n=30, note="one plan at a time"),
        Row(
            metric="probe_position_rmse_px",
            value=0.571,
            unit="px",
            interval=(0.55, 0.592),
            n=4040,
            floors={"untrained": 5.82, "mean": 15.9},
        ),
        Row(metric="probe/position/r2", value=0.9987, interval=(0.998, 0.9991), n=4040, floors={"untrained": 0.862}),
        Row(metric="ranking_tau", value=0.71, interval=(0.66, 0.75), n=256, floors={"chance": 0.0, "shuffled": 0.02}),
    ]
    for seconds in (0.5, 1.0, 1.5, 2.0):
        floors = {"copy_last": 9.1 * seconds**0.6, "linear_ar": 7.4 * seconds**0.6, "mean": 15.9}
        rows.append(
            Row(
                metric=f"prediction/position/rmse/{seconds:g}s",
                value=0.8 + 0.9 * seconds,
                unit="px",
                interval=(0.7 + 0.85 * seconds, 0.9 + 0.95 * seconds),
                n=512,
                floors=floors,
            )
        )
        top1 = 0.93 - 0.17 * seconds
        rows.append(
            Row(
                metric=f"prediction/retrieval_top1/{seconds:g}s",
                value=top1,
                interval=(top1 - 0.04, top1 + 0.03),
                n=512,
                floors={"copy_last": 0.11 / seconds, "chance": 0.05},
            )
        )
    planner = {"planner": "CEMPlanner", "cost": "LatentDistance(sum)", "samples": 300, "rounds": 10}
    return Scorecard(
        name="demo",
        rows=tuple(rows),
        protocol={
            "world": "tworoom",
            "budget_steps": 100,
            "goal": "the world's own, drawn from the episode's seed",
            "success_test": "the world's own test, after any control step within the budget",
            "seeds": list(range(50)),
            "data_hash": "9f1c" * 16,
            "planner": planner,
        },
        machine={"processor": "A processor", "cores": 2, "memory_bytes": 8 * 2**30, "accelerators": []},
        commit="0123456789ab",
        seeds=tuple(range(50)),
        created="2026-11-20T10:00:00+00:00",
    )


def write_exhibits(run: RunFolder, films: int = 4) -> None:
    """Films, an imagination and a scatter."""
    generator = np.random.default_rng(1)
    for seed in range(films):
        success = seed != 2
        points = path(42 if success else 101, seed)
        end = points[-1] if success else (50.0, 12.0)
        points = points if success else [(x * 0.55, y) for x, y in points]
        Film(
            frames=torch.stack([draw(x, y) for x, y in points]),
            goal=draw(*end),
            success=success,
            steps=len(points) - 1,
            seed=seed,
            goal_distance=1.9 if success else 23.4,
            title=f"Planned episode {seed + 1}",
        ).save(run.exhibits / f"film-{seed:02d}")
    points = path(20, 7)
    Imagination(
        real=torch.stack([draw(x, y) for x, y in points]),
        decoded_observed=torch.stack([draw(x, y, 0.6) for x, y in points]),
        decoded_imagined=torch.stack([draw(x + 0.15 * i, y, 0.6 + 0.05 * i) for i, (x, y) in enumerate(points)]),
        times_seconds=tuple(0.5 * i for i in range(20)),
        context_steps=2,
        title="Held-out episode 361",
    ).save(run.exhibits / "imagination-00")
    truth = torch.from_numpy(generator.uniform(5, 59, (3000, 2))).float()
    Scatter(
        truth=truth,
        read=truth + torch.from_numpy(generator.normal(0, 0.6, (3000, 2))).float(),
        names=("x", "y"),
        unit="px",
        r2=0.9987,
        rmse=0.571,
        title="Position of the agent",
    ).save(run.exhibits / "probe-position")


def make_run(root: Path, films: int = 4) -> RunFolder:
    """All parts."""
    run = RunFolder(root)
    write_json(
        run.config,
        {
            "schema": "monde.run/1",
            "model": {"type": "ModelConfig", "actions": {"dt_seconds": 0.1, "block": 5}, "sensors": []},
            "train": {"size": "nano", "seed": 0, "batch": 128},
            "data": {"fingerprint": "9f1c" * 16, "episodes": 400},
            "split": {"train": list(range(360)), "held_out": list(range(360, 400))},
            "data_path": "/somewhere/secret/tworoom",
            "commit": "0123456789ab",
            "machine": {"processor": "A processor", "cores": 2},
            "created": "2026-11-20T09:55:00+00:00",
        },
    )
    write_metrics(run)
    write_json(run.score, scorecard().to_json())
    write_exhibits(run, films)
    return run
