"""Motions and scans read from the latents of a model that knows where it is."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from monde.evaluation import PredictionConfig, score_space
from monde.nn import pose_features
from monde.spatial import beam_directions, se2_compose
from monde.types import ActionSpec, Belief, Clip, Latents, Rollout, Sensor, Stream
from monde.types.geometry import ScanGeometry

BEAMS = ScanGeometry(start_rad=-math.pi, step_rad=math.pi / 6, most_m=9.0)
POSE = Sensor(name="pose", kind="pose", shape=(3,), unit="m, m, rad", rate_hz=5.0)
SCAN = Sensor(name="scan", kind="scan", shape=(12,), unit="m", rate_hz=5.0, geometry=BEAMS)
CONFIG = PredictionConfig(horizon=4, report=(1, 4))
RADIUS = 4.0


def scan_in_a_round_room(poses: np.ndarray) -> np.ndarray:
    """Ranges from within a circle around the origin."""
    angles = poses[:, 2:] + np.arctan2(*beam_directions(12, BEAMS).T[::-1])
    along = poses[:, :1] * np.cos(angles) + poses[:, 1:2] * np.sin(angles)
    ranges: np.ndarray = -along + np.sqrt(along**2 + RADIUS**2 - (poses[:, :2] ** 2).sum(1, keepdims=True))
    return ranges


class Knowing:
    """Latents are the pose's continuous features; it imagines by the action, which is the motion itself."""

    def __init__(self) -> None:
        self.sensors = (POSE,)
        self.actions = ActionSpec(low=(-1.0,) * 3, high=(1.0,) * 3, dt_seconds=0.2)

    def encode(self, clip: Clip) -> Latents:
        stream = clip.stream("pose")
        return Latents(pose_features(stream.values.float())[:, :, None], stream.times_seconds)

    def begin(self, clip: Clip) -> Belief:
        latents = self.encode(clip)
        valid = torch.ones(latents.values.shape[:2], dtype=torch.bool)
        return Belief(latents.values[:, -1:], valid[:, -1:], (), latents.times_seconds[:, -1])

    def update(self, belief: Belief, clip: Clip, action: Tensor) -> Belief:
        return self.begin(clip)

    def imagine(self, belief: Belief, actions: Tensor, hypotheses: int = 1, beliefs: bool = False) -> Rollout:
        newest = belief.newest[:, 0]
        pose = torch.cat([newest[:, :2], torch.atan2(newest[:, 3:], newest[:, 2:3])], 1)[:, None].double().numpy()
        found = []
        for block in actions.double().numpy().swapaxes(0, 2).swapaxes(1, 2):
            pose = se2_compose(np.broadcast_to(pose, block.shape), block)
            found.append(pose_features(torch.from_numpy(pose)).float())
        return Rollout(torch.stack(found, 2)[:, :, None, :, None])


class Patrols:
    """Turning and going in the round room; a scan in five is missing."""

    def __init__(self, seed: int, count: int = 30, steps: int = 12) -> None:
        rng = np.random.default_rng(seed)
        self.clips = []
        for _ in range(count):
            poses = [rng.uniform([-1, -1, -3], [1, 1, 3])]
            motions = rng.uniform([0, -0.1, -0.4], [0.3, 0.1, 0.4], (steps - 1, 3))
            for motion in motions:
                poses.append(se2_compose(np.array(poses[-1:]), motion[None])[0])
            path = np.array(poses)
            scans = Stream.regular(torch.from_numpy(scan_in_a_round_room(path)).float()[None], 5.0)
            valid = torch.from_numpy(rng.random((1, steps)) > 0.2)
            scans = Stream(scans.values * valid[..., None], scans.times_seconds, valid)
            streams = {"pose": Stream.regular(torch.from_numpy(path).float()[None], 5.0), "scan": scans}
            self.clips.append(Clip(streams, Stream.regular(torch.from_numpy(motions).float()[None], 5.0)))

    def __len__(self) -> int:
        return len(self.clips)

    def clip(self, index: int) -> Clip:
        return self.clips[index]


def test_motions_and_scans_are_read_better_than_by_standing_still() -> None:
    score = score_space(Knowing(), Patrols(0, count=120), Patrols(1), (POSE, SCAN), CONFIG)
    rows = {row.metric: row for row in score.rows}
    assert set(rows) == {
        "motion/pose/translation_rmse",
        "motion/pose/rotation_rmse",
        "scan/scan/mae",
        "scan/scan/mae/0.2s",
        "scan/scan/mae/0.8s",
    }
    for name, unit in (("translation_rmse", "m"), ("rotation_rmse", "rad")):
        row = rows[f"motion/pose/{name}"]
        assert row.unit == unit
        assert row.value < 0.6 * row.floors["still"]
        assert row.n == 30 * 11
    turned = np.concatenate([clip.actions.values[0, :, 2].numpy() for clip in Patrols(1).clips if clip.actions])
    assert rows["motion/pose/rotation_rmse"].floors["still"] == pytest.approx(float(np.sqrt((turned**2).mean())), 1e-3)
    assert rows["scan/scan/mae"].value < 0.5 * rows["scan/scan/mae"].floors["mean"]
    assert rows["scan/scan/mae"].n < 30 * 12  # missing scans are no truth
    later = rows["scan/scan/mae/0.8s"]
    assert later.value < 0.7 * later.floors["copy_last"]
    assert rows["scan/scan/mae/0.2s"].floors["copy_last"] < later.floors["copy_last"]
    assert set(score.motions) == {"pose"}
    assert score.scans["scan"].beams == 12


def test_nothing_spatial_gives_no_rows() -> None:
    assert score_space(Knowing(), Patrols(0), Patrols(1), (), CONFIG).rows == ()
