"""What every planner shares: first guess, evaluation with its checks, the best so far, the deadline."""

import math
import time

import torch
from jaxtyping import Float
from torch import Tensor

from monde.errors import PlanningError
from monde.limits import MAX_HORIZON_BLOCKS, MAX_ROUNDS, MAX_SAMPLES
from monde.types import ActionSpec, Plan, Problem, Rollout
from monde.types.checks import describe

SEQUENCES_AT_ONCE = 4096
"""Action sequences (rows × samples) handed to the model in one call; more are evaluated in pieces to bound memory."""


class Search:
    """The state of one `plan` call: evaluates action sequences and remembers the best of each row.

    Its first act is to evaluate `guess` alone: there is always a plan to return, and no plan is worse than the guess.

    Args:
        problem: What is solved.
        guess: [B, H, A] first guess, within bounds.
        deadline_seconds: Wall time allowed from now, or none. Checked between evaluations.

    Raises:
        PlanningError: A deadline that is negative or NaN, or a cost that is not usable (see `evaluate`).
    """

    def __init__(self, problem: Problem, guess: Float[Tensor, "B H A"], deadline_seconds: float | None = None) -> None:
        if deadline_seconds is not None and not deadline_seconds >= 0:
            raise PlanningError("the deadline is not a duration", got=deadline_seconds, expected="seconds ≥ 0, or none")
        self._started = time.perf_counter()
        self._deadline_seconds = math.inf if deadline_seconds is None else deadline_seconds
        self._problem = problem
        self._samples = 1
        self._cut = False
        costs, rollout = self._energies(guess[:, None])
        self._guess_cost = costs[:, 0]
        self.best, self.best_cost = guess, costs[:, 0]
        self._best_latents = rollout.latents
        self._longest_seconds = 0.0

    def evaluate(self, actions: Float[Tensor, "B S H A"]) -> Float[Tensor, "B S"]:
        """Energies of action sequences; +Inf means rejected. The best so far is updated.

        Raises:
            PlanningError: The cost is NaN or -Inf anywhere, or has the wrong shape.
        """
        started = time.perf_counter()
        piece = max(1, SEQUENCES_AT_ONCE // self._problem.batch)
        found = []
        for start in range(0, actions.shape[1], piece):
            part = actions[:, start : start + piece]
            costs, rollout = self._energies(part)
            self._remember(part, costs, rollout)
            found.append(costs)
        self._samples += actions.shape[1]
        self._longest_seconds = max(self._longest_seconds, time.perf_counter() - started)
        return torch.cat(found, 1)

    def time_is_up(self) -> bool:
        """Whether another evaluation as long as the longest so far would miss the deadline."""
        self._cut = self._elapsed_seconds() + self._longest_seconds >= self._deadline_seconds
        return self._cut

    def result(self) -> Plan:
        """The plan of lowest energy found, row by row.

        Raises:
            PlanningError: A row of which every sequence was rejected (+Inf).
        """
        hopeless = (~torch.isfinite(self.best_cost)).nonzero().flatten().tolist()
        if hopeless:
            raise PlanningError(
                "every action sequence was rejected",
                got=f"energy +Inf for all {self._samples} samples of rows {hopeless[:5]}",
                expected="at least one finite energy a row",
                remedy="relax the constraint in the cost, or search with more samples or a longer deadline",
            )
        return Plan(
            actions=self.best,
            rollout=Rollout(self._best_latents),
            cost_before=self._guess_cost,
            cost_after=self.best_cost,
            samples=self._samples,
            seconds=self._elapsed_seconds(),
            deadline_hit=self._cut,
        )

    def _elapsed_seconds(self) -> float:
        return time.perf_counter() - self._started

    def _energies(self, actions: Tensor) -> tuple[Tensor, Rollout]:
        rollout = self._problem.imagine(actions)
        costs = self._problem.cost(rollout, actions)
        if costs.shape != actions.shape[:2]:
            raise PlanningError(
                "the cost has the wrong shape",
                got=describe(costs),
                expected=f"[B, S] = {list(actions.shape[:2])}",
                remedy="a cost returns one energy for each row and action sequence",
            )
        if bool((torch.isnan(costs) | torch.isneginf(costs)).any()):
            raise PlanningError(
                "the cost is not a number",
                got=describe(costs),
                expected="finite energies, or +Inf to reject a sequence",
                remedy="look for NaN in the imagined latents, the goal and the weights of the model",
            )
        return costs, rollout

    def _remember(self, actions: Tensor, costs: Tensor, rollout: Rollout) -> None:
        lowest, index = costs.min(1)
        better = lowest < self.best_cost
        row = torch.arange(len(index), device=index.device)
        self.best = torch.where(better[:, None, None], actions[row, index], self.best)
        self.best_cost = torch.where(better, lowest, self.best_cost)
        latents = rollout.latents[row, index][:, None]
        self._best_latents = torch.where(better[:, None, None, None, None, None], latents, self._best_latents)


def first_guess(
    actions: ActionSpec, batch: int, horizon: int, device: torch.device, warm_start: Tensor | None
) -> Float[Tensor, "B H A"]:
    """Where a search starts: `warm_start` brought into bounds, or the middle of the bounds.

    For discrete actions these are the probabilities of each choice, summing to one in every control step.

    Raises:
        PlanningError: A warm start of another shape or device, not finite, or without a choice to make.
    """
    low, high = actions.bounds(device)
    if warm_start is None:
        middle = torch.full_like(low, 1 / actions.choices) if actions.discrete else (low + high) / 2
        return middle.expand(batch, horizon, actions.width)
    if warm_start.shape != (batch, horizon, actions.width) or warm_start.device != low.device:
        raise PlanningError(
            "the warm start does not fit the problem",
            got=describe(warm_start),
            expected=f"[B, H, A] = {[batch, horizon, actions.width]} on {low.device}, the generator's device",
            remedy="shift the last plan of the same rows with monde.planning.shift_plan",
        )
    if not bool(torch.isfinite(warm_start).all()):
        raise PlanningError("the warm start is not finite", got=describe(warm_start), expected="finite actions")
    bounded = torch.clamp(warm_start, low, high)
    if not actions.discrete:
        return bounded
    steps = bounded.reshape(batch, horizon, actions.block, actions.choices)
    total = steps.sum(-1, keepdim=True)
    if not bool((total > 0).all()):
        raise PlanningError("the warm start makes no choice", expected="a positive weight in every control step")
    return (steps / total).flatten(-2)


def shift_plan(actions: ActionSpec, plan: Float[Tensor, "B H A"], blocks: int = 1) -> Float[Tensor, "B H A"]:
    """What is left of `plan` after its first `blocks` blocks, filled up with undecided blocks: the next warm start."""
    B, H, _ = plan.shape
    undecided = first_guess(actions, B, min(blocks, H), plan.device, None).to(plan.dtype)
    return torch.cat([plan[:, blocks:], undecided], 1)


def check_sizes(owner: str, horizon: int, samples: int, rounds: int = 1) -> None:
    """Refuse a search that is empty or beyond the limits.

    Raises:
        PlanningError: Naming the size.
    """
    sizes = {
        "horizon": (horizon, MAX_HORIZON_BLOCKS),
        "samples": (samples, MAX_SAMPLES),
        "rounds": (rounds, MAX_ROUNDS),
    }
    for name, (value, most) in sizes.items():
        if not 1 <= value <= most:
            raise PlanningError(f"{owner}.{name} is out of limits", got=value, expected=f"1 to {most}")
