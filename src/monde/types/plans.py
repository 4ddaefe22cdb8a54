"""What a planner is given (`Problem`) and what it returns (`Plan`). A planner owns no model and knows no goal."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from jaxtyping import Float
from torch import Generator, Tensor

from monde.errors import ContractError
from monde.types.actions import ActionSpec
from monde.types.beliefs import Rollout
from monde.types.checks import check_leading, check_rank, describe

Imagine = Callable[[Tensor], Rollout]
"""Action blocks [B, S, H, A] to their imagined futures."""

Energy = Callable[[Rollout, Tensor], Tensor]
"""Futures and the actions [B, S, H, A] that led there to energies [B, S]; lower is better."""

Propose = Callable[[int, int, Generator], Tensor]
"""`propose(S, H, generator)` to proposed action blocks [B, S, H, A], S ≥ 1, of the B rows of the problem.

- The first of each row, [:, 0], is the mode: what would be done without search. It depends neither on the generator nor
  on S. The others are drawn around it with the generator, which is on the model's device.
- float32, on the generator's device, finite, in the world's units and within the bounds of `Problem.actions`; one-hot
  in every control step if discrete. A planner clips what is beyond the bounds, and refuses all else.
- Noise is shared by the rows, so that a row's proposal does not depend on how many others there are.
- It is called without gradients, and may be called several times in one plan, with another S each time.
"""


@dataclass(frozen=True, repr=False)
class RolloutFrom(Rollout):
    """Imagined futures that know where they begin: a cost of the way, not of the states alone, needs the first stretch.

    Args:
        start: [B, N, D] latents that all futures of a row begin at, or none where that is not known.

    Raises:
        ContractError: A start that does not line up with the futures.
    """

    start: Float[Tensor, "B N D"] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.start is not None:
            B, _, _, _, N, D = self.latents.shape
            check_rank("RolloutFrom", "start", self.start, "B N D")
            check_leading("RolloutFrom", "start", self.start, (B, N, D), "B N D")


@dataclass(frozen=True)
class Problem:
    """One planning problem for each of `batch` rows, as callables over action blocks.

    Args:
        imagine: [B, S, H, A] to Rollout.
        cost: (Rollout, [B, S, H, A]) to [B, S]; goal already bound.
        actions: Bounds, block length and kind of the action blocks.
        batch: B.
        propose: Optional source of good first guesses (an actor); what it must give is said at `Propose`.
        kind: Equal for problems that differ in belief and goal only, and so take equally long: what a planner learns of
            their pace helps it to keep the next deadline. None where that is not known; then nothing is remembered.

    Raises:
        ContractError: A batch below 1, or actions of which there is nothing to choose.
    """

    imagine: Imagine
    cost: Energy
    actions: ActionSpec
    batch: int
    propose: Propose | None = None
    kind: Hashable | None = None

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise ContractError("Problem.batch must be positive", got=self.batch, expected="at least one row")
        if self.actions.unactuated:
            raise ContractError("there is nothing to plan", got="unactuated actions", expected="a box or discrete set")


@dataclass(frozen=True, repr=False)
class Plan:
    """What to do, what is expected to come of it, and what it took to find out.

    Args:
        actions: [B, H, A] action blocks, within bounds.
        rollout: The imagined future of `actions` (S = 1).
        cost_before: [B] energy of the first guess.
        cost_after: [B] energy of `actions`; never above `cost_before` by more than rounding.
        samples: Action sequences evaluated, per row.
        seconds: Wall time of the whole call (all rows together).
        deadline_hit: Whether the deadline cut the search short.
        success_probability: [B], or none where nothing is calibrated to tell.
    """

    actions: Float[Tensor, "B H A"]
    rollout: Rollout
    cost_before: Float[Tensor, " B"]
    cost_after: Float[Tensor, " B"]
    samples: int
    seconds: float
    deadline_hit: bool = False
    success_probability: Float[Tensor, " B"] | None = None

    def __post_init__(self) -> None:
        check_rank("Plan", "actions", self.actions, "B H A")
        B = self.actions.shape[:1]
        check_leading("Plan", "cost_before", self.cost_before, B, "B")
        check_leading("Plan", "cost_after", self.cost_after, B, "B")

    def __repr__(self) -> str:
        cut = ", cut short by its deadline" if self.deadline_hit else ""
        return (
            f"Plan(actions={describe(self.actions)}, cost {self.cost_before.mean().item():.4g} to "
            f"{self.cost_after.mean().item():.4g}, {self.samples} samples in {self.seconds * 1e3:.3g} ms{cut})"
        )
