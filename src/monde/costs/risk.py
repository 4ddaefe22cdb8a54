"""How the energies of several hypotheses about the world become one."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from jaxtyping import Float
from torch import Tensor

from monde.errors import PlanningError, unknown_name

RiskKind = Literal["mean", "worst", "cvar"]


@dataclass(frozen=True, kw_only=True)
class Risk:
    """A reduction over hypotheses K.

    "mean" is neutral, "worst" takes the highest energy, "cvar" the mean of the worst fraction `alpha` (conditional
    value at risk of the K equally likely energies; Rockafellar and Uryasev 2002, Proposition 8). alpha = 1 is the mean
    and alpha ≤ 1/K the worst.

    Args:
        kind: Which reduction.
        alpha: Fraction of worst hypotheses that "cvar" averages; the others ignore it.

    Raises:
        PlanningError: An unknown kind, or an alpha outside (0, 1].
    """

    kind: RiskKind = "mean"
    alpha: float = 0.25

    def __post_init__(self) -> None:
        if self.kind not in get_args(RiskKind):
            raise unknown_name("risk", self.kind, list(get_args(RiskKind)), PlanningError)
        if not 0 < self.alpha <= 1:
            raise PlanningError("Risk.alpha is not a fraction", got=self.alpha, expected="0 < alpha ≤ 1")

    def reduce(self, energies: Float[Tensor, "B S K"]) -> Float[Tensor, "B S"]:
        """Energies of each hypothesis to one energy per action sequence."""
        hypotheses = energies.shape[-1]
        if hypotheses == 1:
            return energies[..., 0]
        if self.kind == "mean":
            return energies.mean(-1)
        if self.kind == "worst":
            return energies.amax(-1)
        mass = self.alpha * hypotheses
        whole = math.floor(mass)
        worst = energies.topk(math.ceil(mass), dim=-1).values
        total = worst[..., :whole].sum(-1)
        # An atom that straddles the quantile counts with the part of its mass that lies beyond it.
        if whole < worst.shape[-1]:
            total = total + (mass - whole) * worst[..., whole]
        return total / mass


MEAN = Risk(kind="mean")
WORST = Risk(kind="worst")
