"""One step's loss as a module, so that DDP can wrap it: model, objective and nothing else."""

import copy

import torch
from torch import Generator, nn

from monde.models import JEPA
from monde.objectives import Losses, Objective, ObjectiveConfig
from monde.objectives.kept import Kept
from monde.objectives.meters import CollapseMeters, measure_collapse
from monde.perception import Perception
from monde.training.hiding import hidden_senses
from monde.types import Clip, Latents


class TrainStep(nn.Module):
    """Clip to losses and collapse meters.

    Attributes:
        model: The world model that is trained.
        objective: What is minimised; may hold parameters of its own (inverse dynamics).
        meters: The meters of the last clip, measured when asked for.

    Args:
        sensor_dropout: Probability that a whole sensor is hidden from a clip; of no effect on models of one sensor.
            The latent of what is left is then drawn towards that of all: whatever is missing, a latent means the same.
    """

    def __init__(self, model: JEPA, objective: ObjectiveConfig, sensor_dropout: float = 0.0) -> None:
        super().__init__()
        several = isinstance(model.perception, Perception) and len(model.sensors) > 1
        self.sensor_dropout = sensor_dropout if several else 0.0
        self.model = model
        self.objective = Objective(
            objective, model.latent, model.actions.width, model.dynamics.error, model.dynamics.counts
        )
        self.meters: CollapseMeters | None = None
        # It is saved beside the model, so that a resumed run keeps what the first one began with.
        self.first = copy.deepcopy(model.perception).requires_grad_(False) if objective.kept_weight else None
        self.kept = Kept(model.latent) if objective.kept_weight else None

    def forward(self, clip: Clip, generator: Generator, measure: bool = False) -> Losses:
        """Losses of a batch of aligned clips with actions [B, T-1, A]."""
        if self.sensor_dropout:
            hidden = hidden_senses(clip.batch, len(self.model.sensors), self.sensor_dropout, generator)
            latents, seen = self.model.with_and_without(clip, hidden)
        else:
            latents = seen = self.model.encode(clip)
        if measure and self.model.perception_learns:  # what learns nothing cannot collapse
            self.meters = measure_collapse(latents.values)
        B, T = latents.values.shape[:2]
        if clip.actions is None:
            actions = latents.values.new_zeros(B, T - 1, self.model.actions.width)
        else:
            actions = self.model.normalise(clip.actions.values.to(latents.values.device))
        config = self.objective.config
        predictions = self.model.predict(latents, actions, config.starts(T), config.rollout_steps or None)
        losses = self._keeping(clip, latents, self.objective(latents.values, actions, predictions, generator))
        if seen is latents:
            return losses
        # Towards the whole latent, which stays where it is: pulled back, it would give up what only one sense tells.
        apart = (seen.values - latents.values.detach()).square().mean()
        return Losses(losses.total + apart, {**losses.parts, "hidden": apart.detach()})

    def _keeping(self, clip: Clip, latents: Latents, losses: Losses) -> Losses:
        if self.first is None or self.kept is None:
            return losses
        device = self.model.device
        with torch.no_grad(), torch.autocast(device.type, torch.bfloat16, enabled=self.model.autocast):
            first = self.first(clip.to(device)).values.float()
        error = self.kept(latents.values, first)
        weight = self.objective.config.kept_weight
        return Losses(losses.total + weight * error, {**losses.parts, "kept": error.detach()})
