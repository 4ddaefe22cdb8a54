"""What adapting minimises, and what tells whether it helped."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monde.models import JEPA
from monde.types import Clip, Latents


class LookStep(nn.Module):
    """Old frames as they are, and in another look: of both the encoder should make what the old one made of the first.

    Attributes:
        model: The model that is adapted.
    """

    def __init__(self, model: JEPA) -> None:
        super().__init__()
        self.model = model

    def forward(self, kept: Clip, looked: Clip, wanted: Float[Tensor, "M N D"]) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss, in units of the latents' variance, and its parts.

        Args:
            kept: [M, 1] old frames.
            looked: [M, 1] the same in another look.
            wanted: The old encoder's latents of the first.
        """
        found = self.model.encode(Clip.joined([kept, looked])).values[:, 0]
        error = (found.unflatten(0, (2, kept.batch)) - wanted).square().flatten(1).mean(1)
        return error.sum(), {"kept": error[0].detach(), "looked": error[1].detach()}


class DynamicsStep(nn.Module):
    """New clips, encoded by the old encoder: what was done should lead from one latent to the next.

    Attributes:
        model: The model that is adapted.
    """

    def __init__(self, model: JEPA) -> None:
        super().__init__()
        self.model = model

    def forward(self, clip: Clip, latents: Float[Tensor, "B T N D"]) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss, and its parts."""
        error = prediction_error(self.model, latents, block_actions(self.model, clip))
        return error, {"predicted": error.detach()}


def block_actions(model: JEPA, clip: Clip) -> Float[Tensor, "B U A"]:
    """What was done in an aligned clip, normalised; nothing of width 0 where nobody acts."""
    if clip.actions is None or model.actions.unactuated:
        return torch.zeros(clip.batch, clip.steps - 1, model.actions.width, device=model.device)
    return model.normalise(clip.actions.values.to(model.device))


def prediction_error(model: JEPA, latents: Float[Tensor, "B T N D"], actions: Float[Tensor, "B U A"]) -> Tensor:
    """Mean squared error of one step, and of the whole window given its first frame; their sum."""
    times = torch.zeros(latents.shape[:2], dtype=torch.float64, device=latents.device)
    predictions = model.predict(Latents(latents, times), actions, (1,))
    (rollout,) = predictions.rollouts
    return (predictions.one_step - latents[:, 1:]).square().mean() + (rollout.latents - latents[:, 1:]).square().mean()
