"""What a sampling planner draws action blocks from, and refits to the sequences that did well.

Noise is drawn once and shared by all rows of the batch (common random numbers): a row's plan depends on its own problem
and on the generator, not on how many other rows are planned with it.
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from monde.planning.opening import one_hot
from monde.types import ActionSpec


@dataclass(frozen=True, kw_only=True)
class Gaussian:
    """Independent normal action components, cut off at the bounds (values beyond are set to the bound).

    Args:
        mean: [B, H, A].
        std: [B, H, A].
        low: [A], bounds.
        high: [A].
        half: [A], half of the range.
    """

    mean: Float[Tensor, "B H A"]
    std: Float[Tensor, "B H A"]
    low: Float[Tensor, " A"]
    high: Float[Tensor, " A"]
    half: Float[Tensor, " A"]

    @classmethod
    def around(cls, guess: Float[Tensor, "B H A"], actions: ActionSpec, std: float) -> "Gaussian":
        """Around a guess, with a standard deviation given in half-ranges of each component."""
        low, high = actions.bounds(guess.device)
        half = (high - low) / 2
        return cls(mean=guess, std=(std * half).expand(guess.shape), low=low, high=high, half=half)

    def mode(self) -> Float[Tensor, "B H A"]:
        """The most likely sequence."""
        return self.mean

    def draw(self, noise: Float[Tensor, "S H A"]) -> Float[Tensor, "B S H A"]:
        """The sample at each standard normal noise, within bounds; at zero the mode."""
        return torch.clamp(torch.addcmul(self.mean[:, None], self.std[:, None], noise), self.low, self.high)

    def refit(
        self, candidates: Float[Tensor, "B E H A"], weights: Float[Tensor, "B E"], momentum: float, floor: float
    ) -> "Gaussian":
        """Moved towards weighted candidates; `floor` is the least standard deviation, in half-ranges.

        Weights sum to one in each row, or are all zero: such a row stays.
        """
        weight = weights[:, :, None, None]
        mean = (weight * candidates).sum(1)
        std = (weight * (candidates - mean[:, None]).square()).sum(1).sqrt()
        std = torch.maximum(std, floor * self.half)
        share = ((1 - momentum) * weights.sum(1))[:, None, None]
        return replace(self, mean=torch.lerp(self.mean, mean, share), std=torch.lerp(self.std, std, share))


@dataclass(frozen=True, kw_only=True)
class Categorical:
    """Independent choices, one per control step.

    Args:
        probabilities: [B, H, A], summing to one in every control step.
        actions: A discrete set.
    """

    probabilities: Float[Tensor, "B H A"]
    actions: ActionSpec

    @classmethod
    def around(cls, guess: Float[Tensor, "B H A"], actions: ActionSpec, std: float) -> "Categorical":
        """A guess mixed with the uniform distribution, which weighs std / (1 + std): half, for a `std` of 1."""
        spread = std / (1 + std)
        return cls(probabilities=(1 - spread) * guess + spread / actions.choices, actions=actions)

    def mode(self) -> Float[Tensor, "B H A"]:
        """The most likely choice of each control step, one-hot."""
        return one_hot(self.actions, self.probabilities)

    def draw(self, noise: Float[Tensor, "S H A"]) -> Float[Tensor, "B S H A"]:
        """The one-hot sample at each standard normal noise, by the Gumbel-max trick; at zero the mode."""
        gumbel = -torch.log(-torch.log(torch.special.ndtr(noise).clamp(1e-7, 1 - 1e-7)))
        return one_hot(self.actions, self.probabilities.clamp_min(1e-20).log()[:, None] + gumbel)

    def refit(
        self, candidates: Float[Tensor, "B E H A"], weights: Float[Tensor, "B E"], momentum: float, floor: float
    ) -> "Categorical":
        """Moved towards the weighted frequencies; `floor` weighs the uniform one as `std` does. Weights as above."""
        spread = floor / (1 + floor)
        frequencies = (1 - spread) * (weights[:, :, None, None] * candidates).sum(1) + spread / self.actions.choices
        share = ((1 - momentum) * weights.sum(1))[:, None, None]
        return replace(self, probabilities=torch.lerp(self.probabilities, frequencies, share))


def distribution(guess: Float[Tensor, "B H A"], actions: ActionSpec, std: float) -> Gaussian | Categorical:
    """The kind of distribution that fits the actions, around `guess` (see `monde.planning.opening.first_guess`)."""
    kind = Categorical if actions.discrete else Gaussian
    return kind.around(guess, actions, std)


def elite(
    candidates: Float[Tensor, "B C H A"], costs: Float[Tensor, "B C"], count: int
) -> tuple[Float[Tensor, "B E H A"], Float[Tensor, "B E"]]:
    """The `count` sequences of lowest energy (all, if there are fewer), best first, and their energies."""
    lowest, index = costs.topk(min(count, costs.shape[1]), dim=1, largest=False)
    return candidates[torch.arange(len(costs), device=costs.device)[:, None], index], lowest


def evenly(usable: Bool[Tensor, "B E"]) -> Float[Tensor, "B E"]:
    """Equal weights of the usable ones in each row, summing to one; zero where there are none."""
    return usable.float() / usable.sum(1, keepdim=True).clamp_min(1)
