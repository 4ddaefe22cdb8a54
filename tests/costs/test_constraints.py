"""What must not happen: regions to keep out of, limits of readouts."""

import math

import pytest
import torch
from torch import Tensor

from analytic import AnalyticModel, belief_at
from monde.costs import WORST, Clearance, Constraint, KeepOut, LatentDistance, Limit, Risk
from monde.errors import PlanningError
from monde.planning import CEMConfig, CEMPlanner, GradientConfig, GradientPlanner, MPPIConfig, MPPIPlanner, pose
from monde.protocols import Planner
from monde.types import LatentGoal, Rollout
from monde.types.plans import RolloutFrom

GOAL = LatentGoal(torch.zeros(1, 1, 2))


def _position(latents: Tensor) -> Tensor:
    return latents[..., 0, :]


def _way(*places: tuple[float, float], start: tuple[float, float] | None = None) -> Rollout:
    """One sequence through some places."""
    latents = torch.tensor(places).reshape(1, 1, 1, len(places), 1, 2)
    return RolloutFrom(latents, None, None if start is None else torch.tensor(start).reshape(1, 1, 2))


def _energy(cost: Constraint, rollout: Rollout) -> float:
    return cost(rollout, torch.zeros(*rollout.latents.shape[:2], rollout.latents.shape[3], 2), GOAL).item()


def _ball(**settings: object) -> KeepOut:
    return KeepOut(readout=_position, centre=(0.0, 0.0), radius=1.0, **{"violation": "graded", **settings})  # type: ignore[arg-type]


def _box(**settings: object) -> KeepOut:
    given = {"violation": "graded", "half_sides": (1.0, 2.0), **settings}
    return KeepOut(readout=_position, centre=(0.0, 0.0), **given)  # type: ignore[arg-type]


def test_the_depth_of_entry_counts_with_its_margin() -> None:
    assert _energy(_ball(), _way((0.5, 0.0))) == pytest.approx(0.5)
    assert _energy(_ball(margin=0.25), _way((0.5, 0.0))) == pytest.approx(0.75)
    assert _energy(_ball(), _way((1.5, 0.0))) == 0
    assert _energy(_box(), _way((0.5, 0.0))) == pytest.approx(0.5)
    assert _energy(_box(margin=0.25), _way((0.5, 0.0))) == pytest.approx(0.75)
    assert _energy(_box(), _way((0.0, 2.5))) == 0
    assert _energy(_ball(penalty=3.0), _way((0.5, 0.0))) == pytest.approx(1.5)


@pytest.mark.parametrize("region", [_ball, _box])
def test_what_lies_between_two_states_outside_is_seen(region: type[KeepOut]) -> None:
    through, beside = _way((-5.0, 0.0), (5.0, 0.0)), _way((-5.0, 3.0), (5.0, 3.0))
    assert _energy(region(), through) == pytest.approx(1.0)
    assert _energy(region(), beside) == 0
    # Along an axis, and past a corner.
    assert _energy(region(), _way((3.0, -5.0), (3.0, 5.0))) == 0
    assert _energy(region(), _way((0.0, 4.0), (4.0, 0.0))) == 0


@pytest.mark.parametrize("region", [_ball, _box])
def test_the_first_stretch_begins_at_the_present(region: type[KeepOut]) -> None:
    assert _energy(region(), _way((5.0, 0.0), start=(-5.0, 0.0))) == pytest.approx(1.0)
    assert _energy(region(), _way((5.0, 0.0))) == 0


def test_a_box_agrees_with_many_points_along_the_way() -> None:
    generator = torch.Generator().manual_seed(0)
    places = 4 * torch.randn(1, 500, 1, 2, 1, 2, generator=generator)
    share = torch.linspace(0, 1, 2001)[:, None]
    begins, ends = places[0, :, 0, 0, 0], places[0, :, 0, 1, 0]
    points = begins[:, None] + share * (ends - begins)[:, None]
    depth = (torch.tensor([1.0, 2.0]) - points.abs()).amin(-1).amax(1)
    first = (torch.tensor([1.0, 2.0]) - begins.abs()).amin(-1).clamp_min(0)
    found = _box()(Rollout(places), torch.zeros(1, 500, 2, 2), GOAL)[0] - first
    clear = depth.abs() > 0.01
    assert torch.equal((found > 0)[clear], (depth > 0)[clear])
    # The middle of a chord lies at least half as deep as its deepest point.
    assert bool((found <= depth.clamp_min(0) + 1e-2).all())
    assert bool((found >= 0.5 * depth - 1e-2).all())


