"""What refining costs where batches differ: whole films, of as many steps and things as come."""

from collections.abc import Mapping
from pathlib import Path

import torch

from monde.bets.corners.lessons import counted
from monde.models import load_model
from monde.objectives import Objective, ObjectiveConfig
from monde.training import RefineConfig
from monde.training.refining.refine import Futures, optimisers_of
from monde.types import Latents


class Spending:
    """The FLOPs of `refine` as it goes on, to be ended when a budget is used up (`Spend`).

    All products in a step grow with the rows of its batch, so that those of one row are counted; and each frame that is
    foreseen adds the same, so that for every number of steps, of tokens and of futures two counts tell the rest. To
    count every step would take a third of its time. Those of the optimiser are the same in every step.

    Args:
        run: That is refined, on whole films.
        config: How.
        budget: FLOPs.
    """

    def __init__(self, run: Path, config: RefineConfig, budget: float) -> None:
        self._model, self._config, self._budget = load_model(run), config, budget
        dynamics, plain = self._model.dynamics, ObjectiveConfig(regulariser_weight=0.0)
        self._objective = Objective(plain, self._model.latent, 0, dynamics.error, dynamics.counts)
        self._of_row: dict[tuple[int, int, int, int], dict[int, float]] = {}
        self._of_optimiser: float | None = None
        self.flops, self.steps = 0.0, 0

    def __call__(self, latents: Latents, futures: Futures) -> float:
        """The share of the budget that is used up with this batch."""
        rows, T, N = latents.values.shape[:3]
        foreseen = sum(min(self._config.rollout_steps, T - n) for n in (*futures.starts, *futures.alone))
        counts = self._of_row.setdefault((T, N, len(futures.starts), len(futures.alone)), {})
        if foreseen not in counts and len(counts) < 2:
            counts[foreseen] = counted(lambda: self._learned(latents, futures))[1]
            if self._of_optimiser is None:
                optimisers = [optimiser for optimiser, _ in optimisers_of(self._model.dynamics, self._config)]
                self._of_optimiser = counted(lambda: [optimiser.step() for optimiser in optimisers])[1]
            self._model.zero_grad(set_to_none=True)
        assert self._of_optimiser is not None
        self.flops += rows * _on_line(counts, foreseen) + self._of_optimiser
        self.steps += 1
        return self.flops / self._budget

    def _learned(self, latents: Latents, futures: Futures) -> None:
        """One row of a batch, as `refine` learns from it."""
        row = Latents(latents.values[:1], latents.times_seconds[:1])
        nothing = row.values.new_zeros(1, row.values.shape[1] - 1, 0)
        predicted = self._model.predict(row, nothing, futures.starts, self._config.rollout_steps, futures.alone)
        self._objective(row.values, nothing, predicted, torch.Generator()).total.backward()


def _on_line(counts: Mapping[int, float], at: int) -> float:
    """Counted there, or on the line through the two that were."""
    if at in counts:
        return counts[at]
    (first, low), (second, high) = counts.items()
    return low + (high - low) * (at - first) / (second - first)
