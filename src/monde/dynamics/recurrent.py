"""Recurrent dynamics: the belief is a state of constant size that can hold for seconds what is out of sight.

A GRU (Cho et al., arXiv 1406.1078) in the place of RSSM's deterministic path (Hafner et al., arXiv 1811.04551), without
a stochastic state: several hypotheses are ensemble members, as in the other dynamics.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monde.dynamics.base import Dynamics, check_hypotheses, single_token
from monde.nn import MLP, EnsembleMLP, ResidualMLPBlock
from monde.types import Belief


@dataclass(frozen=True, kw_only=True)
class RecurrentDynamicsConfig:
    """Sizes.

    Args:
        latent: D.
        actions: A, width of an action block; may be 0.
        hidden: C, width of the memory.
        head: Width between memory and prediction.
        members: Ensemble members (heads on the shared memory).
    """

    latent: int
    actions: int
    hidden: int = 256
    head: int = 512
    members: int = 2


class RecurrentDynamics(Dynamics):
    """m' = GRU(m, [z, z - z_before, action]); z' = z + W (z - z_before) + head(m', z, z - z_before), one head per
    ensemble member. W begins as a share of the identity: what moved goes on moving.

    Where there was no frame before, the change is zero. The memory [B, C] is that after all frames *before* the newest;
    the newest latent and the action enter it together, when the next frame is predicted. One token a frame (N = 1).
    """

    window = 2
    recurrent = True
    goes_on = 0.3

    def __init__(self, config: RecurrentDynamicsConfig) -> None:
        super().__init__()
        self.members, self.hidden = config.members, config.hidden
        self.action = MLP(config.actions, config.hidden, 3 * config.hidden)
        self.seen = nn.Linear(2 * config.latent, 3 * config.hidden)
        self.kept = nn.Linear(config.hidden, 3 * config.hidden, bias=False)
        self.first = nn.Parameter(torch.zeros(config.hidden))
        self.drift = nn.Linear(config.latent, config.latent, bias=False)
        nn.init.eye_(self.drift.weight).data.mul_(self.goes_on)
        self.inwards = nn.Linear(config.hidden + 2 * config.latent, config.head)
        self.trunk = ResidualMLPBlock(config.head, config.head)
        self.heads = EnsembleMLP(config.members, config.head, config.head // 2, config.latent)

    def forward(self, latents: Float[Tensor, "B T N D"], actions: Float[Tensor, "B T A"]) -> Float[Tensor, "E B T N D"]:
        """Teacher-forced prediction by every member; see `Dynamics.forward`."""
        return self._followed(single_token(self, latents), actions)[0]

    def teacher_forced(
        self, latents: Float[Tensor, "B T N D"], actions: Float[Tensor, "B U A"], lengths: tuple[int, ...]
    ) -> tuple[Float[Tensor, "E B U N D"], tuple[tuple[Tensor, ...], ...]]:
        """`forward` and `begins` in one pass."""
        predicted, memories = self._followed(single_token(self, latents)[:, :-1], actions)
        return predicted, tuple((memories[length - 1],) for length in lengths)

    def begin(self, latents: Float[Tensor, "B T N D"], actions: Float[Tensor, "B U A"]) -> tuple[Tensor, ...]:
        """The memory [B, C] of all frames before the newest."""
        return self.begins(latents, actions, (latents.shape[1],))[0]

    def begins(
        self, latents: Float[Tensor, "B T N D"], actions: Float[Tensor, "B U A"], lengths: tuple[int, ...]
    ) -> tuple[tuple[Tensor, ...], ...]:
        """The memories after several lengths of history, in one pass."""
        before = max(lengths) - 1
        z = single_token(self, latents)[:, :before]
        memories = self._remember(z, _changes(z), actions[:, :before])
        return tuple((memories[length - 1],) for length in lengths)

    def advance(self, belief: Belief, actions: Float[Tensor, "B A"]) -> tuple[Tensor, ...]:
        """The memory with the newest frame and `actions` in it."""
        z, change = self._newest(belief)
        return (self._gate(belief.memory[0], self._look(z, change) + self.action(actions)),)

    def rollout(
        self, belief: Belief, actions: Float[Tensor, "B S H A"], hypotheses: int, memory: bool
    ) -> tuple[Float[Tensor, "B S K H N D"], tuple[Tensor, ...]]:
        """Imagined latents; see `Dynamics.rollout`."""
        B, S, H, _ = actions.shape
        K = hypotheses
        check_hypotheses(self, K, H)
        conditions = self.action(actions)[:, :, None].expand(-1, -1, K, -1, -1).flatten(0, 2)  # [B·S·K, H, 3C]
        m, z, change = (tensor.repeat_interleave(S * K, dim=0) for tensor in (belief.memory[0], *self._newest(belief)))
        imagined = []
        for h in range(H):
            m = self._gate(m, self._look(z, change) + conditions[:, h])
            change = (self.drift(change) + self._step(self._features(m, z, change), K)).to(z.dtype)
            z = z + change
            imagined.append(z)
        return torch.stack(imagined, dim=1)[:, :, None].unflatten(0, (B, S, K)), (m,) if memory else ()

    def _followed(self, z: Float[Tensor, "B T D"], actions: Tensor) -> tuple[Float[Tensor, "E B T 1 D"], list[Tensor]]:
        """Each frame's successor, and the memories before the first and after each."""
        change = _changes(z)
        memories = self._remember(z, change, actions)
        features = self._features(torch.stack(memories[1:], dim=1), z, change)
        step = self.heads(features.flatten(0, 1)).unflatten(1, z.shape[:2])
        return (z + self.drift(change) + step)[:, :, :, None], memories

    def _step(self, features: Float[Tensor, "M f"], K: int) -> Float[Tensor, "M D"]:
        if K == 1:
            return self.heads(features).mean(0)
        rows = features.unflatten(0, (-1, K)).transpose(0, 1)  # [K, M/K, f]: each follows one member to the end
        return self.heads.each(rows).transpose(0, 1).flatten(0, 1)

    def _features(self, m: Tensor, z: Tensor, change: Tensor) -> Float[Tensor, "*lead f"]:
        return self.trunk(self.inwards(torch.cat([m, z.to(m.dtype), change.to(m.dtype)], dim=-1)))

    def _remember(self, z: Float[Tensor, "B T D"], change: Float[Tensor, "B T D"], actions: Tensor) -> list[Tensor]:
        """Memories [B, C] before the first frame, after it, after the second…"""
        memories = [self.first.expand(len(z), -1)]
        # What is seen enters linearly, so that it is computed for all frames at once; only what is kept takes turns.
        seen = self._look(z, change) + self.action(actions) if z.shape[1] else None
        for t in range(z.shape[1]):
            assert seen is not None
            memories.append(self._gate(memories[-1], seen[:, t]))
        return memories

    def _look(self, z: Tensor, change: Tensor) -> Float[Tensor, "*lead G"]:
        return self.seen(torch.cat([z, change], dim=-1))

    def _gate(self, m: Float[Tensor, "M C"], seen: Float[Tensor, "M G"]) -> Float[Tensor, "M C"]:
        C, kept = self.hidden, self.kept(m)
        reset, update = torch.sigmoid(seen[:, : 2 * C] + kept[:, : 2 * C]).chunk(2, dim=-1)
        proposed = torch.tanh(seen[:, 2 * C :] + reset * kept[:, 2 * C :])
        return torch.lerp(proposed.float(), m.float(), update.float())

    def _newest(self, belief: Belief) -> tuple[Float[Tensor, "B D"], Float[Tensor, "B D"]]:
        z = single_token(self, belief.latents)
        change = z[:, -1] - z[:, -2]
        return z[:, -1], torch.where(belief.valid[:, -2, None], change, torch.zeros_like(change))


def _changes(z: Float[Tensor, "B T D"]) -> Float[Tensor, "B T D"]:
    return torch.cat([torch.zeros_like(z[:, :1]), z[:, 1:] - z[:, :-1]], dim=1)
