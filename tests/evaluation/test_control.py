import numpy as np
import pytest

from analytic import AnalyticModel
from monde.agents import Strategy
from monde.costs import LatentDistance
from monde.errors import ContractError, WorldError
from monde.evaluation import (
    ControlConfig,
    RankingConfig,
    describe_strategy,
    films,
    protocol_card,
    score_control,
    score_ranking,
    scorecard,
)
from monde.evaluation.starts import draw_starts
from monde.planning import CEMConfig, CEMPlanner
from monde.protocols import World
from monde.scorecard import Scorecard
from monde.worlds import TwoRoom, TwoRoomConfig, make

PLANNER = CEMPlanner(CEMConfig(horizon=4, samples=48, rounds=3, elites=8))
SEARCH = Strategy(PLANNER, LatentDistance())
SUMMED = Strategy(PLANNER, LatentDistance() + 0.5 * LatentDistance(reduce="last"))
CONFIG = ControlConfig(episodes=10, budget_steps=50, batch=6, timed_plans=4, films=2)


def test_control_is_scored_beside_its_floors() -> None:
    done: list[tuple[int, int]] = []
    score = score_control(
        AnalyticModel(),
        Strategy(PLANNER, LatentDistance()),
        "tworoom",
        CONFIG,
        progress=lambda n, of: done.append((n, of)),
    )
    rows = {row.metric: row for row in score.rows}
    success = rows["success"]
    assert success.n == 10
    assert success.interval is not None
    assert success.interval[0] <= success.value <= success.interval[1]
    assert success.value > max(success.floors.values())
    assert set(success.floors) == {"random", "stay"}
    # A stay that succeeds would mean a start at its goal.
    assert success.floors["stay"] == 0
    assert rows["steps_to_success"].n == round(10 * success.value)
    assert rows["final_distance"].value < rows["final_distance"].floors["stay"]
    assert rows["plan_seconds"].n == 4
    assert 0 < rows["plan_seconds"].value <= rows["plan_seconds_p95"].value
    assert rows["plans_per_second_batched"].value > 0
    assert done == [(6, 10), (10, 10)]
    assert len(set(score.seeds)) == 10
    assert score.films is not None
    shown = films(score.films)
    assert [film.seed for film in shown] == list(score.seeds[:2])
    assert all(len(film.frames) == film.steps + 1 for film in shown)


def test_the_same_seed_scores_the_same() -> None:
    first, second = (score_control(AnalyticModel(), SEARCH, "tworoom", CONFIG).rows for _ in range(2))
    assert {r.metric: r.value for r in first if "plan" not in r.metric} == {
        r.metric: r.value for r in second if "plan" not in r.metric
    }


def test_starts_at_their_goal_are_drawn_again_and_counted() -> None:
    """Once, a published cube benchmark scored starts that were already solved."""

    def easy(batch: int) -> World:
        return TwoRoom(TwoRoomConfig(success_pixels=25.0), batch=batch)

    seeds, redrawn = draw_starts(easy, 40, 0, 16)
    assert len(seeds) == 40
    assert redrawn > 5
    world = easy(40)
    world.reset(seeds)
    assert not world.success().any()
    assert draw_starts(easy, 40, 0, 16) == (seeds, redrawn)
    assert draw_starts(easy, 40, 1, 16)[0] != seeds


def test_a_world_that_is_always_solved_is_given_up() -> None:
    with pytest.raises(WorldError, match="again and again"):
        draw_starts(lambda batch: TwoRoom(TwoRoomConfig(success_pixels=100.0), batch=batch), 4, 0, 4)


class _Aimless(TwoRoom):
    """A world without goals of its own."""

    def goal(self) -> None:  # type: ignore[override]
        return None


def test_a_world_without_goals_is_refused() -> None:
    with pytest.raises(WorldError, match="no goal"):
        draw_starts(lambda batch: _Aimless(batch=batch), 4, 0, 4)
    with pytest.raises(WorldError, match="no goal"):
        score_ranking(AnalyticModel(), LatentDistance(), lambda batch: _Aimless(batch=batch))
    with pytest.raises(ContractError):
        ControlConfig(episodes=0)
    with pytest.raises(ContractError):
        RankingConfig(samples=1)


def test_a_true_model_ranks_as_reality_does_and_a_blind_one_cannot() -> None:
    config = RankingConfig(starts=8, samples=24, horizon=4)
    open_world = TwoRoomConfig(door_pixels=58.0, wall_pixels=0.5)
    rows = {
        row.metric: row
        for row in score_ranking(
            AnalyticModel(), LatentDistance(), lambda batch: TwoRoom(open_world, batch=batch), config
        )
    }
    assert rows["ranking_tau"].value > 0.85
    assert rows["ranking_tau"].value > rows["ranking_tau_final"].value > 0.6
    assert abs(rows["ranking_tau"].floors["shuffled"]) < 0.3
    assert rows["ranking_tau"].n == 8
    last = score_ranking(
        AnalyticModel(), LatentDistance(reduce="last"), lambda batch: TwoRoom(open_world, batch=batch), config
    )
    assert {row.metric: row.value for row in last}["ranking_tau_final"] > 0.98
    with pytest.raises(WorldError, match="tells"):
        score_ranking(AnalyticModel(blind=True), LatentDistance(), lambda batch: make("tworoom", batch), config)


def test_the_protocol_card_holds_what_must_be_equal() -> None:
    def card(budget: int) -> Scorecard:
        planner = describe_strategy(
            Strategy(PLANNER, LatentDistance() + 0.5 * LatentDistance(reduce="last")), replan_every=1
        )
        protocol = protocol_card(
            world="tworoom", budget_steps=budget, seeds=(1, 2), planner=planner, data_hash="abc", extra={"n": 50}
        )
        return scorecard("demo", (), protocol, (0,))

    first = card(100)
    assert first.protocol_id == card(100).protocol_id
    assert first.protocol_id != card(50).protocol_id
    document = first.to_json()
    assert Scorecard.from_json(document).protocol_id == first.protocol_id
    planner = first.protocol["planner"]
    assert isinstance(planner, dict)
    assert planner["planner"] == "CEMPlanner"
    assert planner["samples"] == 48
    assert "LatentDistance" in str(planner["cost"])
    assert np.isin(["world", "budget_steps", "goal", "success_test", "start_filter"], list(first.protocol)).all()
