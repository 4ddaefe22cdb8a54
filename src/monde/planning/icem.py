"""iCEM: the cross-entropy method with noise that is correlated in time, fewer samples each round, and elites kept.

Pinneri et al. 2020, "Sample-efficient Cross-Entropy Method for Real-time Planning" (arXiv 2008.06389, Algorithm 1).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from monde.planning.common import check_deviations, check_range, check_sizes
from monde.planning.distributions import distribution, elite, evenly
from monde.planning.noise import coloured, white_noise
from monde.planning.opening import open_search
from monde.planning.pace import Paces
from monde.planning.search import Search
from monde.types import Plan, Problem


@dataclass(frozen=True, kw_only=True)
class ICEMConfig:
    """Settings of `ICEMPlanner`.

    Args:
        horizon: Action blocks that are looked ahead.
        samples: Action sequences evaluated in the first round, per row.
        rounds: Times that the distribution is refitted.
        elites: Best sequences that it is refitted to.
        beta: Power of the noise falls with frequency as 1/f^beta: 0 white, 1 pink, 2 red. Time runs over control steps.
        decay: Each round has 1/decay of the samples of the one before, but at least twice the elites.
        kept: Share of the elites that joins the candidates of the next round.
        initial_std: First standard deviation, in half-ranges of each component (discrete: as `CEMConfig`).
        minimum_std: Least standard deviation, likewise.
        momentum: Share of the old distribution that is kept at each refit, 0 to below 1.
        proposals: Sequences of `problem.propose`, if there is one, that join the first round.

    Raises:
        PlanningError: A setting out of range.
    """

    horizon: int = 5
    samples: int = 128
    rounds: int = 4
    elites: int = 10
    beta: float = 2.0
    decay: float = 1.25
    kept: float = 0.3
    initial_std: float = 0.5
    minimum_std: float = 0.02
    momentum: float = 0.1
    proposals: int = 16

    def __post_init__(self) -> None:
        check_sizes("ICEMConfig", self.horizon, self.samples, self.rounds, self.elites, self.proposals)
        check_deviations("ICEMConfig", self.initial_std, self.minimum_std, self.momentum)
        check_range("ICEMConfig", "beta", self.beta, 0.0, 10.0)
        check_range("ICEMConfig", "decay", self.decay, 1.0, 100.0)
        check_range("ICEMConfig", "kept", self.kept, 0.0, 1.0)

    def population(self, index: int) -> int:
        """Samples drawn in round `index`."""
        return min(self.samples, max(int(self.samples * self.decay**-index), 2 * self.elites))


class ICEMPlanner:
    """The improved cross-entropy method over action blocks; solves all rows of a problem at once.

    Of the elites of the last control step only the best is carried over, shifted: it is the warm start. The mean is
    among the samples of every round, the last included, and the best sequence seen is returned.
    """

    def __init__(self, config: ICEMConfig) -> None:
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
            belief = distribution(opening.centre, problem.actions, config.initial_std)
            kept: tuple[Tensor, ...] = ()
            for index in range(config.rounds):
                noise = white_noise(config.population(index), config.horizon, problem.actions.width, generator)
                samples = belief.draw(coloured(noise, problem.actions, config.beta))
                found = search.evaluate(samples) if index else search.explore(*opening.then(samples))
                if search.cut:
                    break
                if kept:
                    found = torch.cat([found[0], kept[0]], 1), torch.cat([found[1], kept[1]], 1)
                best, lowest = elite(*found, config.elites)
                # Their energies are known; the very best is with the candidates of every round.
                share = slice(1, 1 + round(config.kept * config.elites))
                kept = best[:, share], lowest[:, share]
                belief = belief.refit(best, evenly(torch.isfinite(lowest)), config.momentum, config.minimum_std)
            return search.result()
