"""Ego-motion: how a body has moved between two frames, read from their latents."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from monde.errors import ContractError, StoreError
from monde.nn import pose_features
from monde.readouts.mlp import MLPReadout, MLPReadoutConfig, fit_mlp
from monde.spatial import from_matrix
from monde.store import load_artefact, save_artefact
from monde.types.checks import describe


@dataclass(frozen=True, kw_only=True)
class MotionReadout:
    """The pose at a second frame as seen from the first: SE(2) (x, y, yaw) or SE(3) (x, y, z, qx, qy, qz, qw).

    The network tells yaw by its cosine and sine and a rotation by two columns of its matrix, which have no jumps (Zhou
    et al. 2019, arXiv 1812.07035); they are made orthonormal afterwards.

    Args:
        name: Of the pose.
        planar: Whether it is in SE(2).
        network: Two hidden layers, on both latents and their difference.
    """

    name: str
    planar: bool
    network: MLPReadout

    def __call__(self, first: Float[Tensor, "... N D"], second: Float[Tensor, "... N D"]) -> Float[Tensor, "... n"]:
        """[..., 3] or [..., 7]: metres, radians or a unit quaternion.

        Raises:
            ContractError: Latents of another size than it was fitted on, or that do not line up.
        """
        return told(self.network.read(both(first, second)), self.planar)

    def to(self, device: torch.device | str) -> "MotionReadout":
        """The same readout on another device."""
        return replace(self, network=self.network.to(device))

    def save(self, folder: Path) -> None:
        """Write it as an artefact of kind "readout"; raises StoreError if `folder` exists."""
        meta = {"type": "motion", "name": self.name, "planar": self.planar}
        save_artefact(folder, "readout", self.network.state(), meta)

    @classmethod
    def load(cls, folder: Path) -> "MotionReadout":
        """Read it back; raises StoreError if it is missing, altered or another type of readout."""
        artefact = load_artefact(folder, "readout")
        if artefact.meta.get("type") != "motion":
            raise StoreError(f"{folder} is no motion readout", got=artefact.meta.get("type"), expected="motion")
        network = MLPReadout.from_state(artefact.tensors)
        return cls(name=str(artefact.meta.get("name")), planar=artefact.meta.get("planar") is True, network=network)


def fit_motion(
    first: Float[Tensor, "n N D"],
    second: Float[Tensor, "rows N D"],
    motions: Float[Tensor, "steps k"],
    *,
    name: str = "pose",
    config: MLPReadoutConfig | None = None,
) -> MotionReadout:
    """Fit a readout of motions between pairs of frames, in the order of episodes.

    Args:
        first: Latents of the first frames.
        second: Of the second ones.
        motions: The true poses of the second as seen from the first, [n, 3] or [n, 7] (`monde.spatial.relative`,
            or `se2_compose(se2_inverse(a), b)`).
        name: Of the pose.
        config: How it is fitted.

    Raises:
        ContractError: Motions of another width, or latents that do not line up.
        DataError: Fewer than 10 pairs, or numbers that are not finite.
    """
    if motions.shape[1] not in {3, 7}:
        raise ContractError("these are no motions", got=describe(motions), expected="[n, 3] or [n, 7]")
    values = pose_features(motions.to(first.device).float())
    return MotionReadout(name=name, planar=motions.shape[1] == 3, network=fit_mlp(both(first, second), values, config))


def both(first: Float[Tensor, "... N D"], second: Float[Tensor, "... N D"]) -> Float[Tensor, "... F"]:
    """What the network sees of two frames."""
    if first.shape != second.shape:
        raise ContractError("these frames do not line up", got=f"{describe(first)} and {describe(second)}")
    a, b = first.flatten(-2).float(), second.flatten(-2).float()
    return torch.cat([a, b, b - a], dim=-1)


def told(features: Float[Tensor, "... k"], planar: bool) -> Float[Tensor, "... n"]:
    """Poses from continuous features: what `monde.nn.pose_features` made of them; no gradient leads to quaternions.

    Raises:
        ContractError: Columns of a rotation that point the same way or nowhere.
    """
    if planar:
        yaw = torch.atan2(features[..., 3], features[..., 2])
        return torch.cat([features[..., :2], yaw[..., None]], dim=-1)
    columns = features[..., 3:].detach().cpu().double()
    one = torch.nn.functional.normalize(columns[..., :3], dim=-1)
    other = columns[..., 3:] - (one * columns[..., 3:]).sum(-1, keepdim=True) * one
    other = torch.nn.functional.normalize(other, dim=-1)
    matrix = torch.stack([one, other, torch.cross(one, other, dim=-1)], dim=-1)
    return torch.cat([features[..., :3], torch.from_numpy(from_matrix(matrix.numpy())).to(features)], dim=-1)
