"""Planning by gradient descent through imagination: the model is differentiable, so ask it which way is down.

Through a learned model: Henaff et al. 2017, "Model-Based Planning with Discrete and Continuous Actions" (arXiv
1705.07177); from several starts at once: GradCEM (Bharadhwaj et al. 2020, arXiv 2004.08763).
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from monde.errors import PlanningError
from monde.planning.common import check_deviations, check_range, check_sizes
from monde.planning.distributions import distribution, elite
from monde.planning.noise import white_noise
from monde.planning.opening import one_hot, open_search
from monde.planning.pace import Paces
from monde.planning.search import Search
from monde.types import ActionSpec, Plan, Problem, Rollout
from monde.types.plans import Imagine

FIRST_DECAY, SECOND_DECAY, LEAST = 0.9, 0.99, 1e-8
"""Adam's constants; its memory is shorter than in training, for a search of a few steps."""

CONFIDENCE = 4.0
"""Logit of a choice that a discrete descent starts from, above the others."""


@dataclass(frozen=True, kw_only=True)
class GradientConfig:
    """Settings of `GradientPlanner`.

    Args:
        horizon: Action blocks that are looked ahead.
        samples: Action sequences judged first, per row, to find where to start.
        restarts: Best sequences that are descended from.
        steps: Gradient steps.
        learning_rate: Of Adam, on the inverse tanh of actions in half-ranges (box) or logits (discrete).
        initial_std: Standard deviation of the samples, in half-ranges of each component (discrete: as `CEMConfig`).
        proposals: Sequences of `problem.propose`, if there is one, that join the samples.

    Raises:
        PlanningError: A setting out of range.
    """

    horizon: int = 5
    samples: int = 32
    restarts: int = 8
    steps: int = 20
    learning_rate: float = 0.2
    initial_std: float = 1.0
    proposals: int = 16

    def __post_init__(self) -> None:
        check_sizes("GradientConfig", self.horizon, self.samples, self.steps, proposals=self.proposals)
        check_range("GradientConfig", "restarts", self.restarts, 1, self.samples)
        check_range("GradientConfig", "learning_rate", self.learning_rate, 1e-6, 1e3)
        check_deviations("GradientConfig", self.initial_std, 0.0)


class GradientPlanner:
    """Adam on action blocks kept within bounds by tanh, or on logits of choices with straight-through gradients.

    The straight-through estimator (Bengio et al. 2013, arXiv 1308.3432) imagines the choice and differentiates its
    softmax. All that is judged on the way counts: the best sequence of all is returned.
    """

    def __init__(self, config: GradientConfig) -> None:
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

        Raises:
            PlanningError: Also where imagination or the cost cannot be differentiated, or their gradient is not finite.
        """
        config, spec = self.config, problem.actions
        with torch.inference_mode(False), torch.no_grad():
            search = Search(
                replace(problem, imagine=_insisting(problem.imagine)),
                deadline_seconds,
                self._paces,
                differentiates=True,
            )
            opening = open_search(problem, config.horizon, generator, warm_start, config.proposals, search.hurried)
            search.begin(opening.guess)
            samples = distribution(opening.centre, spec, config.initial_std).draw(
                white_noise(config.samples, config.horizon, spec.width, generator)
            )
            starts, _ = elite(*search.explore(*opening.then(samples)), config.restarts)
            descent = _Descent(spec, starts, config.learning_rate)
            for _ in range(config.steps):
                if search.cut:
                    break
                with torch.enable_grad():
                    actions = descent.actions()
                    gradient = _gradient(search, actions, descent.free)
                if gradient is not None:
                    descent.step(gradient)
            if not search.cut:
                search.evaluate(descent.actions())
            return search.result()


class _Descent:
    """Action blocks as functions of free numbers, and Adam on those (Kingma and Ba 2015, arXiv 1412.6980)."""

    def __init__(self, actions: ActionSpec, starts: Float[Tensor, "B R H A"], learning_rate: float) -> None:
        self._spec = actions
        low, high = actions.bounds(starts.device)
        self._middle, self._half = (low + high) / 2, (high - low) / 2
        # Short of the bounds, where tanh would have no gradient left.
        inside = ((starts - self._middle) / self._half).clamp(-0.98, 0.98)
        self.free = (CONFIDENCE * starts if actions.discrete else torch.atanh(inside)).requires_grad_()
        self._first, self._second = torch.zeros_like(starts), torch.zeros_like(starts)
        self._rate, self._steps = learning_rate, 0

    def actions(self) -> Float[Tensor, "B R H A"]:
        """Within bounds; one-hot if discrete."""
        if not self._spec.discrete:
            return self._middle + self._half * torch.tanh(self.free)
        steps = self.free.unflatten(-1, (self._spec.block, self._spec.choices))
        soft = steps.softmax(-1).flatten(-2)
        return one_hot(self._spec, self.free.detach()) + (soft - soft.detach())

    def step(self, gradient: Tensor) -> None:
        """One step of Adam."""
        self._steps += 1
        self._first.lerp_(gradient, 1 - FIRST_DECAY)
        self._second.lerp_(gradient.square(), 1 - SECOND_DECAY)
        first = self._first / (1 - FIRST_DECAY**self._steps)
        second = self._second / (1 - SECOND_DECAY**self._steps)
        self.free = (self.free.detach() - self._rate * first / (second.sqrt() + LEAST)).requires_grad_()


def _gradient(search: Search, actions: Tensor, free: Tensor) -> Tensor | None:
    """Of the energies of `actions` by `free`; none where the deadline left no time for all of them."""
    try:
        _, costs = search.evaluate(actions)
        if search.cut:
            return None
        # Rows and restarts are apart: the gradient of the sum is that of each.
        found = torch.autograd.grad(costs[:, 1:].sum(), free, allow_unused=True)[0] if costs.requires_grad else None
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        raise _not_differentiable(str(error).splitlines()[0]) from error
    if found is None:
        raise _not_differentiable("energies that do not depend on the actions")
    if not bool(torch.isfinite(found).all()):
        raise PlanningError(
            "the gradient of the cost is not finite",
            got="NaN or Inf",
            expected="a finite gradient at every action sequence",
            remedy="look for a root or a norm at zero in the cost, or plan without gradients (CEM)",
        )
    return found


def _insisting(imagine: Imagine) -> Imagine:
    """`imagine`, made to give a gradient where one is wanted: a cost of the actions alone would hide a lack."""

    def traced(actions: Tensor) -> Rollout:
        rollout = imagine(actions)
        if torch.is_grad_enabled() and not rollout.latents.requires_grad:
            raise _not_differentiable("imagined latents without a gradient")
        return rollout

    return traced


def _not_differentiable(got: str) -> PlanningError:
    return PlanningError(
        "imagination or its cost cannot be differentiated by the actions",
        got=got,
        expected="a model and a cost in differentiable torch operations",
        remedy="remove no_grad, detach and numpy from their path, or plan without gradients (CEM)",
    )
