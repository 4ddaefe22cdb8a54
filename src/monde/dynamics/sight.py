"""Whether a thing is in sight, asked with the rest of the frame before one's eyes.

When a screen will rise, and how far, nothing tells beforehand: who only foresees must think it possible that what lies
behind it stays hidden, and is hardly surprised if it never shows. Once the screen is seen to have risen there is no
doubt any more, and what does not show is not there. So what is judged is not the sight that was foreseen but that of
each thing given all others: of where it was foreseen, and of what else stands there now (docs/log.md, "why support
fails behind a screen").
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from monde.dynamics.contacts import facing_edges
from monde.types.things import ASPECTS, DOUBT, LOOKS, OWN, SEEN, known

_GAP, _MOST = 2.0, 3.0
"""What gaps between edges, px, are divided by, and the bound of that."""

_TWICE = 0.17
"""Difference of `log_area` from which on something is twice as large."""

_AREA = OWN.start + LOOKS.index("log_area")
DOUBTS = (-3.0, 6.0)
"""Least and greatest doubt."""

LEAST_PROBABILITY = 1e-4
"""Nothing is less likely than this."""


class Sight(nn.Module):
    """logit' = logit + head(looks and doubt foreseen, logit, Σ over what may hide it of pair(looks, looks, gaps)).

    It begins as exactly what was foreseen.

    Args:
        width: Of its hidden layers.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(len(LOOKS), width)
        self.hiding = nn.Linear(len(LOOKS), width, bias=False)
        self.between = nn.Linear(4, width, bias=False)
        self.pair = nn.Sequential(nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        last = nn.Linear(width, 1)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.head = nn.Sequential(nn.Linear(width + len(LOOKS) + len(ASPECTS) + 1, width), nn.ReLU(), last)

    def forward(
        self, predicted: Float[Tensor, "*lead N D"], observed: Float[Tensor, "*lead N D"]
    ) -> Float[Tensor, "*lead N"]:
        """Logits of each thing's being in sight in a frame that shows the others; of empty files they mean nothing."""
        with torch.autocast(observed.device.type, enabled=False):  # as in the dynamics: pixels need their precision
            foreseen, shown = predicted[..., OWN].float(), observed[..., OWN].float()
            gaps = (facing_edges(foreseen, shown) / _GAP).clamp(-_MOST, _MOST)
            pairs = self.hidden(foreseen)[..., :, None, :] + self.hiding(shown)[..., None, :, :] + self.between(gaps)
            others = (self.pair(pairs) * _may_hide(predicted, observed)[..., None]).sum(dim=-2) / 4
            logit = predicted[..., SEEN, None].float().clamp(LEAST_PROBABILITY, 1 - LEAST_PROBABILITY).logit()
            doubt = predicted[..., DOUBT].float().clamp(*DOUBTS)
            return (logit + self.head(torch.cat([others, foreseen, doubt, logit / 4], dim=-1)))[..., 0]


def _may_hide(predicted: Float[Tensor, "*lead N D"], observed: Float[Tensor, "*lead N D"]) -> Bool[Tensor, "*lead N N"]:
    """Whether the second may hide the first: it is in sight, and was known before or is twice as large. What comes from
    nowhere and is as small may be the thing itself, elsewhere, and excuses nothing."""
    larger = observed[..., None, :, _AREA] - predicted[..., :, None, _AREA] > _TWICE
    another = ~torch.eye(observed.shape[-2], dtype=torch.bool, device=observed.device)
    return (observed[..., SEEN] > 0.5)[..., None, :] & (known(predicted)[..., None, :] | larger) & another
