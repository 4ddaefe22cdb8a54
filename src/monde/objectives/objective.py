"""The whole training objective: predict the latent future, and keep the latents from collapsing."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from monde.errors import ContractError
from monde.objectives.inverse import InverseDynamics
from monde.objectives.sigreg import SIGReg
from monde.objectives.variance import variance_covariance
from monde.objectives.within import variety_within


@dataclass(frozen=True, kw_only=True)
class ObjectiveConfig:
    """Terms and weights.

    Args:
        regulariser: "sigreg" (LeWM) or "variance_covariance" (PLDM).
        regulariser_weight: Weight of SIGReg, or of both variance-covariance terms; 0 leaves them out (frozen encoders).
        covariance_weight: Weight of the covariance term relative to the variance term.
        inverse_weight: Weight of inverse dynamics; 0 leaves it out.
        within_weight: Weight of the term that has a quarter of the dimensions vary within clips, each in its own way:
            what never changes in a film is predicted best and would fill all; 0 leaves it out.
        kept_weight: Weight of telling what the untrained encoder told (`Kept`); 0 leaves it out.
        rollout_weight: Weight of the multi-step prediction against the one-step one.
        context: Frames that the multi-step prediction is given.
        rollout_steps: Steps after which it begins anew from what was observed; 0 never, it goes on to the window's end.
        outliers: Squared error, in units of the latents' variance, from which on an error counts in proportion to its
            size instead of its square (pseudo-Huber): what nobody can foresee, such as a light that goes out, would
            drown all else. None counts all by their squares.
        projections: SIGReg's random directions.
    """

    regulariser: Literal["sigreg", "variance_covariance"] = "sigreg"
    regulariser_weight: float = 0.1
    covariance_weight: float = 0.04
    inverse_weight: float = 0.0
    within_weight: float = 0.0
    kept_weight: float = 0.0
    rollout_weight: float = 1.0
    context: int = 1
    rollout_steps: int = 0
    outliers: float | None = None
    projections: int = 256

    def starts(self, steps: int) -> tuple[int, ...]:
        """Frames of a clip of so many steps after which futures are imagined: the context, and again wherever the
        future that began before has ended; none where only one step is predicted."""
        if not self.rollout_weight:
            return ()
        every = self.rollout_steps or steps
        return (self.context, *range(self.context + every, steps, every))

    def __post_init__(self) -> None:
        weights = {
            "regulariser_weight": self.regulariser_weight,
            "covariance_weight": self.covariance_weight,
            "inverse_weight": self.inverse_weight,
            "within_weight": self.within_weight,
            "kept_weight": self.kept_weight,
            "rollout_weight": self.rollout_weight,
        }
        for name, weight in weights.items():
            if not 0 <= weight < math.inf:
                raise ContractError(f"ObjectiveConfig.{name} is no weight", got=weight, expected="0 or more, finite")
        if self.context < 1 or self.projections < 1 or self.rollout_steps < 0:
            raise ContractError(
                "ObjectiveConfig has an empty context",
                got=f"context {self.context}, projections {self.projections}, rollout_steps {self.rollout_steps}",
                expected="context ≥ 1, projections ≥ 1, rollout_steps ≥ 0",
            )
        if self.outliers is not None and not 0 < self.outliers < math.inf:
            raise ContractError("ObjectiveConfig.outliers is no threshold", got=self.outliers, expected="above 0")


@dataclass(frozen=True)
class Imagined:
    """The future that was imagined from one moment of every clip of a batch.

    Args:
        seen: Frames up to that moment.
        latents: [B, R, N, D] of the R frames after it.
    """

    seen: int
    latents: Float[Tensor, "B R N D"]


@dataclass(frozen=True)
class Predictions:
    """What a model predicts of a batch of clips.

    Args:
        one_step: [E, B, T-1, N, D], each ensemble member's next latents from observed ones.
        rollouts: Futures imagined from several moments on, or none.
    """

    one_step: Float[Tensor, "E B U N D"]
    rollouts: tuple[Imagined, ...] = ()


@dataclass(frozen=True)
class Losses:
    """The loss, and the parts that it is the weighted sum of (unweighted, detached)."""

    total: Float[Tensor, ""]
    parts: Mapping[str, Float[Tensor, ""]]


Counts = Callable[[Float[Tensor, "B T N D"]], Float[Tensor, "B T N"]]
"""How much each latent of a clip counts."""

Error = Callable[[Float[Tensor, "*lead N D"], Float[Tensor, "*lead N D"]], Float[Tensor, "*lead N"]]
"""How wrong a prediction was, of what was predicted and what was observed."""


def _alike(latents: Float[Tensor, "B T N D"]) -> Float[Tensor, "B T N"]:
    return torch.ones_like(latents[..., 0])


class Objective(nn.Module):
    """Prediction (one step by every member, several by their mean) + regulariser + variety within clips + inverse
    dynamics.

    Gradients flow into targets as well as predictions, with no teacher network and no stop-gradient (LeWM).

    Args:
        config: Terms and weights.
        latent: D.
        actions: A.
        error: Of predictions; `Dynamics.error`.
        counts: `Dynamics.counts`; by default all count alike.
    """

    def __init__(
        self, config: ObjectiveConfig, latent: int, actions: int, error: Error, counts: Counts | None = None
    ) -> None:
        super().__init__()
        self._wrong, self._counts = error, counts or _alike
        self.config = config
        self.sigreg = SIGReg(config.projections)
        self.inverse = InverseDynamics(latent, actions) if config.inverse_weight else None

    def forward(
        self,
        latents: Float[Tensor, "B T N D"],
        actions: Float[Tensor, "B U A"],
        predictions: Predictions,
        generator: Generator,
    ) -> Losses:
        """Losses of a batch of clips, given latents, *normalised* action blocks and the model's predictions."""
        config = self.config
        counts, ahead = self._counts(latents), latents[:, 1:]
        parts = {"prediction": self._error(predictions.one_step, ahead.expand_as(predictions.one_step), counts[:, 1:])}
        total = parts["prediction"]
        if predictions.rollouts:
            spans = [slice(roll.seen, roll.seen + roll.latents.shape[1]) for roll in predictions.rollouts]
            came, counted = (torch.cat([kind[:, span] for span in spans], dim=1) for kind in (latents, counts))
            imagined = torch.cat([roll.latents for roll in predictions.rollouts], dim=1)
            parts["rollout"] = self._error(imagined, came, counted)
            total = total + config.rollout_weight * parts["rollout"]
        if config.regulariser_weight:
            regulariser, named = self._regularise(latents.flatten(0, 2), generator)
            parts |= named
            total = total + config.regulariser_weight * regulariser
        if config.within_weight:
            parts["within"] = variety_within(latents[..., : latents.shape[-1] // 4])
            total = total + config.within_weight * parts["within"]
        if self.inverse is not None:
            parts["inverse"] = self.inverse(latents, actions)
            total = total + config.inverse_weight * parts["inverse"]
        with torch.no_grad():
            # The floor of one-step prediction, in the same unit: what "nothing changes" would score.
            parts["copy_last"] = self._error(latents[:, :-1], ahead, counts[:, 1:])
        return Losses(total, {name: value.detach() for name, value in parts.items()})

    def _error(
        self,
        predicted: Float[Tensor, "*lead N D"],
        observed: Float[Tensor, "*lead N D"],
        counts: Float[Tensor, "*#lead N"],
    ) -> Float[Tensor, ""]:
        errors, threshold = self._wrong(predicted, observed), self.config.outliers
        if threshold is not None:
            errors = 2 * math.sqrt(threshold) * ((errors + threshold).sqrt() - math.sqrt(threshold))
        return (errors * counts).mean()

    def _regularise(self, latents: Tensor, generator: Generator) -> tuple[Tensor, dict[str, Tensor]]:
        if self.config.regulariser == "sigreg":
            statistic = self.sigreg(latents, generator)
            return statistic, {"sigreg": statistic}
        variance, covariance = variance_covariance(latents)
        return variance + self.config.covariance_weight * covariance, {"variance": variance, "covariance": covariance}
