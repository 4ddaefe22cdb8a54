"""Relative pose of two scans: least squares over beams, each weighed by a network that has learned which to believe.

How the range along a beam changes with a small motion is geometry (range flow: Jaimez, Monroy and Gonzalez-Jimenez
2016, "Planar odometry from a radial laser scanner"): what is learned is which beams tell of motion, and which of things
that came into view, of edges and of leaves.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from monde.spatial import se2_compose, warp_scan
from monde.store import load_module, save_module
from monde.types.geometry import ScanGeometry

KIND = "scan_matcher"
CHANNELS = 6
_SURFACE = 0.15
"""Ranges of neighbouring beams on one surface differ by less than this share."""
_STEEP = 8.0
"""Slopes of a range, in ranges a radian, at most."""


@dataclass(frozen=True, kw_only=True)
class ScanMatcherConfig:
    """Sizes.

    Args:
        width: Channels.
        iterations: Times that the motion is found anew around the last.
    """

    width: int = 24
    iterations: int = 6


@dataclass(frozen=True)
class Flow:
    """Pairs of scans around a guessed motion.

    Args:
        rows: [n, R, 3] what a small motion (ahead, left, turn) does to the gap of each beam.
        gaps: [n, R] metres between the second scan and the first as it would look there, across the surface.
        channels: [n, CHANNELS, R] what the weights are told by.
        usable: [n, R] 1 where there is a gap to speak of, else 0.
    """

    rows: Float[Tensor, "n R 3"]
    gaps: Float[Tensor, "n R"]
    channels: Float[Tensor, "n C R"]
    usable: Float[Tensor, "n R"]


def flow(
    first: Float[np.ndarray, "n R"],
    second: Float[np.ndarray, "n R"],
    geometry: ScanGeometry,
    motion: Float[np.ndarray, "n 3"],
) -> Flow:
    """The pairs, around a guess of the second scanner pose in the first's frame."""
    there, filled = warp_scan(first, geometry, motion)
    hit = (second > 0) & (second < geometry.most_m)
    angles = geometry.start_rad + geometry.step_rad * np.arange(first.shape[1])
    near = np.maximum(there, 0.05)
    slope = np.gradient(near, angles, axis=1) / near
    sides = np.abs(np.diff(near, axis=1)) < _SURFACE * np.minimum(near[:, 1:], near[:, :-1])
    smooth = np.pad(sides, ((0, 0), (1, 0)), constant_values=True) & np.pad(
        sides, ((0, 0), (0, 1)), constant_values=True
    )
    slope = slope.clip(-_STEEP, _STEEP)
    across = 1 / np.sqrt(1 + slope**2)
    cos, sin = np.cos(angles), np.sin(angles)
    rows = np.stack([-cos - slope * sin, -sin + slope * cos, slope * near], -1) * across[..., None]
    gaps = (second - there) * across
    usable = filled & hit & smooth
    gaps = np.where(usable, gaps, 0.0)
    size = np.sign(gaps) * np.log1p(np.abs(gaps) / 0.02)
    share = np.sign(gaps) * np.log1p(20 * np.abs(gaps) / near)
    told = np.stack([size / 3, share / 3, slope / 3, np.log(near) / 3, usable, filled], 1)
    return Flow(*(torch.from_numpy(part.astype(np.float32)) for part in (rows, gaps, told, usable)))


class ScanMatcher(nn.Module):
    """Weights of beams, and the motion that they make least squares; see `monde.training.fit_scan_matcher`."""

    def __init__(self, config: ScanMatcherConfig) -> None:
        super().__init__()
        self.config = config
        W = config.width
        self.enter = nn.Conv1d(CHANNELS, W, 5, padding=2)
        self.deeper = nn.Conv1d(2 * W, W, 5, padding=4, dilation=2)
        self.leave = nn.Conv1d(W, 1, 5, padding=2)
        self.damping = nn.Parameter(torch.tensor([-2.0, -2.0, -2.0]))

    def forward(self, pairs: Flow) -> Float[Tensor, "n 3"]:
        """The small motion that closes the gaps."""
        x = nn.functional.gelu(self.enter(pairs.channels))
        # Beside each beam, what most of them say.
        x = torch.cat([x, x.mean(-1, keepdim=True).expand_as(x)], 1)
        x = nn.functional.gelu(self.deeper(x))
        weights = torch.sigmoid(self.leave(x)[:, 0]) * pairs.usable
        rows = pairs.rows.double()
        weighed = rows * weights[..., None].double()
        normal = weighed.transpose(1, 2) @ rows + torch.diag(self.damping.exp().double())
        moments = (weighed * pairs.gaps[..., None].double()).sum(1)
        return torch.linalg.solve(normal, moments).float()

    @torch.no_grad()
    def match(
        self,
        first: Float[np.ndarray, "n R"],
        second: Float[np.ndarray, "n R"],
        geometry: ScanGeometry,
        guess: Float[np.ndarray, "n 3"],
    ) -> Float[np.ndarray, "n 3"]:
        """Second scanner poses (x, y, yaw) in the first ones' frames, found from a guess."""
        motion = np.asarray(guess, dtype=np.float64)
        for _ in range(self.config.iterations):
            motion = se2_compose(motion, self(flow(first, second, geometry, motion)).numpy().astype(np.float64))
        return motion

    def save(self, folder: Path, of: str) -> None:
        """Write it as an artefact; `of` names the weights of the model that it stands beside.

        Raises:
            StoreError: `folder` exists, or the disk is full or read-only.
        """
        save_module(folder, KIND, self, self.config, of)

    @classmethod
    def load(cls, folder: Path, of: str | None = None) -> "ScanMatcher":
        """Read it back, in evaluation mode.

        Raises:
            StoreError: Missing, altered, or standing beside another model than `of`.
        """
        what = f"the scan matcher in {folder} stands beside another model"
        return load_module(folder, KIND, cls, ScanMatcherConfig, of, what, "fit it again on this run")
