"""Scans and motions read from latents."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from monde.errors import ContractError, StoreError
from monde.nn import pose_features
from monde.readouts import MLPReadoutConfig, MotionReadout, ScanReadout, fit_motion, fit_scan
from monde.readouts.motion import told
from monde.spatial import from_yaw, relative, se2_compose, se2_inverse, unit
from monde.types.geometry import ScanGeometry

BEAMS = ScanGeometry(start_rad=-math.pi, step_rad=math.pi / 8, most_m=6.0)
QUICK = MLPReadoutConfig(hidden=64, epochs=40, dropout=0.0, patience=40)


def test_poses_survive_their_continuous_features() -> None:
    rng = np.random.default_rng(0)
    quaternions = unit(rng.normal(size=(200, 4)), most=np.inf)
    quaternions[:3] = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]  # half turns: w = 0
    poses = torch.from_numpy(np.concatenate([rng.normal(size=(200, 3)), quaternions], 1))
    back = told(pose_features(poses), planar=False)
    sign = (back[:, 3:] * poses[:, 3:]).sum(1, keepdim=True).sign()
    torch.testing.assert_close(torch.cat([back[:, :3], sign * back[:, 3:]], 1), poses, atol=1e-6, rtol=0)
    flat = torch.tensor([[1.0, 2.0, -3.0], [0.0, 0.5, 3.1]])
    torch.testing.assert_close(told(pose_features(flat), planar=True), flat)


def test_motion_is_read_from_two_latents(tmp_path: Path) -> None:
    """Latents that hold cos, sin and place: turning the difference into the body's frame is not linear in them."""
    rng = np.random.default_rng(1)
    a = np.concatenate([rng.uniform(-1, 1, (3000, 2)), rng.uniform(-np.pi, np.pi, (3000, 1))], 1)
    step = np.concatenate([rng.uniform(-0.5, 0.5, (3000, 2)), rng.uniform(-0.5, 0.5, (3000, 1))], 1)
    b = se2_compose(a, step)
    latents = [pose_features(torch.from_numpy(part)).float()[:, None] for part in (a, b)]
    motions = torch.from_numpy(se2_compose(se2_inverse(a), b)).float()
    readout = fit_motion(latents[0][:2500], latents[1][:2500], motions[:2500], config=QUICK)
    error = (readout(latents[0][2500:], latents[1][2500:]) - motions[2500:]).abs().mean(0)
    assert error.max() < 0.15 * motions.abs().mean(0).min()
    readout.save(tmp_path / "r")
    again = MotionReadout.load(tmp_path / "r")
    assert torch.equal(again(*latents), readout(*latents))
    with pytest.raises(ContractError, match="do not line up"):
        readout(latents[0], latents[1][:5])
    with pytest.raises(StoreError, match="no scan readout"):
        ScanReadout.load(tmp_path / "r")


def test_motion_in_space_is_a_pose() -> None:
    rng = np.random.default_rng(2)
    yaws = rng.uniform(-1, 1, (2, 400))
    poses = [np.concatenate([rng.normal(size=(400, 3)), from_yaw(part)], 1) for part in yaws]
    latents = [pose_features(torch.from_numpy(part)).float()[:, None] for part in poses]
    motions = torch.from_numpy(relative(*poses)).float()
    read = fit_motion(latents[0], latents[1], motions, config=MLPReadoutConfig(hidden=32, epochs=3))(*latents)
    assert read.shape == (400, 7)
    torch.testing.assert_close(read[:, 3:].norm(dim=1), torch.ones(400))


def test_a_scan_is_read_and_what_is_unknown_does_not_count(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    latents = torch.from_numpy(rng.uniform(-1, 1, (1500, 1, 4))).float()
    directions = torch.linspace(-math.pi, math.pi - math.pi / 8, 16)
    ranges = 3 + latents[:, 0, :1] * directions.cos() + latents[:, 0, 1:2] * directions.sin()
    spoilt = ranges.clone()
    spoilt[torch.from_numpy(rng.random((1500, 16)) < 0.3)] = 0.0
    readout = fit_scan(latents[:1200], spoilt[:1200], BEAMS, stride=2, config=QUICK)
    assert readout.beams == 8
    assert readout.geometry.step_rad == pytest.approx(math.pi / 4)
    assert (readout(latents[1200:]) - ranges[1200:, ::2]).abs().mean() < 0.1
    leading = readout(latents[:24].reshape(2, 3, 4, 1, 1, 4))
    assert leading.shape == (2, 3, 4, 1, 8)
    readout.save(tmp_path / "r")
    assert torch.equal(ScanReadout.load(tmp_path / "r")(latents), readout(latents))
    asked = latents[:3].clone().requires_grad_()
    readout(asked).sum().backward()
    assert asked.grad is not None  # planners that follow gradients pass through
    assert asked.grad.abs().sum() > 0


def test_no_beam_left_is_refused() -> None:
    with pytest.raises(ContractError, match="no beam"):
        fit_scan(torch.zeros(20, 1, 4), torch.ones(20, 16), BEAMS, stride=0)
