"""Causal transformer dynamics with AdaLN action conditioning and cached keys and values.

After LeWM's predictor (arXiv 2603.19312, section 3) with three changes that planning needs: attention sees a sliding
window with rotary positions, so that a cached history equals a recomputed one at any length; the history's keys and
values are shared by all imagined continuations; the output is a step from the current latent.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from monde.dynamics.base import Dynamics, check_hypotheses
from monde.nn import MLP, AdaLNBlock, EnsembleMLP, KeyValues
from monde.types import Belief


@dataclass(frozen=True, kw_only=True)
class TransformerDynamicsConfig:
    """Sizes.

    Args:
        latent: D.
        actions: A, width of an action block.
        tokens: N, tokens a frame.
        window: Frames a frame may look at, itself included.
        hidden: Token width.
        depth: Blocks.
        heads: Attention heads.
        head_width: Width of one head.
        members: Ensemble members (heads on the shared trunk).
    """

    latent: int
    actions: int
    tokens: int = 1
    window: int = 4
    hidden: int = 192
    depth: int = 6
    heads: int = 16
    head_width: int = 64
    members: int = 3


class TransformerDynamics(Dynamics):
    """z' = z + head(transformer(z and what came before, action)), one head per ensemble member."""

    def __init__(self, config: TransformerDynamicsConfig) -> None:
        super().__init__()
        self.tokens, self.window, self.members = config.tokens, config.window, config.members
        self.embed = nn.Linear(config.latent, config.hidden)
        self.token_code = nn.Parameter(torch.zeros(config.tokens, config.hidden))
        self.action = MLP(config.actions, config.hidden, config.hidden)
        self.cache_heads, self.head_width = config.heads, config.head_width
        blocks = [
            AdaLNBlock(config.hidden, config.heads, 4 * config.hidden, config.hidden, config.head_width)
            for _ in range(config.depth)
        ]
        self.blocks = nn.ModuleList(blocks)
        self.layers = blocks  # the same modules, typed
        self.norm = nn.LayerNorm(config.hidden)
        # The step also sees the action directly: at the start of training the gated blocks pass nothing of it on.
        self.heads = EnsembleMLP(config.members, 2 * config.hidden, config.hidden, config.latent)

    def forward(self, latents: Float[Tensor, "B T N D"], actions: Float[Tensor, "B T A"]) -> Float[Tensor, "E B T N D"]:
        """Teacher-forced prediction by every member; see `Dynamics.forward`."""
        x, _ = self._observe(latents, actions)
        return self._step(latents, x.unflatten(1, latents.shape[1:3]), self.action(actions)[:, :, None])

    def begin(self, latents: Float[Tensor, "B T N D"], actions: Float[Tensor, "B U A"]) -> tuple[Tensor, ...]:
        """Keys and values [B, depth, heads, (window-1)·N, h] of the frames before the newest, padded at the front."""
        B = latents.shape[0]
        length = (self.window - 1) * self.tokens
        shape = (B, len(self.layers), self.cache_heads, length, self.head_width)
        if actions.shape[1] == 0:
            empty = latents.new_zeros(shape)
            return empty, empty
        _, kvs = self._observe(latents[:, :-1], actions)
        keys = torch.stack([kv.keys for kv in kvs], dim=1)[..., -length:, :] if length else latents.new_zeros(shape)
        values = torch.stack([kv.values for kv in kvs], dim=1)[..., -length:, :] if length else keys
        padding = (0, 0, length - keys.shape[-2], 0)
        return nn.functional.pad(keys, padding), nn.functional.pad(values, padding)

    def advance(self, belief: Belief, actions: Float[Tensor, "B A"]) -> tuple[Tensor, ...]:
        """The cache with the frame (newest latent, `actions`) appended and the oldest dropped."""
        _, own = self._imagine_step(belief.newest[:, None], self.action(actions)[:, None, None], belief, None)
        return self._append(belief, own)

    def rollout(
        self, belief: Belief, actions: Float[Tensor, "B S H A"], hypotheses: int, memory: bool
    ) -> tuple[Float[Tensor, "B S K H N D"], tuple[Tensor, ...]]:
        """Imagined latents; only each new step is computed, and the history is shared; see `Dynamics.rollout`."""
        _, S, H, _ = actions.shape
        K = hypotheses
        check_hypotheses(self, K, H)
        conditions = self.action(actions)[:, :, None].expand(-1, -1, K, -1, -1).flatten(1, 2)  # [B, S·K, H, d]
        z = belief.newest[:, None].expand(-1, S * K, -1, -1)
        own: list[KeyValues] | None = None
        imagined = []
        for h in range(H):
            condition = conditions[:, :, h, None]
            x, own = self._imagine_step(z, condition, belief, own)
            z = self._continue(z, x, condition, K)
            imagined.append(z)
        stacked = torch.stack(imagined, dim=2).unflatten(1, (S, K))
        if not memory or own is None:
            return stacked, ()
        repeated = belief.map(lambda tensor: tensor.repeat_interleave(S * K, dim=0))
        flat = [KeyValues(kv.keys.flatten(0, 1)[:, None], kv.values.flatten(0, 1)[:, None]) for kv in own]
        return stacked, self._append(repeated, flat)

    def _observe(self, latents: Tensor, actions: Tensor) -> tuple[Tensor, list[KeyValues]]:
        _, T, N, _ = latents.shape
        x = (self.embed(latents) + self.token_code).flatten(1, 2)
        condition = self.action(actions).repeat_interleave(N, dim=1)
        positions, mask = self._window_mask(T, latents.device)
        kvs = []
        for block in self.layers:
            x, kv = block(x, condition, positions, mask)
            kvs.append(kv)
        return self.norm(x), kvs

    def _window_mask(self, T: int, device: torch.device) -> tuple[Float[Tensor, " L"], Bool[Tensor, "L L"]]:
        frames = torch.arange(T, device=device).repeat_interleave(self.tokens)
        age = frames[:, None] - frames[None, :]
        return frames.float(), (age >= 0) & (age < self.window)

    def _imagine_step(
        self, z: Tensor, condition: Tensor, belief: Belief, own: list[KeyValues] | None
    ) -> tuple[Tensor, list[KeyValues]]:
        keys, values = belief.memory
        visible = belief.valid[:, -self.window : -1] if self.window > 1 else belief.valid[:, :0]
        visible = visible.repeat_interleave(self.tokens, dim=1)
        x = self.embed(z) + self.token_code
        grown = []
        for depth, block in enumerate(self.layers):
            shared = KeyValues(keys[:, depth], values[:, depth])
            past = None if own is None else own[depth]
            x, kv = block.continued(x, condition, shared, visible, past, self.tokens, self.window)
            grown.append(kv)
        return self.norm(x), grown

    def _append(self, belief: Belief, own: list[KeyValues]) -> tuple[Tensor, ...]:
        keys, values = belief.memory
        length = keys.shape[-2]
        if length == 0:
            return keys, values
        # own: per depth [B, 1, heads, L', h] → [B, depth, heads, L', h]
        new_keys = torch.cat([kv.keys for kv in own], dim=1).to(keys.dtype)
        new_values = torch.cat([kv.values for kv in own], dim=1).to(values.dtype)
        return (
            torch.cat([keys, new_keys], dim=-2)[..., -length:, :],
            torch.cat([values, new_values], dim=-2)[..., -length:, :],
        )

    def _step(self, z: Tensor, x: Tensor, condition: Tensor) -> Tensor:
        features = torch.cat([x, condition.expand(*x.shape[:-1], -1)], dim=-1)
        step = self.heads(features.flatten(0, -2)).unflatten(1, x.shape[:-1])
        return z + step

    def _continue(self, z: Tensor, x: Tensor, condition: Tensor, K: int) -> Tensor:
        if K == 1:
            return self._step(z, x, condition).mean(0).to(z.dtype)
        B, SK, N, _ = x.shape
        features = torch.cat([x, condition.expand(*x.shape[:-1], -1)], dim=-1)
        features = features.reshape(B, SK // K, K, N, -1).permute(2, 0, 1, 3, 4).reshape(K, B * (SK // K) * N, -1)
        step = self.heads.each(features).reshape(K, B, SK // K, N, -1).permute(1, 2, 0, 3, 4)
        return z + step.reshape(z.shape).to(z.dtype)
