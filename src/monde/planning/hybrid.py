"""Hybrid search: an actor proposes, a few samples around its proposal are judged in imagination, the best are refined.

A learned proposal in place of the uniform first guess of a sampling planner, as in POPLIN-A (arXiv 1906.08649) and
TD-MPC2 (arXiv 2310.16828, section 3); under a learned cost a few dozen samples are enough.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from monde.errors import PlanningError
from monde.limits import MAX_SAMPLES
from monde.planning.common import check_deviations, check_range, check_sizes
from monde.planning.distributions import distribution, elite, evenly
from monde.planning.noise import coloured, white_noise
from monde.planning.opening import first_guess, open_search
from monde.planning.pace import Paces
from monde.planning.search import Search
from monde.types import Plan, Problem

SMOOTH = 3.0
"""Spectrum 1/f^SMOOTH of what is drawn wide: most of a sequence goes one way."""


@dataclass(frozen=True, kw_only=True)
class HybridConfig:
    """Settings of `HybridPlanner`.

    Args:
        horizon: Action blocks that are looked ahead.
        samples: Action sequences evaluated in each round, per row.
        rounds: Rounds: the first judges the actor's own samples, the others draw around the best.
        elites: Best sequences that a later round draws around.
        minimum_std: Least standard deviation of a later round, in half-ranges of each component.
        wide: Sequences that join the first round, drawn smoothly over the whole bounds: the actor knows nothing of a
            constraint, and all that it proposes may be forbidden.

    Raises:
        PlanningError: A size or deviation out of range.
    """

    horizon: int = 2
    samples: int = 32
    rounds: int = 2
    elites: int = 6
    minimum_std: float = 0.05
    wide: int = 0

    def __post_init__(self) -> None:
        check_sizes("HybridConfig", self.horizon, self.samples, self.rounds, self.elites)
        check_range("HybridConfig", "wide", self.wide, 0, MAX_SAMPLES)
        check_deviations("HybridConfig", 1.0, self.minimum_std)


class HybridPlanner:
    """The actor's mode is the first guess; no plan is worse than it."""

    def __init__(self, config: HybridConfig) -> None:
        self.config = config
        self._paces = Paces()

    def plan(
        self,
        problem: Problem,
        generator: Generator,
        deadline_seconds: float | None = None,
        warm_start: Float[Tensor, "B H A"] | None = None,
    ) -> Plan:
        """The best action blocks found; arguments and errors as those of `CEMPlanner.plan`.

        `warm_start` joins the first round.

        Raises:
            PlanningError: Also where the problem has no `propose`.
        """
        config = self.config
        if problem.propose is None:
            raise PlanningError(
                "the hybrid planner refines a proposal",
                got="a problem without `propose`",
                expected="an actor's proposal",
                remedy="give the strategy an actor, or use a planner that needs none (CEM)",
            )
        with torch.no_grad():
            search = Search(problem, deadline_seconds, self._paces)
            opening = open_search(problem, config.horizon, generator, warm_start, config.samples, search.hurried)
            search.begin(opening.guess)
            tried = opening.then(self._wide(problem, generator)) if config.wide else None
            found = search.explore(*(tried or (opening.count, opening.draw, opening.count)))
            belief = distribution(opening.guess, problem.actions, 1.0)
            for _ in range(config.rounds - 1):
                if search.cut:
                    break
                best, lowest = elite(*found, config.elites)
                belief = belief.refit(best, evenly(torch.isfinite(lowest)), 0.0, config.minimum_std)
                noise = white_noise(config.samples, config.horizon, problem.actions.width, generator)
                found = search.evaluate(belief.draw(noise))
            return search.result()

    def _wide(self, problem: Problem, generator: Generator) -> Float[Tensor, "B S H A"]:
        """Sequences around the middle of the bounds, smooth over time: white noise hardly leads anywhere."""
        spec, horizon = problem.actions, self.config.horizon
        middle = first_guess(spec, problem.batch, horizon, generator.device, None)
        noise = white_noise(self.config.wide, horizon, spec.width, generator)
        return distribution(middle, spec, 1.0).draw(coloured(noise, spec, SMOOTH))