def test_answers_to_a_violation() -> None:
    inside, outside = _way((0.5, 0.0)), _way((2.0, 0.0))
    assert _energy(_ball(violation="reject"), inside) == math.inf
    assert _energy(_ball(violation="least"), inside) == pytest.approx(1.5e6)
    for violation in ("reject", "least", "graded"):
        assert _energy(_ball(violation=violation), outside) == 0


def test_later_blocks_can_count_less_or_not_at_all() -> None:
    way = _way((2.0, 0.0), (0.5, 0.0), (0.5, 0.0))
    assert _energy(_ball(), way) == pytest.approx(1.0)
    assert _energy(_ball(discount=0.5), way) == pytest.approx(0.5 * 0.5 + 0.25 * 0.5)
    assert _energy(_ball(blocks=2), way) == pytest.approx(0.5)
    assert _energy(_ball(blocks=1, violation="reject"), way) == 0
    assert _energy(_ball(blocks=99), way) == pytest.approx(1.0)


def test_hypotheses_are_reduced_by_the_risk() -> None:
    latents = torch.tensor([[0.5, 0.0], [2.0, 0.0]]).reshape(1, 1, 2, 1, 1, 2)
    assert _energy(_ball(risk=WORST), Rollout(latents)) == pytest.approx(0.5)
    assert _energy(_ball(risk=Risk(kind="mean")), Rollout(latents)) == pytest.approx(0.25)
    assert _energy(_ball(risk=Risk(kind="mean"), violation="reject"), Rollout(latents)) == math.inf


def test_limits_count_what_lies_beyond() -> None:
    limit = Limit(readout=_position, low=(-1.0, -math.inf), high=(1.0, 2.0), violation="graded")
    assert _energy(limit, _way((0.0, -99.0), (1.0, 2.0))) == 0
    assert _energy(limit, _way((-1.5, 2.25), (3.0, 0.0))) == pytest.approx(0.5 + 0.25 + 2.0)


@pytest.mark.parametrize("cost", [_ball(violation="reject"), _ball(violation="least"), _box()])
def test_a_readout_of_nan_is_neither_allowed_nor_repaired(cost: KeepOut) -> None:
    assert math.isnan(_energy(cost, _way((math.nan, 0.0))))


def test_a_readout_of_another_width_is_refused() -> None:
    with pytest.raises(PlanningError, match="wrong shape"):
        _energy(KeepOut(readout=_position, centre=(0.0,), radius=1.0), _way((0.0, 0.0)))
    with pytest.raises(PlanningError, match="wrong shape"):
        _energy(Limit(readout=lambda latents: latents[..., 0, 0], low=(0.0,), high=(1.0,)), _way((0.0, 0.0)))


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"radius": None}, "ball or a box"),
        ({"half_sides": (1.0, 1.0)}, "ball or a box"),
        ({"radius": 0.0}, "size"),
        ({"radius": -1.0}, "size"),
        ({"radius": math.inf}, "size"),
        ({"radius": None, "half_sides": (1.0,)}, "unequal"),
        ({"radius": None, "half_sides": (1.0, math.nan)}, "size"),
        ({"centre": (0.0, math.nan)}, "centre"),
        ({"margin": -0.1}, "margin"),
        ({"margin": math.nan}, "margin"),
        ({"penalty": 0.0}, "penalty"),
        ({"penalty": math.inf}, "penalty"),
        ({"blocks": 0}, "blocks"),
        ({"discount": 0.0}, "discount"),
        ({"discount": 1.5}, "discount"),
    ],
)
def test_regions_that_make_no_sense_are_refused(settings: dict[str, object], named: str) -> None:
    given = {"readout": _position, "centre": (0.0, 0.0), "radius": 1.0, **settings}
    with pytest.raises(PlanningError, match=named):
        KeepOut(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("low", "high"),
    [
        ((1.0,), (-1.0,)),
        ((math.nan,), (1.0,)),
        ((0.0,), (math.nan,)),
        ((-math.inf,), (math.inf,)),
        ((math.inf,), (math.inf,)),
        ((0.0, 0.0), (1.0,)),
        ((), ()),
    ],
)
def test_limits_that_make_no_sense_are_refused(low: tuple[float, ...], high: tuple[float, ...]) -> None:
    with pytest.raises(PlanningError, match="Limit"):
        Limit(readout=_position, low=low, high=high)


