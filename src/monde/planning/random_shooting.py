"""Random shooting: draw action sequences once, keep the best. The floor of every planner."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from monde.planning.common import Search, check_sizes, first_guess
from monde.planning.distributions import distribution
from monde.types import Plan, Problem


@dataclass(frozen=True, kw_only=True)
class RandomShootingConfig:
    """Settings of `RandomShootingPlanner`.

    Args:
        horizon: Action blocks that are looked ahead.
        samples: Action sequences evaluated, per row.

    Raises:
        PlanningError: A size out of limits.
    """

    horizon: int = 5
    samples: int = 1000

    def __post_init__(self) -> None:
        check_sizes("RandomShootingConfig", self.horizon, self.samples)


class RandomShootingPlanner:
    """The best of `samples` sequences drawn around the first guess, half a range of the bounds wide."""

    def __init__(self, config: RandomShootingConfig) -> None:
        self.config = config

    def plan(
        self,
        problem: Problem,
        generator: Generator,
        deadline_seconds: float | None = None,
        warm_start: Float[Tensor, "B H A"] | None = None,
    ) -> Plan:
        """The best action blocks found; arguments and errors as those of `CEMPlanner.plan`."""
        with torch.no_grad():
            guess = first_guess(problem.actions, problem.batch, self.config.horizon, generator.device, warm_start)
            belief = distribution(guess, problem.actions, 1.0)
            search = Search(problem, belief.mode(), deadline_seconds)
            if not search.time_is_up():
                search.evaluate(belief.draw(self.config.samples, generator))
            return search.result()
