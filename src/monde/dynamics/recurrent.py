"""Recurrent dynamics on a grid of tokens: the belief is a state that can hold for seconds what is out of sight.

A convolutional GRU (Ballas et al., arXiv 1511.06432; the vector GRU of Cho et al., arXiv 1406.1078, where a frame is
one token) in the place of RSSM's deterministic path (Hafner et al., arXiv 1811.04551), with no stochastic state:
several hypotheses are ensemble members, as in the other dynamics. Memory is of constant size however long the history.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monde.dynamics.base import Dynamics, check_hypotheses
from monde.errors import ContractError
from monde.nn import MLP, EnsembleMLP
from monde.types import Belief


@dataclass(frozen=True, kw_only=True)
class RecurrentDynamicsConfig:
    """Sizes.

    Args:
        latent: D.
        actions: A, width of an action block; may be 0.
        tokens: N, tokens a frame: a square grid.
        hidden: C, width of the memory of one token.
        head: Hidden width of the prediction's last layers, per ensemble member.
        members: Ensemble members (heads on the shared memory).

    Raises:
        ContractError: Tokens that are no square grid.
    """

    latent: int
    actions: int
    tokens: int = 16
    hidden: int = 128
    head: int = 256
    members: int = 2

    def __post_init__(self) -> None:
        if self.tokens < 1 or self.side**2 != self.tokens:
            raise ContractError("these tokens are no square grid", got=self.tokens, expected="1, 4, 9, 16, …")

    @property
    def side(self) -> int:
        """Tokens along one side."""
        return math.isqrt(self.tokens)


class RecurrentDynamics(Dynamics):
    """m' = GRU(m, [z, z - z_before, action]) over the grid; z' = z + head(m', z, z - z_before), one head a member.

    Where there was no frame before, the change is zero. The memory [B, N, C] is that after all frames *before* the
    newest; the newest latent and the action enter it together, when the next frame is predicted.
    """

    window = 2

    def __init__(self, config: RecurrentDynamicsConfig) -> None:
        super().__init__()
        self.members, self.side, self.hidden = config.members, config.side, config.hidden
        width, kernel = 2 * config.latent, 3 if config.side > 1 else 1
        self.action = MLP(config.actions, config.hidden, 3 * config.hidden)
        self.seen = nn.Conv2d(width, 3 * config.hidden, kernel, padding=kernel // 2)
        self.kept = nn.Conv2d(config.hidden, 3 * config.hidden, kernel, padding=kernel // 2, bias=False)
        self.first = nn.Parameter(torch.zeros(config.tokens, config.hidden))
        self.heads = EnsembleMLP(config.members, config.hidden + width, config.head, config.latent)

    def forward(self, latents: Float[Tensor, "B T N D"], actions: Float[Tensor, "B T A"]) -> Float[Tensor, "E B T N D"]:
        """Teacher-forced prediction by every member; see `Dynamics.forward`."""
        change = _changes(latents)
        memories = torch.stack(self._remember(latents, change, actions)[1:], dim=1)
        features = torch.cat([memories, latents.to(memories.dtype), change.to(memories.dtype)], dim=-1)
        return latents + self.heads(features.flatten(0, 2)).unflatten(1, latents.shape[:3])

    def begin(self, latents: Float[Tensor, "B T N D"], actions: Float[Tensor, "B U A"]) -> tuple[Tensor, ...]:
        """The memory [B, N, C] of all frames before the newest."""
        return self.begins(latents, actions, (latents.shape[1],))[0]

    def begins(
        self, latents: Float[Tensor, "B T N D"], actions: Float[Tensor, "B U A"], lengths: tuple[int, ...]
    ) -> tuple[tuple[Tensor, ...], ...]:
        """The memories after several lengths of history, in one pass."""
        seen = latents[:, : max(lengths) - 1]
        memories = self._remember(seen, _changes(seen), actions[:, : max(lengths) - 1])
        return tuple((memories[length - 1],) for length in lengths)

    def advance(self, belief: Belief, actions: Float[Tensor, "B A"]) -> tuple[Tensor, ...]:
        """The memory with the newest frame and `actions` in it."""
        change = _newest_change(belief)
        return (self._step(belief.memory[0], belief.newest, change, self.action(actions)),)

    def rollout(
        self, belief: Belief, actions: Float[Tensor, "B S H A"], hypotheses: int, memory: bool
    ) -> tuple[Float[Tensor, "B S K H N D"], tuple[Tensor, ...]]:
        """Imagined latents; see `Dynamics.rollout`."""
        B, S, H, _ = actions.shape
        K = hypotheses
        check_hypotheses(self, K, H)

        def repeated(tensor: Tensor) -> Tensor:
            return tensor.repeat_interleave(S * K, dim=0)

        conditions = self.action(actions)[:, :, None].expand(-1, -1, K, -1, -1).flatten(0, 2)  # [B·S·K, H, 3C]
        m, z, change = repeated(belief.memory[0]), repeated(belief.newest), repeated(_newest_change(belief))
        imagined = []
        for h in range(H):
            m = self._step(m, z, change, conditions[:, h])
            features = torch.cat([m, z.to(m.dtype), change.to(m.dtype)], dim=-1)
            change = self._head(features, K).to(z.dtype)
            z = z + change
            imagined.append(z)
        return torch.stack(imagined, dim=1).unflatten(0, (B, S, K)), (m,) if memory else ()

    def _head(self, features: Float[Tensor, "M N f"], K: int) -> Float[Tensor, "M N D"]:
        if K == 1:
            return self.heads(features.flatten(0, 1)).mean(0).unflatten(0, features.shape[:2])
        rows = features.unflatten(0, (-1, K)).transpose(0, 1)  # [K, M/K, N, f]: each follows one member
        found = self.heads.each(rows.flatten(1, 2)).unflatten(1, rows.shape[1:3])
        return found.transpose(0, 1).flatten(0, 1)

    def _remember(self, latents: Tensor, change: Tensor, actions: Tensor) -> list[Tensor]:
        """Memories [B, N, C] before the first frame, after it, after the second…"""
        B, T = latents.shape[:2]
        dtype = torch.bfloat16 if torch.is_autocast_enabled(latents.device.type) else latents.dtype
        memories = [self.first.to(dtype).expand(B, -1, -1)]
        if T == 0:
            return memories
        seen = self._look(latents.flatten(0, 1), change.flatten(0, 1)).unflatten(0, (B, T))
        seen = seen + self.action(actions)[:, :, None]
        for t in range(T):
            memories.append(self._gate(memories[-1], seen[:, t]))
        return memories

    def _step(self, m: Tensor, z: Tensor, change: Tensor, condition: Tensor) -> Tensor:
        return self._gate(m, self._look(z, change) + condition[:, None])

    def _look(self, z: Float[Tensor, "M N D"], change: Float[Tensor, "M N D"]) -> Float[Tensor, "M N G"]:
        return self._map(self.seen, torch.cat([z, change], dim=-1))

    def _gate(self, m: Tensor, seen: Tensor) -> Tensor:
        kept = self._map(self.kept, m)
        reset, update = torch.sigmoid(seen[..., : 2 * self.hidden] + kept[..., : 2 * self.hidden]).chunk(2, dim=-1)
        proposed = torch.tanh(seen[..., 2 * self.hidden :] + reset * kept[..., 2 * self.hidden :])
        return torch.lerp(proposed, m.to(proposed.dtype), update)

    def _map(self, layer: nn.Conv2d, tokens: Float[Tensor, "M N i"]) -> Float[Tensor, "M N o"]:
        # Tokens last in memory is what channels-last pictures are: neither permutation copies.
        grid = tokens.unflatten(1, (self.side, self.side)).permute(0, 3, 1, 2)
        return layer(grid).permute(0, 2, 3, 1).flatten(1, 2)


def _changes(latents: Float[Tensor, "B T N D"]) -> Float[Tensor, "B T N D"]:
    return torch.cat([torch.zeros_like(latents[:, :1]), latents[:, 1:] - latents[:, :-1]], dim=1)


def _newest_change(belief: Belief) -> Float[Tensor, "B N D"]:
    if belief.latents.shape[1] < 2:
        return torch.zeros_like(belief.newest)
    change = belief.newest - belief.latents[:, -2]
    return torch.where(belief.valid[:, -2, None, None], change, torch.zeros_like(change))