PLANNERS = [
    CEMPlanner(CEMConfig(horizon=4, samples=200, rounds=8, elites=15)),
    MPPIPlanner(MPPIConfig(horizon=4, samples=200, rounds=8)),
    GradientPlanner(GradientConfig(horizon=4, samples=200, restarts=8, steps=40)),
]


@pytest.mark.parametrize("violation", ["least", "reject"])
@pytest.mark.parametrize("planner", PLANNERS)
def test_plans_go_around(planner: Planner, violation: str) -> None:
    """The straight way from left to right leads through the region."""
    region = KeepOut(readout=_position, centre=(32.0, 30.0), radius=6.0, margin=1.0, violation=violation)  # type: ignore[arg-type]
    goal = LatentGoal(torch.tensor([[[48.0, 32.0]]]))
    model, belief = AnalyticModel(), belief_at([[16.0, 32.0]])
    free = planner.plan(pose(model, belief, LatentDistance(), goal), torch.Generator().manual_seed(0))
    assert region(RolloutFrom(free.rollout.latents, None, belief.newest), free.actions[:, None], goal).item() > 0
    problem = pose(model, belief, LatentDistance(reduce="last") + region, goal)
    plan = planner.plan(problem, torch.Generator().manual_seed(0))
    assert region(RolloutFrom(plan.rollout.latents, None, belief.newest), plan.actions[:, None], goal).item() == 0
    reached = torch.linalg.vector_norm(plan.rollout.latents[0, 0, 0, -1, 0] - goal.latents[0, 0])
    # Descent ends in front of the region where all of its starts lie there: the way around leads uphill first.
    assert reached.item() < (10 if not isinstance(planner, GradientPlanner) else 26)


@pytest.mark.parametrize("planner", PLANNERS)
def test_where_nothing_is_allowed_the_least_violation_is_chosen_or_told(planner: Planner) -> None:
    """Inside a region far larger than a plan can leave: the way out is away from its centre."""
    model, belief = AnalyticModel(), belief_at([[32.0, 32.0]])
    goal = LatentGoal(torch.tensor([[[6.0, 32.0]]]))

    def posed(violation: str) -> Constraint:
        return KeepOut(readout=_position, centre=(30.0, 32.0), radius=500.0, violation=violation)  # type: ignore[arg-type]

    with pytest.raises(PlanningError, match="rejected"):
        planner.plan(pose(model, belief, LatentDistance() + posed("reject"), goal), torch.Generator().manual_seed(0))
    plan = planner.plan(pose(model, belief, LatentDistance() + posed("least"), goal), torch.Generator().manual_seed(0))
    # The goal pulls to the left, through the centre; less violation is to the right.
    assert plan.rollout.latents[0, 0, 0, -1, 0, 0].item() > 40


def _four_walls(latents: Tensor) -> Tensor:
    """Ranges ahead, left, behind and right of a scanner in a room of 10 × 10 whose middle is the origin."""
    x, y = latents[..., 0, 0], latents[..., 0, 1]
    return torch.stack([5 - x, 5 - y, 5 + x, 5 + y], dim=-1)


def test_clearance_counts_by_how_much_the_nearest_thing_is_nearer() -> None:
    cost = Clearance(readout=_four_walls, least_metres=1.0, violation="graded")
    assert _energy(cost, _way((0.0, 0.0), (3.9, 0.0))) == 0
    assert _energy(cost, _way((0.0, 0.0), (4.5, 0.0))) == pytest.approx(0.5)
    assert _energy(cost, _way((4.5, 0.0), (0.0, -4.25))) == pytest.approx(0.75)
    assert _energy(Clearance(readout=_four_walls, least_metres=1.0, violation="reject"), _way((4.5, 0.0))) == math.inf
    with pytest.raises(PlanningError, match="wrong shape"):
        _energy(Clearance(readout=lambda latents: latents[..., 0, 0], least_metres=1.0), _way((0.0, 0.0)))
    with pytest.raises(PlanningError, match="least_metres"):
        Clearance(readout=_four_walls, least_metres=0.0)
