"""The trunk of heads that look at what is seen here and at where one wants to be, seen from here."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monde.errors import ContractError
from monde.nn.goal_trunk import trunk_layers
from monde.types.checks import describe

BODY = 5
"""Last features of a placed latent: x, y, cos and sin of the yaw in the frame of a pose sensor, and how near to
anything the body came on the way there; metres."""
_RELATIVE = 6
_NEAR_M, _FAR_M = 0.3, 3.0


class PlaceTrunk(nn.Module):
    """As `GoalTrunk`, for latents that end in a body's pose (`monde.models.PlacedModel`).

    Of the goal only the place counts, turned into the robot's frame; of the present only what is seen. Nothing depends
    on where the frame's origin is.

    Args:
        features: N·D, numbers in the latent of one frame, the body's among them.
        hidden: Width of the hidden layers.
        depth: Hidden layers.
        outputs: Numbers that come out.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, features: int, hidden: int, depth: int, outputs: int) -> None:
        super().__init__()
        self.features = features
        self.register_buffer("mean", torch.zeros(features - BODY))
        self.register_buffer("std", torch.ones(features - BODY))
        self.here = nn.Linear(features - BODY, hidden)
        self.there = nn.Linear(_RELATIVE, hidden, bias=False)
        self.layers = trunk_layers(hidden, depth, outputs)

    def standardise(self, latents: Float[Tensor, "M F"]) -> None:
        """Take mean and spread of what is seen from a set of latents."""
        seen = latents[:, :-BODY]
        self.mean.copy_(seen.mean(0))
        std = seen.std(0)
        self.std.copy_(torch.where(std > 1e-6, std, torch.ones_like(std)))

    def forward(self, latents: Float[Tensor, "... N D"], goal: Float[Tensor, "... N D"]) -> Float[Tensor, "... o"]:
        """Outputs for latents and goals whose leading dimensions broadcast.

        Raises:
            ContractError: Latents of another size than it was made for.
        """
        here, there = (part.flatten(-2).to(self.mean.dtype) for part in (latents, goal))
        if here.shape[-1] != self.features:
            raise ContractError(
                "a head does not fit these latents",
                got=describe(latents),
                expected=f"N·D = {self.features}",
                remedy="use the actor and the temporal distance that were fitted on this model",
            )
        seen = (here[..., :-BODY] - self.mean) / self.std
        return self.layers(self.here(seen) + self.there(_from_here(here[..., -BODY:-1], there[..., -BODY:-1])))


def _from_here(pose: Float[Tensor, "... 4"], goal: Float[Tensor, "... 4"]) -> Float[Tensor, "... 6"]:
    """The goal's place in the robot's frame, as numbers of about one: near and far, and which way."""
    x, y = (goal[..., :2] - pose[..., :2]).unbind(-1)
    cos, sin = pose[..., 2], pose[..., 3]
    ahead, left = cos * x + sin * y, cos * y - sin * x
    far = torch.sqrt(ahead.square() + left.square() + 1e-6)
    near = torch.exp(-far / _NEAR_M)
    way = far + 0.1 * _NEAR_M
    numbers = (ahead / _FAR_M, left / _FAR_M, torch.log1p(far / _NEAR_M), ahead / way, left / way, near)
    return torch.stack(numbers, -1)
