"""A goal-conditioned actor on frozen latents: from where one is and wants to be to an action block and its spread."""

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from monde.errors import ContractError
from monde.nn import GoalTrunk, PlaceTrunk
from monde.store import load_module, save_module
from monde.types import ActionSpec

KIND = "actor"
LEAST_STD, MOST_STD = 0.05, 1.5
"""Bounds of the spread, in half-ranges of each action component."""


@dataclass(frozen=True, kw_only=True)
class ActorConfig:
    """Sizes.

    Args:
        features: N·D of the latents.
        actions: The action blocks that it proposes.
        hidden: Width of the hidden layers.
        depth: Hidden layers.
        placed: Whether latents end in a pose, and goals are places (`monde.models.PlacedModel`).

    Raises:
        ContractError: A size that is not positive, or nothing to act with.
    """

    features: int
    actions: ActionSpec
    hidden: int = 256
    depth: int = 3
    placed: bool = False

    def __post_init__(self) -> None:
        if min(self.features, self.hidden, self.depth) <= 0 or self.actions.unactuated:
            raise ContractError("ActorConfig has an empty size", got=self, expected="everything > 0, and actions")


class Actor(nn.Module):
    """Box actions: a normal distribution of each component around a mean within bounds; discrete ones: logits.

    Numbers are in half-ranges around the middle of the bounds (box), or one group of logits for each control step
    (discrete). How it is fitted: `monde.training.fit_actor`.
    """

    low: Tensor
    high: Tensor

    def __init__(self, config: ActorConfig) -> None:
        super().__init__()
        self.config = config
        width = config.actions.width
        outputs = width if config.actions.discrete else 2 * width
        self.trunk = (PlaceTrunk if config.placed else GoalTrunk)(config.features, config.hidden, config.depth, outputs)
        low, high = config.actions.bounds()
        self.register_buffer("low", low, persistent=False)
        self.register_buffer("high", high, persistent=False)

    def mode(self, latents: Float[Tensor, "... N D"], goal: Float[Tensor, "... N D"]) -> Float[Tensor, "... A"]:
        """The action block it would take, in the world's units, within bounds."""
        mean, _ = self.spread(latents, goal)
        return self._choice(mean) if self.config.actions.discrete else self._in_units(mean)

    def draw(
        self, latents: Float[Tensor, "... N D"], goal: Float[Tensor, "... N D"], generator: Generator
    ) -> Float[Tensor, "... A"]:
        """One sample for each leading index; leading dimensions broadcast."""
        mean, std = self.spread(latents, goal)
        return self.around(mean, std, torch.randn(mean.shape, generator=generator, device=generator.device))

    def around(
        self, mean: Float[Tensor, "... A"], std: Float[Tensor, "... A"], noise: Float[Tensor, "... A"]
    ) -> Float[Tensor, "... A"]:
        """Action blocks at standard normal `noise` around a prediction; a discrete choice sees it as Gumbel noise."""
        if self.config.actions.discrete:
            uniform = torch.special.ndtr(noise).clamp(1e-7, 1 - 1e-7)
            return self._choice(mean - torch.log(-torch.log(uniform)))
        return self._in_units((mean + std * noise).clamp(-1, 1))

    def spread(
        self, latents: Float[Tensor, "... N D"], goal: Float[Tensor, "... N D"]
    ) -> tuple[Float[Tensor, "... A"], Float[Tensor, "... A"]]:
        """Mean and standard deviation in half-ranges; for discrete actions logits, and ones."""
        found = self.trunk(latents, goal)
        if self.config.actions.discrete:
            return found, torch.ones_like(found)
        mean, raw = found.chunk(2, dim=-1)
        # Softly bounded: a hard clamp would have no gradient beyond.
        share = torch.sigmoid(raw)
        return torch.tanh(mean), LEAST_STD * (MOST_STD / LEAST_STD) ** share

    def log_likelihood(
        self, mean: Float[Tensor, "... A"], std: Float[Tensor, "... A"], actions: Float[Tensor, "... A"]
    ) -> Float[Tensor, "..."]:
        """Log-likelihood of action blocks (world's units) under a prediction, up to a constant."""
        spec = self.config.actions
        if spec.discrete:
            steps = mean.unflatten(-1, (spec.block, spec.choices)).log_softmax(-1).flatten(-2)
            return (steps * actions).sum(-1)
        units = (actions - (self.high + self.low) / 2) / ((self.high - self.low) / 2)
        return (-0.5 * ((units - mean) / std).square() - std.log()).sum(-1)

    def save(self, folder: Path, of: str) -> None:
        """Write it as an artefact; `of` names the weights of the model that it was fitted on.

        Raises:
            StoreError: `folder` exists, or the disk is full or read-only.
        """
        save_module(folder, KIND, self, self.config, of)

    @classmethod
    def load(cls, folder: Path, of: str | None = None) -> "Actor":
        """Read it back, in evaluation mode.

        Raises:
            StoreError: Missing, altered, or fitted on another model than `of`.
        """
        what = f"the actor in {folder} was fitted on the latents of another model"
        return load_module(folder, KIND, cls, ActorConfig, of, what, "fit it again on this run: monde actor RUN")

    def _in_units(self, mean: Tensor) -> Tensor:
        return (self.high + self.low) / 2 + mean * (self.high - self.low) / 2

    def _choice(self, scores: Tensor) -> Tensor:
        spec = self.config.actions
        chosen = scores.unflatten(-1, (spec.block, spec.choices)).argmax(-1)
        return nn.functional.one_hot(chosen, spec.choices).to(scores.dtype).flatten(-2)
