"""What every planner shares: evaluation with its checks, the best so far, and the deadline."""

import math
from collections.abc import Callable, Hashable
from time import perf_counter

import torch
from jaxtyping import Float
from torch import Tensor

from monde.errors import PlanningError
from monde.planning.pace import Pace, Paces
from monde.types import Plan, Problem, Rollout
from monde.types.checks import describe

SEQUENCES_AT_ONCE = 4096
"""Action sequences (rows × samples) handed to the model in one call; more are evaluated in pieces to bound memory."""

MARGIN = 1.25
"""What an evaluation is expected to take at most, in multiples of what was measured."""

BACKWARD = 2.0
"""What differentiating an evaluation takes, in multiples of the evaluation."""


class Search:
    """The state of one `plan` call: evaluates action sequences and remembers the best of each row.

    The clock starts here, so a planner makes its Search before anything else. `begin` gives the first guess; no plan
    is worse than it. Without a deadline the guess is judged together with the first samples, which saves a call of the
    model. With one it is judged alone, so that there is a plan as soon as can be; what follows is cut into pieces that
    fit the time left, by the pace of those before them and of the planner's last plans.

    Args:
        problem: What is solved.
        deadline_seconds: Wall time allowed from now, or none.
        paces: What the planner remembers of its last plans; none starts anew.
        differentiates: Whether each evaluation is followed by its backward pass.

    Raises:
        PlanningError: A deadline that is negative or NaN.
    """

    best: Float[Tensor, "B H A"]
    best_cost: Float[Tensor, " B"]

    def __init__(
        self,
        problem: Problem,
        deadline_seconds: float | None = None,
        paces: Paces | None = None,
        differentiates: bool = False,
    ) -> None:
        self._started = perf_counter()
        if deadline_seconds is not None and not deadline_seconds >= 0:
            raise PlanningError("the deadline is not a duration", got=deadline_seconds, expected="seconds ≥ 0, or none")
        self._deadline = math.inf if deadline_seconds is None else deadline_seconds
        self._problem = problem
        self._factor = MARGIN * (1 + (BACKWARD if differentiates else 0))
        self._pending: Tensor | None = None
        self._guess_cost: Tensor | None = None
        self._latents: Tensor | None = None
        self._samples = 0
        self._cut = self._short = False
        self._paces = paces or Paces()
        self._pace: dict[bool, Pace] = {}  # of sequences that are proposed, and of others
        self._row: Tensor | None = None

    @property
    def hurried(self) -> bool:
        """Whether there is a deadline."""
        return self._deadline < math.inf

    @property
    def cut(self) -> bool:
        """Whether the deadline has ended the search."""
        return self._cut

    def begin(self, guess: Float[Tensor, "B H A"]) -> None:
        """Take the first guess, within bounds.

        Raises:
            PlanningError: As `evaluate`.
        """
        self._pending = guess
        if self.hurried:
            self._judge_pending()

    def evaluate(self, samples: Float[Tensor, "B S H A"]) -> tuple[Float[Tensor, "B C H A"], Float[Tensor, "B C"]]:
        """The best so far and `samples`, with their energies (+Inf: rejected): C = 1 + S, or less if `cut`.

        Raises:
            PlanningError: The cost is NaN or -Inf anywhere, or has the wrong shape.
        """
        return self.explore(samples.shape[1], lambda start, stop: samples[:, start:stop])

    def explore(
        self, count: int, draw: Callable[[int, int], Float[Tensor, "B n H A"]], proposals: int = 0
    ) -> tuple[Float[Tensor, "B C H A"], Float[Tensor, "B C"]]:
        """As `evaluate`, of sequences that are made when their turn comes: `draw(start, stop)` of 0 to `count`.

        The first `proposals` of them take time to make. Where the deadline does not allow it, they are left out.

        Raises:
            PlanningError: As `evaluate`.
        """
        if not count:
            self._judge_pending()
        known = self._pending is None
        actions, costs = ([self.best[:, None]], [self.best_cost[:, None]]) if known else ([], [])
        done = 0
        while done < count:
            proposed = self.hurried and done < proposals
            piece = self._affordable((proposals if proposed else count) - done, proposed)
            if not piece:
                self._short = True
                if proposed and proposals < count:
                    done = proposals
                    continue
                self._cut = not proposed
                break
            began = perf_counter()
            part = draw(done, done + piece)
            if self._pending is not None:
                part = torch.cat([self._pending[:, None], part], 1)
            actions.append(part)
            costs.append(self._judge(part))
            if self.hurried:
                self._pace[proposed].measure(piece, perf_counter() - began)
            done += piece
        return (torch.cat(actions, 1), torch.cat(costs, 1)) if len(costs) > 1 else (actions[0], costs[0])

    def result(self) -> Plan:
        """The plan of lowest energy found, row by row.

        Raises:
            PlanningError: A row of which every sequence was rejected (+Inf); actions that are not finite.
        """
        self._judge_pending()
        if self._latents is None or self._guess_cost is None:
            raise PlanningError("the search has not begun", remedy="call Search.begin with a first guess")
        usable = torch.isfinite(self.best_cost) & torch.isfinite(self.best).all(-1).all(-1)
        if not bool(usable.all()):
            self._refuse()
        if self._problem.kind is not None:
            for proposed, pace in self._pace.items():
                self._paces.keep(self._kind(proposed), pace)
        return Plan(
            actions=self.best,
            rollout=Rollout(self._latents[:, None]),
            cost_before=self._guess_cost,
            cost_after=self.best_cost,
            samples=self._samples,
            seconds=self._elapsed(),
            deadline_hit=self._short,
        )

    def _judge_pending(self) -> None:
        if self._pending is not None:
            began = perf_counter()
            self._judge(self._pending[:, None])
            if self.hurried:
                self._pace[False] = self._paces.recall(self._kind(False), perf_counter() - began)
                # With all that led to the guess: making it too.
                self._pace[True] = self._paces.recall(self._kind(True), self._elapsed())

    def _affordable(self, left: int, proposed: bool) -> int:
        """How many more sequences of each row there is time for now."""
        piece = min(left, max(1, SEQUENCES_AT_ONCE // self._problem.batch))
        if not self.hurried:
            return piece
        return min(piece, self._pace[proposed].affordable((self._deadline - self._elapsed()) / self._factor))

    def _kind(self, proposed: bool) -> Hashable:
        return self._problem.kind, self.best.shape, proposed

    def _elapsed(self) -> float:
        return perf_counter() - self._started

    def _judge(self, actions: Tensor) -> Tensor:
        """Energies [B, S] of some sequences; the best so far is updated."""
        rollout = self._problem.imagine(actions)
        costs = self._problem.cost(rollout, actions)
        if costs.shape != actions.shape[:2]:
            raise PlanningError(
                "the cost has the wrong shape",
                got=describe(costs),
                expected=f"[B, S] = {list(actions.shape[:2])}",
                remedy="a cost returns one energy for each row and action sequence",
            )
        self._samples += actions.shape[1]
        with torch.no_grad():
            energies = costs.detach()
            index = energies.argmin(1)
            if self._row is None:
                self._row = torch.arange(len(index), device=index.device)
            lowest = energies[self._row, index]
            # A minimum is NaN where anything is; +Inf alone is allowed.
            if not lowest.amin().item() > -math.inf:
                raise _not_a_number(actions, rollout, costs)
            self._remember(lowest, actions.detach()[self._row, index], rollout.latents.detach()[self._row, index])
        if self._pending is not None:
            self._pending, self._guess_cost = None, costs.detach()[:, 0]
        return costs

    def _remember(self, lowest: Tensor, actions: Tensor, latents: Tensor) -> None:
        if self._latents is None:
            self.best, self.best_cost, self._latents = actions, lowest, latents
            return
        better = lowest < self.best_cost
        self.best = torch.where(better[:, None, None], actions, self.best)
        self.best_cost = torch.minimum(lowest, self.best_cost)
        self._latents = torch.where(better[:, None, None, None, None], latents, self._latents)

    def _refuse(self) -> None:
        if not bool(torch.isfinite(self.best).all()):
            raise PlanningError(
                "the planned actions are not finite",
                got=describe(self.best),
                expected="finite actions",
                remedy="look for NaN in the proposal",
            )
        hopeless = (~torch.isfinite(self.best_cost)).nonzero().flatten().tolist()
        raise PlanningError(
            "every action sequence was rejected",
            got=f"energy +Inf for all {self._samples} samples of rows {hopeless[:5]}",
            expected="at least one finite energy a row",
            remedy="let the constraint take the least violation (violation='least'), or search with more samples",
        )


def _not_a_number(actions: Tensor, rollout: Rollout, costs: Tensor) -> PlanningError:
    looked = {"actions": actions, "imagined latents": rollout.latents}
    culprit = next((name for name, value in looked.items() if not bool(torch.isfinite(value).all())), "cost alone")
    return PlanningError(
        "the cost is not a number",
        got=f"{describe(costs)}; first seen in the {culprit}",
        expected="finite energies, or +Inf to reject a sequence",
        remedy="look for NaN in the proposal, the weights of the model, the goal and the cost",
    )
