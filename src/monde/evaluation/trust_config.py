"""How trust is fitted and judged, and what it is fitted on."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from torch import Tensor

from monde.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class TrustConfig:
    """How trust is fitted and judged.

    Args:
        episodes: Episodes that it is fitted on.
        judged: Further episodes that it is judged on.
        budget_steps: Control steps that success is allowed.
        seed: Of starts, goals and fitting.
        batch: Episodes side by side.
        draws: Roll-outs of the actor with its noise in each forecast.
        least_probability: Below it a goal is given up, where the agent may.
        world: World to act in, or none for the one that was recorded; "hindsight" for pairs of held-out frames.
        device: "auto", "cpu", "cuda", …
        precision: "auto", "fp32" or "bf16".

    Raises:
        UsageError: A size below 1, or a least probability that is none.
    """

    episodes: int = 2000
    judged: int = 1000
    budget_steps: int = 100
    seed: int = 0
    batch: int = 250
    draws: int = 6
    least_probability: float = 0.2
    world: str | None = None
    device: str = "auto"
    precision: str = "auto"

    def __post_init__(self) -> None:
        if min(self.episodes, self.judged, self.budget_steps, self.batch, self.draws) < 1:
            raise UsageError("trust cannot be fitted on nothing", got=self, expected="every size ≥ 1")
        if not 0 <= self.least_probability <= 1:
            raise UsageError(
                "TrustConfig.least_probability is no probability",
                got=self.least_probability,
                expected="0 to 1",
                remedy="give --least 0.2, say",
            )


@dataclass(frozen=True)
class Witnessed:
    """What was known at the first plan of each episode, and what came of it.

    Args:
        features: [n, F] in the order of `monde.agents.FEATURES`.
        reached: [n].
    """

    features: Float[Tensor, "n F"]
    reached: Bool[np.ndarray, " n"]
