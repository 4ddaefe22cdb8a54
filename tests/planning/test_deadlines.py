"""Deadlines, on a clock that only imagination moves."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Generator, Tensor

from monde.errors import PlanningError
from monde.planning import (
    CEMConfig,
    CEMPlanner,
    GradientConfig,
    GradientPlanner,
    HybridConfig,
    HybridPlanner,
    ICEMConfig,
    ICEMPlanner,
    MPPIConfig,
    MPPIPlanner,
    RandomShootingConfig,
    RandomShootingPlanner,
    Search,
    search,
)
from monde.protocols import Planner
from monde.types import ActionSpec, Problem, Rollout

SPEC = ActionSpec(low=(-1.0, 0.0), high=(1.0, 4.0), dt_seconds=0.1)
PLANNERS = [
    CEMPlanner(CEMConfig(horizon=3, samples=300, rounds=6, elites=8)),
    ICEMPlanner(ICEMConfig(horizon=3, samples=300, rounds=6, elites=8)),
    MPPIPlanner(MPPIConfig(horizon=3, samples=300, rounds=6, elites=8)),
    RandomShootingPlanner(RandomShootingConfig(horizon=3, samples=2000)),
    HybridPlanner(HybridConfig(horizon=3, samples=300, rounds=6, elites=8)),
]
GRADIENT = GradientPlanner(GradientConfig(horizon=3, samples=300, restarts=8, steps=50))


class Clock:
    """Seconds that pass only when something says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(search, "perf_counter", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def _problem(clock: Clock, seconds: Callable[[int], float], kind: str | None = None) -> Problem:
    """Imagining S sequences takes `seconds(S)`, and so does proposing them."""

    def imagine(actions: Tensor) -> Rollout:
        clock.now += seconds(actions.shape[1])
        return Rollout(actions[:, :, None, :, None])

    def propose(samples: int, horizon: int, generator: Generator) -> Tensor:
        clock.now += seconds(samples)
        found = torch.randn(samples, horizon, 2, generator=generator).clamp(0, 1)
        found[0] = 0.5
        return found.expand(2, -1, -1, -1)

    return Problem(imagine, lambda rollout, actions: rollout.latents.square().sum((2, 3, 4, 5)), SPEC, 2, propose, kind)


COSTLY = {
    "fixed": lambda n: 1e-3,
    "even": lambda n: 2e-4 * n,
    "both": lambda n: 1e-3 + 5e-5 * n,
    "steeper": lambda n: 5e-4 + 2e-5 * n**1.1,
}


@pytest.mark.parametrize("planner", PLANNERS)
@pytest.mark.parametrize("kind", COSTLY)
def test_no_deadline_is_missed_and_most_of_the_time_is_used(planner: Planner, kind: str, clock: Clock) -> None:
    problem = _problem(clock, COSTLY[kind])
    for milliseconds in (8, 20, 50):
        clock.now = 0.0
        plan = planner.plan(problem, Generator().manual_seed(0), milliseconds / 1e3)
        assert clock.now <= milliseconds / 1e3
        assert plan.seconds == clock.now
        if plan.deadline_hit:
            assert clock.now >= 0.4 * milliseconds / 1e3
            assert plan.samples > 1


@pytest.mark.parametrize("kind", COSTLY)
def test_gradient_leaves_time_for_the_way_back(kind: str, clock: Clock) -> None:
    plan = GRADIENT.plan(_problem(clock, COSTLY[kind]), Generator().manual_seed(0), 0.05)
    # Nothing but imagination takes time here: what is left was kept for the backward pass.
    assert 0.3 * 0.05 / search.BACKWARD <= clock.now <= 0.05
    assert plan.samples > 1


def test_the_first_evaluation_is_of_one_sequence_and_pieces_grow_to_what_fits(clock: Clock) -> None:
    sizes: list[int] = []

    def seconds(count: int) -> float:
        sizes.append(count)
        return 1e-3 * count

    plan = CEMPlanner(CEMConfig(horizon=3, samples=300, elites=8, proposals=0)).plan(
        _problem(clock, seconds), Generator().manual_seed(0), 0.025
    )
    # Eight times the first; then 16 ms are left, for 12 sequences with a margin of 25%; then 4 ms, for 3; then 1 ms.
    assert sizes == [1, 8, 12, 3]
    assert plan.samples == sum(sizes)
    assert plan.deadline_hit


@pytest.mark.parametrize("kind", COSTLY)
def test_the_next_plan_knows_the_pace_of_the_last(kind: str, clock: Clock) -> None:
    planner = RandomShootingPlanner(RandomShootingConfig(horizon=3, samples=1000))
    problem = _problem(clock, COSTLY[kind], kind)
    plans = []
    for _ in range(3):
        clock.now = 0.0
        plans.append(planner.plan(problem, Generator().manual_seed(0), 0.012))
        assert clock.now <= 0.012
    assert plans[0].samples < plans[2].samples <= 1017
    assert plans[1].samples >= plans[0].samples


def test_a_machine_that_slows_down_is_believed_at_once(clock: Clock) -> None:
    planner = RandomShootingPlanner(RandomShootingConfig(horizon=3, samples=1000, proposals=0))
    planner.plan(_problem(clock, lambda n: 1e-4 + 1e-5 * n, "same"), Generator().manual_seed(0), 0.02)
    clock.now = 0.0
    plan = planner.plan(_problem(clock, lambda n: 3e-4 + 3e-5 * n, "same"), Generator().manual_seed(0), 0.02)
    assert clock.now <= 0.02
    assert plan.deadline_hit


def test_a_stall_is_forgotten_when_it_is_over(clock: Clock) -> None:
    planner = RandomShootingPlanner(RandomShootingConfig(horizon=3, samples=1000, proposals=0))

    def samples(factor: float) -> int:
        clock.now = 0.0
        problem = _problem(clock, lambda n: factor * (1e-3 + 5e-5 * n), "same")
        return planner.plan(problem, Generator().manual_seed(0), 0.02).samples

    usual = [samples(1.0) for _ in range(4)][-1]
    assert usual > 100
    for factor in (3.0, 100.0, 1.3, 1.0, 1.3, 1.0, 1.3, 1.0, 1.3):
        assert samples(factor) >= 1
    assert [samples(1.0) for _ in range(3)][-1] >= 0.8 * usual


def test_a_pace_drifts_with_noise_in_neither_direction(clock: Clock) -> None:
    planner = RandomShootingPlanner(RandomShootingConfig(horizon=3, samples=1000, proposals=0))
    noise = torch.Generator().manual_seed(0)
    spent = []
    for _ in range(300):
        clock.now = 0.0
        problem = _problem(
            clock, lambda n: (1e-3 + 5e-5 * n) * (0.9 + 0.2 * torch.rand((), generator=noise).item()), "same"
        )
        spent.append(planner.plan(problem, Generator().manual_seed(0), 0.02).seconds)
    late = sorted(spent[-100:])
    assert late[0] > 0.012
    assert late[-1] <= 0.022


def test_a_fixed_time_per_call_is_learned_from_the_pieces(clock: Clock) -> None:
    sizes: list[int] = []

    def seconds(count: int) -> float:
        sizes.append(count)
        return 1e-3

    RandomShootingPlanner(RandomShootingConfig(horizon=3, samples=1000, proposals=0)).plan(
        _problem(clock, seconds), Generator().manual_seed(0), 0.02
    )
    assert sizes[0] == 1
    assert sum(sizes) == 1001
    assert len(sizes) <= 5


@pytest.mark.parametrize("planner", [*PLANNERS, GRADIENT])
@pytest.mark.parametrize("deadline", [None, math.inf, 1e9])
def test_a_deadline_far_away_cuts_nothing(planner: Planner, deadline: float | None, clock: Clock) -> None:
    plan = planner.plan(_problem(clock, lambda n: 1e-4), Generator().manual_seed(0), deadline)
    assert not plan.deadline_hit
    assert plan.samples >= 500


@pytest.mark.parametrize("planner", [*PLANNERS, GRADIENT])
def test_a_deadline_of_zero_gives_the_mode_of_the_proposal(planner: Planner, clock: Clock) -> None:
    warm = torch.full((2, 3, 2), 0.9)
    plan = planner.plan(_problem(clock, lambda n: 1e-4), Generator().manual_seed(0), 0.0, warm)
    assert torch.equal(plan.actions, torch.full((2, 3, 2), 0.5))
    assert plan.samples == 1
    assert plan.deadline_hit


@pytest.mark.parametrize("planner", [*PLANNERS, GRADIENT])
@pytest.mark.parametrize("deadline", [-1.0, -math.inf, math.nan])
def test_what_is_no_duration_is_refused(planner: Planner, deadline: float, clock: Clock) -> None:
    with pytest.raises(PlanningError, match="deadline"):
        planner.plan(_problem(clock, lambda n: 1e-4), Generator().manual_seed(0), deadline)


def test_a_search_that_has_not_begun_has_no_result(clock: Clock) -> None:
    with pytest.raises(PlanningError, match="begun"):
        Search(_problem(clock, lambda n: 1e-4)).result()
