"""`PointModel`: a latent world model of how one seen point moves on, learned without labels.

A window of positions is taken to a latent by linear filters over time; the latent moves on by a mixture of affine
maps; a linear readout tells how far the point moves. A small network chooses which map holds:
so a flight can be told to a thousandth, and a bounce is a change of map. Nothing of mechanics is built in:
no gravity, no restitution, no place of the floor. What is built in is symmetry: horizontal directions are alike, so
both horizontal axes share all weights and have no constant term, and gates see lengths only; and away from the ground
steady motion is like rest (Galileo), so there gates and maps see how a path bends, not how fast it is. Without it, a
model of juggled balls learned that a certain speed of falling brings a hand, and stopped other balls in mid-air.

Mixtures of linear maps chosen by a network: Jacobs et al. 1991, "Adaptive mixtures of local experts"; latent
prediction: LeCun 2022, "A Path Towards Autonomous Machine Intelligence".
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monde.errors import ContractError
from monde.nn import MLP

HEIGHTS_METRES = (0.01, 0.03, 0.1)
"""Scales at which heights are told apart. A floor is felt within these."""
LARGEST_LATENT = 8.0
"""Imagined latents are held within this many standard deviations of those seen."""


@dataclass(frozen=True, kw_only=True)
class PointModelConfig:
    """Sizes.

    Args:
        window: Frames of history that are seen.
        spans: Numbers of the latent, per axis, that are taken from how many of the newest frames: (frames, numbers).
        experts: Maps to choose between.
        hidden: Width of the network that chooses.
        horizons: Frames ahead at which the model tells its expected error.
    """

    window: int = 30
    spans: tuple[tuple[int, int], ...] = ((8, 2), (30, 3))
    experts: int = 4
    hidden: int = 48
    horizons: tuple[int, ...] = (1, 2, 3, 4, 5, 8, 13, 20, 30, 45, 60, 90)

    @property
    def latent(self) -> int:
        """D, numbers per axis."""
        return sum(numbers for _, numbers in self.spans)


@dataclass(frozen=True)
class PointBelief:
    """What is carried on.

    Args:
        position: [B, 3] metres, where the point is.
        latent: [B, 3, D], how it moves.
    """

    position: Float[Tensor, "B 3"]
    latent: Float[Tensor, "B 3 D"]


class PointModel(nn.Module):
    """See the module. Positions are metres, the third axis upwards, heights counted from where training's were.

    Attributes:
        config: Its sizes.
        rate_hz: Frames per second of what it was trained on.
    """

    basis: Tensor
    step_metres: Tensor
    inertial: Tensor

    def __init__(self, config: PointModelConfig, rate_hz: float) -> None:
        super().__init__()
        self.config, self.rate_hz = config, rate_hz
        W, D, K, N = config.window, config.latent, config.experts, config.hidden
        self.register_buffer("basis", torch.zeros(W - 1, D))
        self.register_buffer("step_metres", torch.ones(()))
        self.register_buffer("inertial", torch.zeros(D))
        looks = 4 * D + len(HEIGHTS_METRES)
        wide = 2 * D + len(HEIGHTS_METRES) + 1  # the last ones, heights and a constant, are the vertical axis's alone
        self.choose_map = MLP(looks, N, K)
        self.maps = nn.Parameter(torch.zeros(K, wide, D))
        self.readout = nn.Parameter(torch.zeros(D))
        self.doubt = MLP(looks, N, 2 * len(config.horizons))

    def begin(self, windows: Float[Tensor, "B W 3"]) -> PointBelief:
        """The belief after windows of positions in metres.

        Raises:
            ContractError: Windows of another length, or positions that are not finite.
        """
        if windows.shape[1] != self.config.window or not bool(torch.isfinite(windows).all()):
            raise ContractError(
                "these windows cannot be seen by the model",
                got=f"{list(windows.shape)}, finite: {bool(torch.isfinite(windows).all())}",
                expected=f"[B, {self.config.window}, 3] of finite positions",
                remedy="cut windows out of stretches without a gap",
            )
        now = windows[:, -1]
        return PointBelief(now, torch.einsum("bwa,wd->bad", windows[:, :-1] - now[:, None], self.basis))

    def advance(self, belief: PointBelief) -> PointBelief:
        """The belief one frame later, nothing seen."""
        heights = self.heights(belief.position)
        gates = self.choose_map(self.look(belief, heights)).softmax(-1)
        chosen = (gates @ self.maps.flatten(1)).unflatten(-1, self.maps.shape[1:])
        latent = (belief.latent + self.inputs(belief, heights) @ chosen).clamp(-LARGEST_LATENT, LARGEST_LATENT)
        return PointBelief(belief.position + (latent @ self.readout) * self.step_metres, latent)

    def imagine(self, belief: PointBelief, frames: int) -> Float[Tensor, "B H 3"]:
        """Positions in metres over the next `frames` frames, by its own predictions."""
        return torch.stack([b.position for b in self.beliefs(belief, frames)], 1)

    def beliefs(self, belief: PointBelief, frames: int) -> list[PointBelief]:
        """The beliefs over the next `frames` frames."""
        found = []
        for _ in range(frames):
            belief = self.advance(belief)
            found.append(belief)
        return found

    def expected_error(self, belief: PointBelief) -> Float[Tensor, "B J 2"]:
        """How far off imagination will be at each of `config.horizons`, in metres: horizontally and vertically.

        The scale of a Student t distribution of 3 degrees of freedom.
        """
        logs = self.doubt(self.look(belief, self.heights(belief.position)))
        return torch.exp(logs.clamp(-6.0, 9.0).reshape(len(logs), -1, 2)) * 1e-3

    def heights(self, position: Float[Tensor, "B 3"]) -> Float[Tensor, "B J"]:
        """The height at several scales."""
        return torch.tanh(position[:, 2:] / position.new_tensor(HEIGHTS_METRES))

    def look(self, belief: PointBelief, heights: Float[Tensor, "B J"]) -> Float[Tensor, "B L"]:
        """What gates see: how the motion bends, and close to the ground how fast it is.

        Never where the point is horizontally, or which way it faces.
        """
        bent = self._bent(belief.latent)
        near = 1 - heights[:, -1:]
        shown = torch.cat([_lengths(bent), bent[:, 2], near * _lengths(belief.latent), near * belief.latent[:, 2]], -1)
        return torch.cat([torch.asinh(2.0 * shown), heights], -1)

    def inputs(self, belief: PointBelief, heights: Float[Tensor, "B J"]) -> Float[Tensor, "B 3 I"]:
        """What maps act on: how the motion bends; close to the ground all of it; vertically heights and a constant."""
        near = 1 - heights[:, -1:, None]
        extra = torch.cat([heights, torch.ones_like(heights[:, :1])], -1)[:, None]
        upwards = torch.cat([extra * 0, extra * 0, extra], 1)
        return torch.cat([self._bent(belief.latent), near * belief.latent, upwards], -1)

    def _bent(self, latent: Tensor) -> Tensor:
        """The latent without its part that steady motion has: what a change of inertial frame leaves as it is."""
        return latent - (latent @ self.inertial)[..., None] * self.inertial


def _lengths(latent: Float[Tensor, "B 3 D"]) -> Float[Tensor, "B D"]:
    """Horizontal lengths."""
    return (latent[:, :2].square().sum(1) + 1e-4).sqrt()
