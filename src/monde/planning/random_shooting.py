"""Random shooting: draw action sequences once, keep the best. The floor of every planner."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from monde.planning.common import check_sizes
from monde.planning.distributions import distribution
from monde.planning.noise import white_noise
from monde.planning.opening import open_search
from monde.planning.pace import Paces
from monde.planning.search import Search
from monde.types import Plan, Problem


@dataclass(frozen=True, kw_only=True)
class RandomShootingConfig:
    """Settings of `RandomShootingPlanner`.

    Args:
        horizon: Action blocks that are looked ahead.
        samples: Action sequences evaluated, per row.
        proposals: Sequences of `problem.propose`, if there is one, that are evaluated beside them.

    Raises:
        PlanningError: A size out of limits.
    """

    horizon: int = 5
    samples: int = 1000
    proposals: int = 16

    def __post_init__(self) -> None:
        check_sizes("RandomShootingConfig", self.horizon, self.samples, proposals=self.proposals)


class RandomShootingPlanner:
    """The best of `samples` sequences drawn around the first guess, half a range of the bounds wide."""

    def __init__(self, config: RandomShootingConfig) -> None:
        self.config = config
        self._paces = Paces()

    def plan(
        self,
        problem: Problem,
        generator: Generator,
        deadline_seconds: float | None = None,
        warm_start: Float[Tensor, "B H A"] | None = None,
    ) -> Plan:
        """The best action blocks found; arguments and errors as those of `CEMPlanner.plan`."""
        config = self.config
        with torch.no_grad():
            search = Search(problem, deadline_seconds, self._paces)
            opening = open_search(problem, config.horizon, generator, warm_start, config.proposals, search.hurried)
            search.begin(opening.guess)
            belief = distribution(opening.centre, problem.actions, 1.0)
            samples = belief.draw(white_noise(config.samples, config.horizon, problem.actions.width, generator))
            search.explore(*opening.then(samples))
            return search.result()
