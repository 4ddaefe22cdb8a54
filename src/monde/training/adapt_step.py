"""One step of adapting an encoder: what is seen otherwise must come to lie where the old model would have put it.

Three teachers, none of which needs labels or pairs:

- the old encoder on old frames: what it makes of them as they are, the new one must make of them as they are, and of
  them in another look (`monde.training.looks`, `monde.training.repaint`), where both show the same by construction;
- the old dynamics and an inverse model on new frames: what was done must lead from one latent to the next;
- the spread of the old latents: those of the new frames should be distributed alike (sliced Wasserstein distance).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Generator, Tensor, nn

from monde.models import JEPA
from monde.objectives.inverse import InverseDynamics
from monde.types import Clip, Stream

DIRECTIONS = 128
"""Of the sliced Wasserstein distance."""


@dataclass(frozen=True, kw_only=True)
class AdaptWeights:
    """Weights of what is minimised, each in units of the latents' variance.

    Args:
        kept: Old frames as they are.
        looked: Old frames in another look.
        predicted: New frames under the old dynamics.
        inverse: New frames under the inverse model.
        spread: Distribution of new latents.
    """

    kept: float = 1.0
    looked: float = 1.0
    predicted: float = 1.0
    inverse: float = 1.0
    spread: float = 1.0


class AdaptStep(nn.Module):
    """Clips to losses.

    Attributes:
        model: The model that is adapted; its dynamics stay as they were.
        inverse: Which action led from one old latent to the next; fitted before, then frozen.
    """

    def __init__(self, model: JEPA, inverse: InverseDynamics) -> None:
        super().__init__()
        self.model = model
        self.inverse = inverse

    def forward(
        self,
        kept: Clip,
        looked: Clip,
        wanted: Float[Tensor, "M N D"],
        new: Clip | None,
        weights: AdaptWeights,
        generator: Generator,
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """The loss, and its parts.

        Args:
            kept: [M, 1] old frames.
            looked: [M, 1] the same in another look.
            wanted: The old encoder's latents of them.
            new: [B, T] new frames with what was done, or none.
            weights: Of the parts.
            generator: Draws directions.
        """
        clips = [kept, looked] if new is None else [kept, looked, singles(new)]
        found = self.model.encode(joined(clips)).values[:, 0]
        latents = list(found.split([clip.batch for clip in clips]))
        parts = {"kept": (latents[0] - wanted).square().mean(), "looked": (latents[1] - wanted).square().mean()}
        if new is not None:
            moved = latents[2].unflatten(0, (new.batch, new.steps))
            parts |= self._consistent(moved, new)
            parts["spread"] = apart(latents[2].flatten(0, 1), wanted.flatten(0, 1), generator)
        total = torch.stack([getattr(weights, name) * part for name, part in parts.items()]).sum()
        return total, {name: part.detach() for name, part in parts.items()}

    def _consistent(self, latents: Float[Tensor, "B T N D"], new: Clip) -> dict[str, Tensor]:
        B, T = latents.shape[:2]
        if new.actions is None or self.model.actions.unactuated:
            actions = latents.new_zeros(B, T - 1, self.model.actions.width)
        else:
            actions = self.model.normalise(new.actions.values.to(latents.device))
        error = prediction_error(self.model, latents, actions)
        if not self.model.actions.width:
            return {"predicted": error}
        return {"predicted": error, "inverse": self.inverse(latents, actions)}


def prediction_error(model: JEPA, latents: Float[Tensor, "B T N D"], actions: Float[Tensor, "B U A"]) -> Tensor:
    """Mean squared error of one step and of the whole window, given its first frame."""
    from monde.types import Latents

    times = torch.zeros(latents.shape[:2], dtype=torch.float64, device=latents.device)
    predictions = model.predict(Latents(latents, times), actions, 1)
    error = (predictions.one_step - latents[:, 1:]).square().mean()
    return error if predictions.rollout is None else error + (predictions.rollout - latents[:, 1:]).square().mean()


def apart(one: Float[Tensor, "M D"], other: Float[Tensor, "K D"], generator: Generator) -> Float[Tensor, ""]:
    """Squared sliced Wasserstein distance of two sets of latents, over random directions."""
    ways = nn.functional.normalize(torch.randn(one.shape[-1], DIRECTIONS, generator=generator), dim=0).to(one.device)
    n = min(len(one), len(other), 64)
    sides = []
    for latents in (one, other):
        ordered = (latents.float() @ ways).sort(0).values
        sides.append(ordered[((torch.arange(n) + 0.5) / n * len(ordered)).long()])
    return (sides[0] - sides[1]).square().mean()


def joined(clips: list[Clip]) -> Clip:
    """Clips of one step, row under row, without what was done."""

    def stacked(name: str) -> Stream:
        streams = [clip.stream(name) for clip in clips]
        return Stream(
            torch.cat([stream.values for stream in streams]),
            torch.cat([stream.times_seconds for stream in streams]),
            torch.cat([stream.valid for stream in streams]),
        )

    return Clip({name: stacked(name) for name in clips[0].streams})


def singles(clip: Clip) -> Clip:
    """Every frame of [B, T] rows as a row of its own."""
    return Clip(
        {
            name: Stream(
                stream.values.flatten(0, 1)[:, None],
                stream.times_seconds.flatten()[:, None],
                stream.valid.flatten()[:, None],
            )
            for name, stream in clip.streams.items()
        }
    )


Frames = UInt8[Tensor, "M 3 h w"]
