"""A world model whose latents are the state and whose dynamics are known: what it predicts can be checked by hand."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from monde.types import ActionSpec, Belief, Clip, Latents, Rollout, Sensor, Stream

LOW, HIGH = 5.5, 58.5


class AnalyticModel:
    """Latent [x, y] in px, one token. Each control step adds `step` × action; the square's walls stop it.

    Hypothesis k moves `1 - 0.2·k` times as far. With `blind`, actions do nothing.
    """

    def __init__(self, block: int = 5, step: float = 2.0, blind: bool = False) -> None:
        self.sensors = (Sensor(name="state", kind="state", shape=(2,), unit="px", rate_hz=10.0, names=("x", "y")),)
        self.actions = ActionSpec(low=(-1.0, -1.0), high=(1.0, 1.0), block=block, dt_seconds=0.1)
        self.step = 0.0 if blind else step
        self.imagined_rows = 0

    def encode(self, clip: Clip) -> Latents:
        stream = clip.stream("state")
        return Latents(stream.values[:, :, None], stream.times_seconds)

    def begin(self, clip: Clip) -> Belief:
        latents = self.encode(clip)
        valid = torch.ones(latents.values.shape[:2], dtype=torch.bool)
        return Belief(latents.values[:, -1:], valid[:, -1:], (), latents.times_seconds[:, -1])

    def update(self, belief: Belief, clip: Clip, action: Tensor) -> Belief:
        self.actions.check(action)
        return self.begin(clip)

    def imagine(self, belief: Belief, actions: Tensor, hypotheses: int = 1, beliefs: bool = False) -> Rollout:
        B, S = actions.shape[:2]
        self.imagined_rows += B * S
        share = 1 - 0.2 * torch.arange(hypotheses)[:, None]
        place = belief.newest[:, 0].reshape(B, 1, 1, 2).expand(B, S, hypotheses, 2)
        found = []
        for block in actions.unbind(2):
            for control in block.reshape(B, S, 1, self.actions.block, 2).unbind(3):
                place = (place + self.step * share * control).clamp(LOW, HIGH)
            found.append(place)
        latents = torch.stack(found, 3)[..., None, :]
        if not beliefs:
            return Rollout(latents)
        after = belief.map(lambda tensor: tensor.repeat_interleave(S * hypotheses, 0))
        return Rollout(latents, replace(after, latents=latents.flatten(0, 2)[:, -1:]))


class WalkClips:
    """Random walks that obey `AnalyticModel` exactly, one clip an episode, with a picture nobody reads beside them."""

    def __init__(self, seed: int, count: int = 24, steps: int = 16, block: int = 5) -> None:
        generator = torch.Generator().manual_seed(seed)
        model = AnalyticModel(block)
        start = LOW + (HIGH - LOW) * torch.rand(count, 1, 2, generator=generator)
        mean = 2 * torch.rand(count, 1, 1, 2, generator=generator) - 1
        noise = torch.randn(count, steps - 1, block, 2, generator=generator)
        self.actions = (mean + noise).clamp(-1, 1).flatten(2)
        belief = model.begin(Clip({"state": Stream.regular(start, 2.0)}))
        walked = model.imagine(belief, self.actions[:, None]).latents[:, 0, 0, :, 0]
        self.states = torch.cat([start, walked], 1)

    def __len__(self) -> int:
        return len(self.states)

    def clip(self, index: int) -> Clip:
        states = Stream.regular(self.states[index : index + 1], 2.0)
        return Clip({"state": states}, Stream.regular(self.actions[index : index + 1], 2.0))


class GappyClips(WalkClips):
    """Walks beside whose state a sensor "truth" tells the same, with gaps: of each four frames the first is there, the
    second NaN, the third 0 and not valid, the fourth there; of the last `lost` clips it tells nothing."""

    def __init__(self, seed: int, lost: int = 0) -> None:
        super().__init__(seed)
        self.lost = lost

    def clip(self, index: int) -> Clip:
        clip = super().clip(index)
        state = clip.stream("state")
        frame = torch.arange(clip.steps) % 4
        values = state.values.clone()
        values[:, frame == 1], values[:, frame == 2] = torch.nan, 0.0
        there = (frame != 2) & (index < len(self) - self.lost)
        truth = replace(state, values=values, valid=there[None].expand_as(state.valid))
        return replace(clip, streams={**clip.streams, "truth": truth})


def belief_at(places: list[list[float]] | np.ndarray) -> Belief:
    """A belief of `AnalyticModel` at some places [B, 2]."""
    values = torch.as_tensor(places, dtype=torch.float32)[:, None]
    return AnalyticModel().begin(Clip({"state": Stream.regular(values, 2.0)}))
