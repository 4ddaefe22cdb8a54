"""No search: what the actor proposes is done."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from monde.planning.common import check_sizes
from monde.planning.opening import proposed
from monde.planning.search import Search
from monde.types import Plan, Problem, Rollout


@dataclass(frozen=True, kw_only=True)
class ProposalConfig:
    """Settings of `ProposalPlanner`.

    Args:
        horizon: Action blocks proposed.

    Raises:
        PlanningError: A horizon out of limits.
    """

    horizon: int = 1

    def __post_init__(self) -> None:
        check_sizes("ProposalConfig", self.horizon, 1)


class ProposalPlanner:
    """The mode of `problem.propose`, imagined once so that its cost is known: the actor alone."""

    def __init__(self, config: ProposalConfig) -> None:
        self.config = config

    def plan(
        self,
        problem: Problem,
        generator: Generator,
        deadline_seconds: float | None = None,
        warm_start: Float[Tensor, "B H A"] | None = None,
    ) -> Plan:
        """What the actor would do; `deadline_seconds` and `warm_start` change nothing.

        The cost is called in inference mode: one that takes gradients of its own needs another planner.

        Raises:
            PlanningError: A problem without `propose`, a proposal that does not fit, or a cost that is not usable.
        """
        # Hundreds of small operations: without autograd's records they take an eighth less time.
        with torch.inference_mode():
            search = Search(problem, deadline_seconds)
            search.begin(proposed(problem, 1, self.config.horizon, generator)[:, 0])
            plan = search.result()
        # Copies made out here are ordinary tensors, which may take part in gradients again.
        return replace(
            plan,
            actions=plan.actions.clone(),
            rollout=Rollout(plan.rollout.latents.clone()),
            cost_before=plan.cost_before.clone(),
            cost_after=plan.cost_after.clone(),
        )
