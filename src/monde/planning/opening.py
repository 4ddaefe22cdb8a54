"""Where a search starts: the actor's proposal, what is left of the last plan, or the middle of the bounds."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from monde.errors import PlanningError
from monde.types import ActionSpec, Problem
from monde.types.checks import describe


@dataclass(frozen=True, kw_only=True)
class Opening:
    """The first guess of a search and what is tried beside it.

    Args:
        centre: [B, H, A], around which a planner draws; for discrete actions probabilities of each choice.
        guess: [B, H, A], the most likely sequence of `centre`; within bounds, one-hot if discrete.
        count: Sequences that `draw` can make: further proposals, and a warm start beside them.
        draw: Sequences start to stop of those, [B, stop - start, H, A].
    """

    centre: Float[Tensor, "B H A"]
    guess: Float[Tensor, "B H A"]
    count: int
    draw: Callable[[int, int], Tensor]

    def then(self, samples: Float[Tensor, "B S H A"]) -> tuple[int, Callable[[int, int], Tensor], int]:
        """What the first round explores: the sequences of the opening, then `samples` (see `Search.explore`)."""

        def draw(start: int, stop: int) -> Tensor:
            if start >= self.count:
                return samples[:, start - self.count : stop - self.count]
            if stop <= self.count:
                return self.draw(start, stop)
            return torch.cat([self.draw(start, self.count), samples[:, : stop - self.count]], 1)

        return self.count + samples.shape[1], draw, self.count


def open_search(
    problem: Problem,
    horizon: int,
    generator: Generator,
    warm_start: Float[Tensor, "B H A"] | None,
    proposals: int,
    hurried: bool,
) -> Opening:
    """The opening of a search: the mode of the proposal, or the warm start, or the middle of the bounds.

    Args:
        problem: What is solved.
        horizon: H.
        generator: Source of the proposal's noise.
        warm_start: Joins the first round where there is a proposal.
        proposals: Sequences asked of `problem.propose` at most, its mode among them; 0 asks for none.
        hurried: Whether the first guess must be ready at once; the other proposals are then made when asked for.

    Raises:
        PlanningError: A warm start or a proposal that does not fit.
    """
    spec, device = problem.actions, generator.device
    warm = None if warm_start is None else first_guess(spec, problem.batch, horizon, device, warm_start)
    if problem.propose is None or not proposals:
        centre = first_guess(spec, problem.batch, horizon, device, None) if warm is None else warm
        guess = one_hot(spec, centre) if spec.discrete else centre
        return Opening(centre=centre, guess=guess, count=0, draw=lambda start, stop: guess[:, None][:, start:stop])
    beside = 0 if warm is None else 1
    first = proposed(problem, 1 if hurried else proposals, horizon, generator)

    def draw(start: int, stop: int) -> Tensor:
        parts = []
        if beside and start == 0 and warm is not None:
            parts.append((one_hot(spec, warm) if spec.discrete else warm)[:, None])
        wanted = stop - max(start, beside)
        if wanted > 0 and not hurried:
            offset = max(start, beside) - beside + 1
            parts.append(first[:, offset : offset + wanted])
        elif wanted > 0:
            # The mode leads every call of `propose`; it is known.
            parts.append(proposed(problem, wanted + 1, horizon, generator)[:, 1:])
        return torch.cat(parts, 1)

    guess = first[:, 0]
    return Opening(centre=guess, guess=guess, count=beside + proposals - 1, draw=draw)


def proposed(problem: Problem, samples: int, horizon: int, generator: Generator) -> Float[Tensor, "B S H A"]:
    """What `problem.propose` gives, brought into bounds; the first of each row is its mode.

    Raises:
        PlanningError: There is no `propose`, or what it gives has the wrong shape or device.
    """
    if problem.propose is None:
        raise PlanningError(
            "there is nobody to propose actions",
            got="a problem without `propose`",
            expected="an actor's proposal",
            remedy="give the strategy an actor, or use a planner that needs none (CEM)",
        )
    found = problem.propose(samples, horizon, generator)
    spec = problem.actions
    shape = (problem.batch, samples, horizon, spec.width)
    if found.shape != shape or found.device != generator.device:
        raise PlanningError(
            "the proposal does not fit the problem",
            got=describe(found),
            expected=f"[B, S, H, A] = {list(shape)} on {generator.device}, the generator's device",
        )
    return one_hot(spec, found) if spec.discrete else torch.clamp(found, *spec.bounds(found.device))


def first_guess(
    actions: ActionSpec, batch: int, horizon: int, device: torch.device, warm_start: Tensor | None
) -> Float[Tensor, "B H A"]:
    """`warm_start` brought into bounds, or the middle of the bounds.

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


def one_hot(actions: ActionSpec, scores: Float[Tensor, "... A"]) -> Float[Tensor, "... A"]:
    """The choice of highest score in every control step of discrete blocks; NaN is no choice and stays."""
    steps = scores.unflatten(-1, (actions.block, actions.choices))
    best = steps.amax(-1, keepdim=True)
    chosen = torch.zeros_like(steps).scatter_(-1, steps.argmax(-1, keepdim=True), 1.0)
    return torch.where(torch.isnan(best), best, chosen).flatten(-2)
