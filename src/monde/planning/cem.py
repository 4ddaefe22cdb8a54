"""The cross-entropy method: draw action sequences, keep the best few, draw around those, again.

Rubinstein 1999; as a planner in latent space, PlaNet (arXiv 1811.04551, Algorithm 2) and LeWM (arXiv 2603.19312).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from monde.planning.common import check_deviations, check_sizes
from monde.planning.distributions import distribution, elite, evenly
from monde.planning.noise import white_noise
from monde.planning.opening import open_search
from monde.planning.pace import Paces
from monde.planning.search import Search
from monde.types import Plan, Problem


@dataclass(frozen=True, kw_only=True)
class CEMConfig:
    """Settings of `CEMPlanner`.

    Args:
        horizon: Action blocks that are looked ahead.
        samples: Action sequences evaluated in each round, per row.
        rounds: Times that the distribution is refitted.
        elites: Best sequences that it is refitted to.
        initial_std: First standard deviation, in half-ranges of each component. Discrete: the uniform distribution
            weighs std / (1 + std).
        minimum_std: Least standard deviation, likewise; keeps the search from freezing.
        momentum: Share of the old distribution that is kept at each refit, 0 to below 1.
        proposals: Sequences of `problem.propose`, if there is one, that join the first round.

    Raises:
        PlanningError: A size, deviation or momentum out of range.
    """

    horizon: int = 5
    samples: int = 300
    rounds: int = 10
    elites: int = 30
    initial_std: float = 1.0
    minimum_std: float = 0.05
    momentum: float = 0.1
    proposals: int = 16

    def __post_init__(self) -> None:
        check_sizes("CEMConfig", self.horizon, self.samples, self.rounds, self.elites, self.proposals)
        check_deviations("CEMConfig", self.initial_std, self.minimum_std, self.momentum)


class CEMPlanner:
    """The cross-entropy method over action blocks; solves all rows of a problem at once.

    The best sequence seen so far joins the elites of every round and is what is returned, so a plan is never worse than
    its first guess.
    """

    def __init__(self, config: CEMConfig) -> None:
        self.config = config
        self._paces = Paces()

    def plan(
        self,
        problem: Problem,
        generator: Generator,
        deadline_seconds: float | None = None,
        warm_start: Float[Tensor, "B H A"] | None = None,
    ) -> Plan:
        """The best action blocks found; without a deadline the same seed gives the same plan.

        Args:
            problem: What is solved.
            generator: Source of the noise, on the model's device; the plan is made there.
            deadline_seconds: Wall time allowed. The best so far is returned; 0 returns the first guess.
            warm_start: [B, H, A] first guess (see `shift_plan`). Without one, or where `problem.propose` knows better,
                the search starts from the mode of the proposal, else from the middle of the bounds.

        Raises:
            PlanningError: A cost that is NaN, -Inf or of the wrong shape; every sequence rejected; a proposal, warm
                start or deadline that does not fit.
        """
        config = self.config
        with torch.no_grad():
            search = Search(problem, deadline_seconds, self._paces)
            opening = open_search(problem, config.horizon, generator, warm_start, config.proposals, search.hurried)
            search.begin(opening.guess)
            belief = distribution(opening.centre, problem.actions, config.initial_std)
            for index in range(config.rounds):
                samples = belief.draw(white_noise(config.samples, config.horizon, problem.actions.width, generator))
                found = search.evaluate(samples) if index else search.explore(*opening.then(samples))
                if search.cut:
                    break
                best, lowest = elite(*found, config.elites)
                belief = belief.refit(best, evenly(torch.isfinite(lowest)), config.momentum, config.minimum_std)
            return search.result()
