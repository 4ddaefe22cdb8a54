"""The cross-entropy method: draw action sequences, keep the best few, draw around those, again.

Rubinstein 1999; as a planner in latent space, PlaNet (arXiv 1811.04551, Algorithm 2) and LeWM (arXiv 2603.19312).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from monde.errors import PlanningError
from monde.planning.common import Search, check_sizes, first_guess
from monde.planning.distributions import distribution
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

    def __post_init__(self) -> None:
        check_sizes("CEMConfig", self.horizon, self.samples, self.rounds)
        if not 1 <= self.elites <= self.samples:
            raise PlanningError("CEMConfig.elites is out of limits", got=self.elites, expected=f"1 to {self.samples}")
        if not 0 < self.initial_std < float("inf"):
            raise PlanningError("CEMConfig.initial_std is unusable", got=self.initial_std, expected="finite and > 0")
        if not 0 <= self.minimum_std <= self.initial_std:
            raise PlanningError(
                "CEMConfig.minimum_std is unusable", got=self.minimum_std, expected=f"0 to {self.initial_std}"
            )
        if not 0 <= self.momentum < 1:
            raise PlanningError("CEMConfig.momentum is unusable", got=self.momentum, expected="0 to below 1")


class CEMPlanner:
    """The cross-entropy method over action blocks; solves all rows of a problem at once.

    The best sequence seen so far joins the elites of every round and is what is returned, so a plan is never worse than
    its first guess. `problem.propose` is not used.
    """

    def __init__(self, config: CEMConfig) -> None:
        self.config = config

    def plan(
        self,
        problem: Problem,
        generator: Generator,
        deadline_seconds: float | None = None,
        warm_start: Float[Tensor, "B H A"] | None = None,
    ) -> Plan:
        """The best action blocks found; the same seed gives the same plan.

        Args:
            problem: What is solved.
            generator: Source of the noise, on the model's device; the plan is made there.
            deadline_seconds: Wall time allowed. The best so far is returned; 0 returns the first guess.
            warm_start: [B, H, A] first guess (see `shift_plan`), or none for the middle of the bounds.

        Raises:
            PlanningError: A cost that is NaN, -Inf or of the wrong shape; every sequence rejected; a warm start or
                deadline that does not fit.
        """
        config = self.config
        with torch.no_grad():
            guess = first_guess(problem.actions, problem.batch, config.horizon, generator.device, warm_start)
            belief = distribution(guess, problem.actions, config.initial_std)
            search = Search(problem, belief.mode(), deadline_seconds)
            for _ in range(config.rounds):
                if search.time_is_up():
                    break
                samples = belief.draw(config.samples, generator)
                known, known_cost = search.best, search.best_cost
                costs = search.evaluate(samples)
                costs = torch.cat([costs, known_cost[:, None]], 1)
                lowest, index = costs.topk(config.elites, dim=1, largest=False)
                candidates = torch.cat([samples, known[:, None]], 1)
                row = torch.arange(problem.batch, device=index.device)[:, None]
                belief = belief.refit(
                    candidates[row, index], torch.isfinite(lowest), config.momentum, config.minimum_std
                )
            return search.result()
