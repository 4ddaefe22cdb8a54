"""Fitting the head that tells how action blocks move the body, on what odometry and scans told of recorded ones."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from monde.errors import DataError, UsageError
from monde.models import load_model, weights_hash
from monde.readouts import BodyMotion, BodyMotionConfig
from monde.spatial import se2_compose, se2_inverse
from monde.store import RunFolder, remove_artefact
from monde.training.device import choose_device
from monde.training.frame_latents import FrameLatents, encode_frames
from monde.training.guard import check_gradients, check_losses
from monde.training.setup import Setup, reopen
from monde.training.sizes import check_not_negative, check_sizes
from monde.types import Sensor

TOO_NEAR = 3.0
"""Weight of having said that things are farther away than they were, against having said nearer."""


@dataclass(frozen=True, kw_only=True)
class FitBodyMotionConfig:
    """How a motion head is fitted.

    Args:
        steps: Optimiser steps.
        batch: Blocks in a step.
        learning_rate: Of AdamW; it falls along a cosine.
        hidden: Width.
        clear_m: How near to anything the middle of the body may come, for planners: they keep clear of it.
        seed: Of weights and batches.
        device: "auto", "cpu", "cuda", …

    Raises:
        UsageError: An empty size, or no number.
    """

    steps: int = 2000
    batch: int = 512
    learning_rate: float = 2e-3
    hidden: int = 128
    clear_m: float = 0.0
    seed: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        check_sizes(self, "steps", "batch", "learning_rate", "hidden")
        check_not_negative(self, "clear_m")


@dataclass(frozen=True, kw_only=True)
class BodyMotionSummary:
    """What was fitted.

    Args:
        head: The head.
        steps: Optimiser steps taken.
        way_metres: Mean absolute error of ways of the blocks fitted on, last steps.
        turn_rad: And of turns.
        nearest_metres: And of the least ranges.
    """

    head: BodyMotion
    steps: int
    way_metres: float
    turn_rad: float
    nearest_metres: float


def fit_body_motion(run: Path | str, config: FitBodyMotionConfig | None = None) -> BodyMotionSummary:
    """Fit a motion head on the frozen latents of a run's newest model, and keep it in its folder.

    From then on the run's actor and temporal distance are fitted on latents with a place (`PlacedModel`).

    Raises:
        UsageError: A recording without a pose in the plane or a scan, or a model without actions.
        StoreError: Not a run, or the disk is full or read-only.
        TrainingError: A loss or a gradient that is not finite.
    """
    config, run = config or FitBodyMotionConfig(), Path(run)
    _, setup = reopen(run)
    device = choose_device(config.device)
    model = load_model(run, device).requires_grad_(False)
    if model.actions.unactuated:
        raise UsageError(f"{run} was learned without actions: nothing says how the body is moved")
    pose, scan = _sensor(setup, "pose"), _sensor(setup, "scan")
    data = encode_frames(model, setup)
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(config.seed)
        sizes = BodyMotionConfig(
            features=data.latents[0].numel(), actions=model.actions.width, pose=pose, scan=scan.name,
            hidden=config.hidden,
            clear_m=config.clear_m,
        )  # fmt: skip
        head = BodyMotion(sizes).to(device)
    summary = _fit(head, data, _told(setup, data, pose, scan), config)
    folder = RunFolder(run)
    for stale in (folder.motion, folder.actor, folder.temporal_distance, folder.trust):
        remove_artefact(stale)
    head.save(folder.motion, weights_hash(run))
    return summary


@dataclass(frozen=True)
class _Told:
    """What the sensors told of the block from each of some frames on."""

    frames: Int64[Tensor, " n"]
    motion: Float[Tensor, "n 3"]
    nearest: Float[Tensor, " n"]


def _sensor(setup: Setup, kind: str) -> Sensor:
    for sensor in setup.recording.sensors:
        if sensor.kind == kind and (kind != "pose" or sensor.shape == (3,)):
            return sensor
    got = [f"{sensor.name} ({sensor.kind})" for sensor in setup.recording.sensors]
    raise UsageError("nothing told how the body moved", got=got, expected="a pose in the plane, and a scan")


def _told(setup: Setup, data: FrameLatents, pose: Sensor, scan: Sensor) -> _Told:
    offsets, device = setup.cache.offsets, data.latents.device
    rows = np.concatenate([np.arange(offsets[e], offsets[e + 1]) for e in setup.split.train])
    poses = setup.cache.values(pose.name)[rows].astype(np.float64)
    ranges = setup.cache.values(scan.name)[rows]
    near = np.where(ranges > 0, ranges, np.inf).min(1)
    there = (ranges > 0).any(1)
    for name in (pose.name, scan.name):
        valid = setup.cache.valid(name)
        there &= True if valid is None else valid[rows]
    whole = np.arange(len(rows)) + data.block <= data.last.cpu().numpy()
    for step in range(data.block + 1):
        whole &= np.roll(there, -step)
    frames = np.flatnonzero(whole)
    if not len(frames):
        raise DataError(
            "no block was recorded whole", got="poses or scans are missing in each", expected="some without a gap"
        )
    motion = se2_compose(se2_inverse(poses[frames]), poses[frames + data.block])
    least = np.min([near[frames + step] for step in range(1, data.block + 1)], axis=0)
    return _Told(
        torch.from_numpy(frames).to(device),
        torch.from_numpy(motion).float().to(device),
        torch.from_numpy(least).float().to(device),
    )


def _fit(head: BodyMotion, data: FrameLatents, told: _Told, config: FitBodyMotionConfig) -> BodyMotionSummary:
    blocks = data.blocks(told.frames)
    seen = data.latents[told.frames].flatten(1)
    for buffer, values in ((head.mean, seen.mean(0)), (head.std, _spread(seen)), (head.action_mean, blocks.mean(0)),
                           (head.action_std, _spread(blocks)), (head.scale, _spread(told.motion))):  # fmt: skip
        buffer.copy_(values)
    generator = torch.Generator(seen.device).manual_seed(config.seed)
    optimiser = torch.optim.AdamW(head.parameters(), lr=config.learning_rate, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, config.steps)
    least = told.nearest.clamp_max(head.config.furthest_m)
    recent: list[Tensor] = []
    for _ in range(config.steps):
        index = torch.randint(len(blocks), (config.batch,), generator=generator, device=seen.device)
        motion, near = head(seen[index][:, None], blocks[index])
        error, gap = (motion - told.motion[index]) / head.scale, near - least[index]
        away = torch.nn.functional.smooth_l1_loss(error, torch.zeros_like(error), beta=0.1)
        near_loss = (gap.abs() * torch.where(gap > 0, TOO_NEAR, 1.0)).mean()
        loss = away + near_loss
        check_losses(
            loss, {"motion": away.detach(), "nearest": near_loss.detach()}, lambda: "a batch of the motion head"
        )
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.get_total_norm([p.grad for p in head.parameters() if p.grad is not None])
        check_gradients(norm, head, lambda: "a batch of the motion head")
        optimiser.step()
        schedule.step()
        with torch.no_grad():
            errors = (motion - told.motion[index]).abs()
            recent = [*recent[-49:], torch.stack([errors[:, :2].mean(), errors[:, 2].mean(), gap.abs().mean()])]
    way, turn, nearest = torch.stack(recent).mean(0).tolist()
    return BodyMotionSummary(
        head=head.eval(), steps=config.steps, way_metres=way, turn_rad=turn, nearest_metres=nearest
    )


def _spread(values: Float[Tensor, "n k"]) -> Float[Tensor, " k"]:
    std = values.std(0)
    return std.masked_fill(std <= 1e-6, 1.0)  # what is not finite stays so: the loss is to tell of it
