"""MPPI, model predictive path integral control: every good sample pulls, the better the harder.

Williams et al. 2017, "Information Theoretic MPC for Model-Based Reinforcement Learning" (ICRA, Algorithm 2). Repeated,
and with a spread that follows the samples, as in TD-MPC2 (arXiv 2310.16828, section 3).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from monde.planning.common import check_deviations, check_range, check_sizes
from monde.planning.distributions import distribution, elite
from monde.planning.noise import white_noise
from monde.planning.opening import open_search
from monde.planning.pace import Paces
from monde.planning.search import Search
from monde.types import Plan, Problem


@dataclass(frozen=True, kw_only=True)
class MPPIConfig:
    """Settings of `MPPIPlanner`.

    Args:
        horizon: Action blocks that are looked ahead.
        samples: Action sequences evaluated in each round, per row.
        rounds: Times that the mean is moved.
        elites: Best sequences that are weighed; the others count for nothing.
        temperature: Of the weights exp(-energy / temperature), in units of how far the elites of a row lie above its
            best one on average: energies of any scale are weighed alike.
        initial_std: First standard deviation, in half-ranges of each component (discrete: as `CEMConfig`).
        minimum_std: Least standard deviation, likewise. Equal to `initial_std`, the spread never shrinks: Williams'.
        momentum: Share of the old distribution that is kept in each round, 0 to below 1.
        proposals: Sequences of `problem.propose`, if there is one, that join the first round.

    Raises:
        PlanningError: A setting out of range.
    """

    horizon: int = 5
    samples: int = 128
    rounds: int = 5
    elites: int = 32
    temperature: float = 0.5
    initial_std: float = 1.0
    minimum_std: float = 0.05
    momentum: float = 0.0
    proposals: int = 16

    def __post_init__(self) -> None:
        check_sizes("MPPIConfig", self.horizon, self.samples, self.rounds, self.elites, self.proposals)
        check_deviations("MPPIConfig", self.initial_std, self.minimum_std, self.momentum)
        check_range("MPPIConfig", "temperature", self.temperature, 1e-3, 1e3)


class MPPIPlanner:
    """Path integral control over action blocks; solves all rows of a problem at once.

    The mean is judged in every round, and once more at the end; the best sequence of all is returned.
    """

    def __init__(self, config: MPPIConfig) -> None:
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
            for index in range(config.rounds):
                samples = belief.draw(white_noise(config.samples, config.horizon, problem.actions.width, generator))
                found = search.evaluate(samples) if index else search.explore(*opening.then(samples))
                if search.cut:
                    break
                best, lowest = elite(*found, config.elites)
                weights = path_weights(lowest, config.temperature)
                belief = belief.refit(best, weights, config.momentum, config.minimum_std)
            if not search.cut:
                search.evaluate(belief.mode()[:, None])
            return search.result()


def path_weights(energies: Float[Tensor, "B E"], temperature: float) -> Float[Tensor, "B E"]:
    """exp(-energy / temperature) in units of each row's mean energy above its least; rows sum to one.

    What is rejected (+Inf) weighs nothing; a row of which all is rejected has no weights at all. `energies` ascend.
    """
    usable = torch.isfinite(energies)
    above = torch.where(usable, energies - energies[:, :1], 0.0)
    scale = above.sum(1, keepdim=True) / usable.sum(1, keepdim=True).clamp_min(1)
    weights = usable * torch.exp(-above / (temperature * scale).clamp_min(torch.finfo(above.dtype).tiny))
    return weights / weights.sum(1, keepdim=True).clamp_min(1)
