"""LeWM's predictor as published: a causal transformer over a few frames, with learned absolute positions.

A frame's position is its place in the window, so keys and values can be kept only until the window slides; from then
on it is computed again at every step. What does not depend on the imagined actions is computed once for all samples.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monde.dynamics.base import Dynamics, check_hypotheses
from monde.dynamics.lewm_block import LewmBlock
from monde.errors import ContractError
from monde.nn import BatchNorm, KeyValues, infer
from monde.types import Belief
from monde.types.checks import describe


@dataclass(frozen=True, kw_only=True)
class LewmPredictorConfig:
    """Sizes and conventions of a published LeWM predictor (arXiv 2603.19312, section 3).

    Args:
        latent: D.
        actions: A, width of an action block.
        window: Frames of history, the newest included.
        hidden: Token width.
        outputs: Width that the transformer hands to the last projector.
        depth: Blocks.
        heads: Attention heads.
        head_width: Width of one head.
        mlp: Hidden width of the MLPs.
        smoothed: Width of the action embedding's first, linear layer.
        action_hidden: Width of its second.
        projector: Hidden width of the last projector.
        inner_norm: Whether attention and MLP begin with a norm of their own, after the modulation; attention then has
            no biases in its queries, keys and values.
        norm_eps: Epsilon of the final norm.
        dropout: Share of attention weights and hidden units dropped in training.
        residual_dropout: Share dropped of what a block adds.
    """

    latent: int = 192
    actions: int
    window: int = 3
    hidden: int = 192
    outputs: int = 192
    depth: int = 6
    heads: int = 16
    head_width: int = 64
    mlp: int = 2048
    smoothed: int = 10
    action_hidden: int = 768
    projector: int = 2048
    inner_norm: bool = True
    norm_eps: float = 1e-5
    dropout: float = 0.1
    residual_dropout: float = 0.1


@dataclass(frozen=True)
class _Window:
    """Frames given to the blocks: tokens [B, S, n, d], modulations [B, S, n, 6d] a block, keys and values before."""

    tokens: Tensor
    modulations: list[Tensor]
    past: list[KeyValues] | None


class LewmPredictor(Dynamics):
    """z' = projector(transformer(z and the frames before it, modulated by their actions))."""

    members = 1

    def __init__(self, config: LewmPredictorConfig) -> None:
        super().__init__()
        self.window = config.window
        self.positions = nn.Parameter(torch.randn(config.window, config.latent))
        self.action = nn.Sequential(
            nn.Linear(config.actions, config.smoothed),
            nn.Linear(config.smoothed, config.action_hidden),
            nn.SiLU(),
            nn.Linear(config.action_hidden, config.latent),
        )
        self.embed = _resize(config.latent, config.hidden)
        self.condition = _resize(config.latent, config.hidden)
        self.layers = [
            LewmBlock(
                config.hidden, config.heads, config.head_width, config.mlp, inner_norm=config.inner_norm,
                dropout=config.dropout, residual_dropout=config.residual_dropout,
            )
            for _ in range(config.depth)
        ]  # fmt: skip
        self.blocks = nn.ModuleList(self.layers)
        self.norm = nn.LayerNorm(config.hidden, eps=config.norm_eps)
        self.resize = _resize(config.hidden, config.outputs)
        self.ends = [nn.Linear(config.outputs, config.projector), nn.Linear(config.projector, config.latent)]
        self.projector = nn.Sequential(self.ends[0], BatchNorm(config.projector), nn.GELU(), self.ends[1])

    def forward(self, latents: Float[Tensor, "B T N D"], actions: Float[Tensor, "B T A"]) -> Float[Tensor, "E B T N D"]:
        """Teacher-forced, E = 1: each prediction sees the last `window` frames; see `Dynamics.forward`."""
        z, condition = _single(latents), self._condition(actions)
        B, T, _ = z.shape
        W = self.window
        first, _ = self._run(self._observed(z[:, :W], condition[:, :W]), newest=False)
        x = first[:, 0]
        if T > W:  # later frames see windows of their own: [B, T - W, W, d]
            windows = [tensor.unfold(1, W, 1)[:, 1:].transpose(2, 3) for tensor in (z, condition)]
            later, _ = self._run(self._observed(*(tensor.flatten(0, 1) for tensor in windows)), newest=True)
            x = torch.cat([x, later.reshape(B, T - W, -1)], dim=1)
        return self._predicted(x).to(z.dtype)[None, :, :, None]

    def begin(self, latents: Float[Tensor, "B T N D"], actions: Float[Tensor, "B U A"]) -> tuple[Tensor, ...]:
        """Action blocks [B, window-1, A] of the frames before the newest, padded at the front."""
        kept = self._newest(actions)
        return (nn.functional.pad(kept, (0, 0, self.window - 1 - kept.shape[1], 0)),)

    def advance(self, belief: Belief, actions: Float[Tensor, "B A"]) -> tuple[Tensor, ...]:
        """The action blocks with `actions` appended and the oldest dropped."""
        return (self._newest(torch.cat([belief.memory[0], actions[:, None]], dim=1)),)

    def rollout(
        self, belief: Belief, actions: Float[Tensor, "B S H A"], hypotheses: int, memory: bool
    ) -> tuple[Float[Tensor, "B S K H N D"], tuple[Tensor, ...]]:
        """Imagined latents, K = 1; see `Dynamics.rollout`."""
        B, S, H, _ = actions.shape
        check_hypotheses(self, hypotheses, H)
        seen = belief.valid.sum(dim=1)
        lengths = seen.unique().tolist()
        if len(lengths) == 1:
            imagined = self._imagine(belief, actions, lengths[0])
        else:  # rows whose histories are of one length go together
            imagined = belief.latents.new_zeros(B, S, H, belief.latents.shape[-1])
            for length in lengths:
                rows = seen == length
                imagined[rows] = self._imagine(belief.rows(rows), actions[rows], length)
        after = (self._remembered(belief, actions),) if memory else ()
        return imagined[:, :, None, :, None], after

    def _imagine(self, belief: Belief, actions: Tensor, length: int) -> Tensor:
        """[B, S, H, D] after histories of `length` frames, the newest included."""
        past_z = _single(belief.latents)[:, belief.latents.shape[1] - length : -1]
        past_actions = belief.memory[0][:, self.window - length :]
        past = past_z, self._condition(past_actions) if length > 1 else past_z
        condition = self._condition(actions)
        z = _single(belief.latents)[:, -1:, None].transpose(1, 2).expand(-1, actions.shape[1], -1, -1)
        modulations: list[list[Tensor]] = []  # of each imagined frame, in each block
        kvs: list[KeyValues] | None = None
        frames, imagined = z, []
        for h in range(actions.shape[2]):
            newest = [block.modulate(condition[:, :, h : h + 1]) for block in self.layers]
            modulations = [*modulations, newest][-self.window :]
            frames = frames[:, :, -self.window :]
            own, total = frames.shape[2], min(self.window, length + h)
            if h == 0 or length + h > self.window:  # every frame of the window has a new place
                kvs = self._shared(past[0], past[1], total - own)
                window = _Window(
                    self._embed(frames, total - own), [torch.cat(m, dim=2) for m in zip(*modulations)], kvs
                )
            else:
                window = _Window(self._embed(frames[:, :, -1:], total - 1), newest, kvs)
            x, kvs = self._run(window, newest=True)
            z = self._predicted(x.flatten(0, 1)).unflatten(0, x.shape[:2]).to(z.dtype)
            frames = torch.cat([frames, z], dim=2)
            imagined.append(z)
        return torch.cat(imagined, dim=2)

    def _shared(self, z: Tensor, condition: Tensor, count: int) -> list[KeyValues] | None:
        """Keys and values [B, 1, heads, count, h] of the newest `count` observed frames: the same for all samples."""
        if count == 0:
            return None
        start = z.shape[1] - count
        return self._run(self._observed(z[:, start:], condition[:, start:]), newest=True)[1]

    def _observed(self, z: Tensor, condition: Tensor) -> _Window:
        modulations = [block.modulate(condition[:, None]) for block in self.layers]
        return _Window(self._embed(z[:, None], 0), modulations, None)

    def _run(self, window: _Window, newest: bool) -> tuple[Tensor, list[KeyValues]]:
        """Features [B, S, n, outputs] of all frames, or of the newest alone (n = 1), and all keys and values."""
        x, kvs = window.tokens, []
        for depth, (block, modulation) in enumerate(zip(self.layers, window.modulations, strict=True)):
            past = None if window.past is None else window.past[depth]
            x, kv = block(x, modulation, past, newest and depth == len(self.layers) - 1)
            kvs.append(kv)
        return self.resize(self.norm(x)), kvs

    def _embed(self, z: Tensor, start: int) -> Tensor:
        return self.embed(z + self.positions[start : start + z.shape[-2]])

    def _condition(self, actions: Tensor) -> Tensor:
        return self.condition(self.action(actions))

    def _predicted(self, x: Tensor) -> Tensor:
        up, down = self.ends
        hidden = self.projector[1:3](infer(up, x.flatten(0, 1)))
        return infer(down, hidden).unflatten(0, x.shape[:2])

    def _remembered(self, belief: Belief, actions: Tensor) -> Tensor:
        before = belief.memory[0].repeat_interleave(actions.shape[1], dim=0)
        return self._newest(torch.cat([before, actions.flatten(0, 1)], dim=1))

    def _newest(self, actions: Tensor) -> Tensor:
        return actions[:, max(0, actions.shape[1] - (self.window - 1)) :]


def _resize(inputs: int, outputs: int) -> nn.Module:
    return nn.Linear(inputs, outputs) if inputs != outputs else nn.Identity()


def _single(latents: Tensor) -> Tensor:
    if latents.shape[2] != 1:
        raise ContractError("LeWM's predictor takes one token a frame", got=describe(latents), expected="N = 1")
    return latents[:, :, 0]
