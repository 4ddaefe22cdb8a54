"""Residual MLP dynamics, for the smallest size: the newest latent, how it last changed, and the action."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monde.dynamics.base import Dynamics, check_hypotheses, single_token
from monde.nn import MLP, EnsembleMLP, ResidualMLPBlock
from monde.types import Belief


@dataclass(frozen=True, kw_only=True)
class MLPDynamicsConfig:
    """Sizes.

    Args:
        latent: D.
        actions: A, width of an action block.
        hidden: Width of the trunk.
        depth: Residual blocks.
        members: Ensemble members (heads on the shared trunk).
    """

    latent: int
    actions: int
    hidden: int = 256
    depth: int = 2
    members: int = 3


class MLPDynamics(Dynamics):
    """z' = z + head(trunk([z, z - z_before, action])), one head per ensemble member.

    The change since the frame before stands for velocity, so second-order worlds can be learned without attention;
    where there was no frame before, it is zero. One token a frame (N = 1).
    """

    window = 2

    def __init__(self, config: MLPDynamicsConfig) -> None:
        super().__init__()
        self.members = config.members
        self.action = MLP(config.actions, config.hidden, config.hidden)
        self.state = nn.Linear(2 * config.latent, config.hidden)
        self.blocks = nn.Sequential(*(ResidualMLPBlock(config.hidden, 2 * config.hidden) for _ in range(config.depth)))
        self.norm = nn.LayerNorm(config.hidden)
        self.heads = EnsembleMLP(config.members, config.hidden, config.hidden // 2, config.latent)

    def forward(self, latents: Float[Tensor, "B T N D"], actions: Float[Tensor, "B T A"]) -> Float[Tensor, "E B T N D"]:
        """Teacher-forced prediction by every member; see `Dynamics.forward`."""
        z = single_token(self, latents)
        B, T, D = z.shape
        change = torch.cat([torch.zeros_like(z[:, :1]), z[:, 1:] - z[:, :-1]], dim=1)
        trunk = self._trunk(z, change, self.action(actions))
        step = self.heads(trunk.reshape(B * T, -1)).reshape(self.members, B, T, D)
        return (z + step)[:, :, :, None]

    def begin(self, latents: Float[Tensor, "B T N D"], actions: Float[Tensor, "B U A"]) -> tuple[Tensor, ...]:
        """Nothing: the two newest latents of the belief are all this dynamics uses."""
        return ()

    def advance(self, belief: Belief, actions: Float[Tensor, "B A"]) -> tuple[Tensor, ...]:
        """Nothing to carry."""
        return ()

    def rollout(
        self, belief: Belief, actions: Float[Tensor, "B S H A"], hypotheses: int, memory: bool
    ) -> tuple[Float[Tensor, "B S K H N D"], tuple[Tensor, ...]]:
        """Imagined latents; see `Dynamics.rollout`."""
        B, S, H, _ = actions.shape
        K = hypotheses
        check_hypotheses(self, K, H)
        z = single_token(self, belief.latents[:, -1:])[:, 0]
        before = single_token(self, belief.latents[:, -2:-1])[:, 0] if belief.latents.shape[1] > 1 else z
        seen = belief.valid[:, -2:-1] if belief.latents.shape[1] > 1 else belief.valid[:, -1:]
        change = torch.where(seen, z - before, torch.zeros_like(z))
        # Every sequence starts from the same state: rows become [K, B·S, D] only after the first step.
        embedded = self.action(actions).transpose(0, 2).transpose(1, 2).reshape(H, 1, B * S, -1)
        z = z[:, None].expand(B, S, -1).reshape(1, B * S, -1).expand(K, -1, -1)
        change = change[:, None].expand(B, S, -1).reshape(1, B * S, -1).expand(K, -1, -1)
        imagined = []
        for h in range(H):
            trunk = self._trunk(z, change, embedded[h])
            # One hypothesis is the ensemble's mean; several follow one member each, to the end.
            change = self.heads(trunk[0]).mean(0, keepdim=True) if K == 1 else self.heads.each(trunk)
            change = change.to(z.dtype)
            z = z + change
            imagined.append(z)
        stacked = torch.stack(imagined, dim=2)  # [K, B·S, H, D]
        return stacked.reshape(K, B, S, H, 1, -1).permute(1, 2, 0, 3, 4, 5), ()

    def _trunk(self, z: Tensor, change: Tensor, action: Tensor) -> Tensor:
        return self.norm(self.blocks(self.state(torch.cat([z, change], dim=-1)) + action))
