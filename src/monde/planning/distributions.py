"""What a sampling planner draws action blocks from, and refits to its elites.

Noise is drawn once and shared by all rows of the batch (common random numbers): a row's plan depends on its own problem
and on the generator, not on how many other rows are planned with it.
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Generator, Tensor

from monde.types import ActionSpec


@dataclass(frozen=True, kw_only=True)
class Gaussian:
    """Independent normal action components, cut off at the bounds (values beyond are set to the bound).

    Args:
        mean: [B, H, A].
        std: [B, H, A].
        actions: A box.
    """

    mean: Float[Tensor, "B H A"]
    std: Float[Tensor, "B H A"]
    actions: ActionSpec

    @classmethod
    def around(cls, guess: Float[Tensor, "B H A"], actions: ActionSpec, std: float) -> "Gaussian":
        """Around a guess, with a standard deviation given in half-ranges of each component."""
        low, high = actions.bounds(guess.device)
        return cls(mean=guess, std=(std * (high - low) / 2).expand(guess.shape), actions=actions)

    def mode(self) -> Float[Tensor, "B H A"]:
        """The most likely sequence."""
        return self.mean

    def draw(self, samples: int, generator: Generator) -> Float[Tensor, "B S H A"]:
        """Samples within bounds; the first is the mode."""
        shape = (samples, *self.mean.shape[1:])
        noise = torch.randn(shape, generator=generator, device=generator.device)
        noise[0] = 0
        low, high = self.actions.bounds(self.mean.device)
        return torch.clamp(self.mean[:, None] + self.std[:, None] * noise, low, high)

    def refit(
        self, elites: Float[Tensor, "B E H A"], usable: Bool[Tensor, "B E"], momentum: float, floor: float
    ) -> "Gaussian":
        """Moved towards the usable elites; `floor` is the least standard deviation, in half-ranges."""
        weight = _weights(usable)
        mean = (weight * elites).sum(1)
        std = (weight * (elites - mean[:, None]).square()).sum(1).sqrt()
        low, high = self.actions.bounds(self.mean.device)
        std = torch.maximum(std, floor * (high - low) / 2)
        moved = usable.any(1)[:, None, None]
        return replace(
            self,
            mean=torch.where(moved, momentum * self.mean + (1 - momentum) * mean, self.mean),
            std=torch.where(moved, momentum * self.std + (1 - momentum) * std, self.std),
        )


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
        return self._one_hot(self._steps(self.probabilities))

    def draw(self, samples: int, generator: Generator) -> Float[Tensor, "B S H A"]:
        """One-hot samples by the Gumbel-max trick, which keeps the noise apart from the row; the first is the mode."""
        shape = (samples, *self._steps(self.probabilities).shape[1:])
        uniform = torch.rand(shape, generator=generator, device=generator.device)
        gumbel = -torch.log(-torch.log(uniform.clamp(1e-20, 1 - 1e-7)))
        gumbel[0] = 0
        logits = self._steps(self.probabilities).clamp_min(1e-20).log()
        return self._one_hot(logits[:, None] + gumbel)

    def refit(
        self, elites: Float[Tensor, "B E H A"], usable: Bool[Tensor, "B E"], momentum: float, floor: float
    ) -> "Categorical":
        """Moved towards the frequencies of the usable elites; `floor` weighs the uniform one as `std` does."""
        frequencies = (_weights(usable) * elites).sum(1)
        spread = floor / (1 + floor)
        frequencies = (1 - spread) * frequencies + spread / self.actions.choices
        moved = usable.any(1)[:, None, None]
        mixed = momentum * self.probabilities + (1 - momentum) * frequencies
        return replace(self, probabilities=torch.where(moved, mixed, self.probabilities))

    def _steps(self, blocks: Tensor) -> Tensor:
        return blocks.reshape(*blocks.shape[:-1], self.actions.block, self.actions.choices)

    def _one_hot(self, scores: Tensor) -> Tensor:
        choice = scores.argmax(-1)
        return torch.nn.functional.one_hot(choice, self.actions.choices).to(scores.dtype).flatten(-2)


def distribution(guess: Float[Tensor, "B H A"], actions: ActionSpec, std: float) -> Gaussian | Categorical:
    """The kind of distribution that fits the actions, around `guess` (see `monde.planning.common.first_guess`)."""
    kind = Categorical if actions.discrete else Gaussian
    return kind.around(guess, actions, std)


def _weights(usable: Bool[Tensor, "B E"]) -> Float[Tensor, "B E 1 1"]:
    weight = usable.float() / usable.sum(1, keepdim=True).clamp_min(1)
    return weight[:, :, None, None]
