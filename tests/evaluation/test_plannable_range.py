import pytest

from analytic import AnalyticModel
from monde.costs import LatentDistance
from monde.errors import ContractError, WorldError
from monde.evaluation import RangeConfig, score_plannable_range
from monde.protocols import World
from monde.worlds import TwoRoom, TwoRoomConfig, make

CONFIG = RangeConfig(starts=6, samples=16, blocks=6)


def _open(batch: int) -> World:
    return TwoRoom(TwoRoomConfig(door_pixels=58.0, wall_pixels=0.5), batch=batch)


def test_a_true_model_can_be_planned_with_as_far_as_one_looks() -> None:
    rows = {row.metric: row for row in score_plannable_range(AnalyticModel(), LatentDistance(), _open, CONFIG)}
    assert rows["plannable_range_steps"].value == 30
    assert "may reach further" in rows["plannable_range_steps"].note
    assert all(rows[f"range_tau/{steps}"].value > 0.9 for steps in range(5, 31, 5))
    assert abs(rows["range_tau/5"].floors["shuffled"]) < 0.4


def test_walls_that_a_model_does_not_know_shorten_its_range() -> None:
    def taus(make_world: object) -> list[float]:
        found = score_plannable_range(AnalyticModel(), LatentDistance(), make_world, CONFIG)  # type: ignore[arg-type]
        return [row.value for row in found if row.metric.startswith("range_tau")]

    walled = taus(lambda batch: make("tworoom", batch))
    assert walled[-1] < taus(_open)[-1]


def test_a_model_that_is_wrong_has_no_range_and_a_blind_one_cannot_be_ranked() -> None:
    wrong = AnalyticModel(step=-2.0)
    rows = {row.metric: row for row in score_plannable_range(wrong, LatentDistance(), _open, CONFIG)}
    assert rows["plannable_range_steps"].value == 0
    with pytest.raises(WorldError, match="no start tells"):
        score_plannable_range(AnalyticModel(blind=True), LatentDistance(), _open, CONFIG)
    with pytest.raises(ContractError):
        RangeConfig(threshold=1.0)
