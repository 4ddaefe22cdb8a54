"""What was foreseen of things beside what came: what is learned from, and how surprising it is."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from monde.dynamics.empty import in_use
from monde.dynamics.sight import DOUBTS, LEAST_PROBABILITY, Sight
from monde.types.things import ASPECTS, DOUBT, OWN, SEEN, known

_SCALES = (0.03, 0.03, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.1, 0.02, 0.1, 0.1, 0.05, 0.05, 0.05)
"""Differences of each of `LOOKS` that count as one: about a pixel of 64, a twentieth of a colour."""

_LEAST = 0.04
"""Squared difference below which nothing is gained."""

_IMPORTANCE = (0.6, 0.6, 0.15, 0.15, 0.15, 0.15, 0.15, 0.08, 0.08, 0.03, 0.08, 0.08, 0.08, 0.2, 0.2, 0.2)
"""What each of `LOOKS` counts for while it is learned."""

_WEIGHTS = (2.0, 1.0, 1.0, 0.5, 1.0, 1.0)
"""Of each of `ASPECTS`."""

_SEEN_WEIGHT = 5.0

_NEW = 30.0
"""Negative log likelihood of the looks of a thing that was not known: some 20 px and half of all colours off."""


class Judgement(nn.Module):
    """Of predictions, once the frame is there.

    Args:
        width: Of the hidden layers of `Sight`.
    """

    scales: Tensor
    weights: Tensor
    importance: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.sight = Sight(width)
        self.register_buffer("scales", torch.tensor(_SCALES), persistent=False)
        self.register_buffer("weights", torch.tensor(_WEIGHTS), persistent=False)
        self.register_buffer("importance", torch.tensor(_IMPORTANCE), persistent=False)

    def error(
        self, predicted: Float[Tensor, "*lead N D"], observed: Float[Tensor, "*lead N D"]
    ) -> Float[Tensor, "*lead N"]:
        """What is learned from: how far looks are off, each in proportion (pseudo-Huber), the surprisal of that, and
        that of sight once more, given the rest of the frame.

        Doubt learns from the looks and not they from it: where errors are great at first, a likelihood would have them
        doubted rather than mended (Seitzer et al., arXiv 2203.09168). Sight given the rest learns from both, and no
        gradient of it reaches them.
        """
        off = (predicted[..., OWN] - observed[..., OWN]) / self.scales
        looks = (((off * off + 1).sqrt() - 1) * self.importance).sum(dim=-1)
        settled = torch.cat([predicted[..., : OWN.start], predicted[..., OWN].detach(), predicted[..., DOUBT]], dim=-1)
        unlikely = self._unlikely(settled, observed, _foreseen_sight(settled))
        return looks * observed[..., SEEN] * known(predicted) + unlikely + self._sight_error(settled.detach(), observed)

    def surprisal(
        self, predicted: Float[Tensor, "*lead N D"], observed: Float[Tensor, "*lead N D"]
    ) -> Float[Tensor, "*lead"]:
        """Negative logarithm of a pseudo-likelihood (Besag, 1975) of all things: Laplace's law for each aspect of what
        is in sight, in units of `_SCALES`, the probability of each thing's being in sight *given the others*, and a
        price for what nobody knew of, whatever it looks like."""
        new = observed[..., SEEN] * ~known(predicted)
        sight = self.sight_given_others(predicted, observed)
        return (self._unlikely(predicted, observed, sight) + _NEW * new).sum(dim=-1)

    def excess(
        self, predicted: Float[Tensor, "*lead N D"], observed: Float[Tensor, "*lead N D"]
    ) -> Float[Tensor, "*lead"]:
        """By how much the errors in looks exceed the doubt about them, and how much less likely sight was than the
        entropy of what was to be expected given what else is in sight."""
        looks = (self._differences(predicted, observed) * (-_doubt(predicted)).exp() - 1) * self.weights
        p = self.sight_given_others(predicted, observed)
        entropy = -p * p.log() - (1 - p) * (1 - p).log()
        shown, asked = _shown(predicted, observed), _asked(predicted, observed)
        return (looks.sum(dim=-1) * shown + _SEEN_WEIGHT * (_of_sight(p, observed) - entropy) * asked).sum(dim=-1)

    def sight_given_others(
        self, predicted: Float[Tensor, "*lead N D"], observed: Float[Tensor, "*lead N D"]
    ) -> Float[Tensor, "*lead N"]:
        """Probability of each thing's being in sight, once all else that the frame shows is seen; that something new
        comes into an empty file is as likely as it was foreseen."""
        used = in_use(known(predicted) | known(observed))
        logits = self.sight(predicted[..., :used, :], observed[..., :used, :])
        given = torch.sigmoid(logits).clamp(LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
        given = nn.functional.pad(given, (0, observed.shape[-2] - used))
        return torch.where(known(predicted), given, _foreseen_sight(predicted))

    def _sight_error(
        self, predicted: Float[Tensor, "*lead N D"], observed: Float[Tensor, "*lead N D"]
    ) -> Float[Tensor, "*lead N"]:
        """What sight given the rest of the frame learns from."""
        odds = nn.functional.binary_cross_entropy_with_logits(
            self.sight(predicted, observed), observed[..., SEEN], reduction="none"
        )
        return _SEEN_WEIGHT * odds * known(predicted) * _asked(predicted, observed)

    def _unlikely(
        self,
        predicted: Float[Tensor, "*lead N D"],
        observed: Float[Tensor, "*lead N D"],
        sight: Float[Tensor, "*lead N"],
    ) -> Float[Tensor, "*lead N"]:
        doubt = _doubt(predicted)
        looks = (self._differences(predicted, observed) * (-doubt).exp() + doubt) * self.weights
        shown, asked = _shown(predicted, observed), _asked(predicted, observed)
        return looks.sum(dim=-1) * shown + _SEEN_WEIGHT * _of_sight(sight, observed) * asked

    def _differences(
        self, predicted: Float[Tensor, "*lead N D"], observed: Float[Tensor, "*lead N D"]
    ) -> Float[Tensor, "*lead N G"]:
        """How far each aspect is off, in units of `_SCALES`."""
        squares = ((predicted[..., OWN] - observed[..., OWN]) / self.scales).square()
        means = [squares[..., aspect].mean(dim=-1) for aspect in ASPECTS]
        return (torch.stack(means, dim=-1) + _LEAST).sqrt()


def _doubt(predicted: Float[Tensor, "*lead N D"]) -> Float[Tensor, "*lead N G"]:
    return predicted[..., DOUBT].clamp(*DOUBTS)


def _foreseen_sight(predicted: Float[Tensor, "*lead N D"]) -> Float[Tensor, "*lead N"]:
    return predicted[..., SEEN].clamp(LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)


def _of_sight(sight: Float[Tensor, "*lead N"], observed: Float[Tensor, "*lead N D"]) -> Float[Tensor, "*lead N"]:
    """Surprisal of each thing's being in sight, or not."""
    return nn.functional.binary_cross_entropy(sight, observed[..., SEEN], reduction="none")


def _shown(predicted: Float[Tensor, "*lead N D"], observed: Float[Tensor, "*lead N D"]) -> Float[Tensor, "*lead N"]:
    """Of which things looks can be compared."""
    return observed[..., SEEN] * known(predicted)


def _asked(predicted: Float[Tensor, "*lead N D"], observed: Float[Tensor, "*lead N D"]) -> Bool[Tensor, "*lead N"]:
    """Of which things it is asked whether they are in sight."""
    held = known(predicted)
    # Where nothing at all is seen the light is out, and that says nothing of what is there.
    lit = observed[..., SEEN].sum(dim=-1, keepdim=True) > 0
    # Of the empty files the first alone is asked whether something new will come into it.
    first = ~held & ((~held).cumsum(dim=-1) == 1)
    return lit & (held | first)
