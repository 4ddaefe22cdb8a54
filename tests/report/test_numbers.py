"""Figures as a person reads them."""

import math

import pytest

from monde.report.figures import groups, key_figures, readable
from monde.report.numbers import duration, floor_texts, interval_text, number, plural, scale, size_bytes, table
from monde.report.whisker import whisker
from monde.scorecard import Row
from tests.report.fake_run import scorecard


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.5712, "0.571"),
        (-0.5712, "−0.571"),
        (12.345, "12.3"),
        (2156.4, "2,156"),
        (400.0, "400"),
        (0.0000832, "8.32×10⁻⁵"),
        (math.inf, "∞"),
        (math.nan, "not a number"),
    ],
)
def test_number(value: float, text: str) -> None:
    assert number(value) == text


def test_plural_duration_bytes() -> None:
    assert [plural(n, "episode") for n in (0, 1, 2, 1204)] == [
        "0 episodes",
        "1 episode",
        "2 episodes",
        "1,204 episodes",
    ]
    assert plural(2, "policy", "policies") == "2 policies"
    assert [duration(s) for s in (0.0831, 3.21, 45.0, 192.0, 9000.0)] == ["83 ms", "3.2 s", "45 s", "3.2 min", "2.5 h"]
    assert size_bytes(458129) == "447 KiB"


def test_value_interval_and_floors_share_one_scale() -> None:
    plan = Row(metric="plan_seconds", value=0.0831, unit="s", interval=(0.079, 0.088), n=30, floors={"policy": 0.00002})
    assert scale(plan).text(plan.value) == "83.1 ms"
    assert interval_text(plan) == "79.0 to 88.0"
    assert floor_texts(plan) == (("policy", "0.02 ms"),)


def test_only_shares_are_percentages() -> None:
    success = Row(metric="success", value=0.64, interval=(0.5, 0.76), n=50, floors={"random": 0.04})
    r2 = Row(metric="probe/position/r2", value=0.9987, n=4040, floors={"untrained": 0.862})
    assert scale(success).text(0.64) == "64%"
    assert interval_text(success) == "50 to 76"
    assert scale(r2).text(r2.value) == "0.999"


def test_whisker_places_everything_on_one_line() -> None:
    line = whisker(Row(metric="success", value=0.5, interval=(0.4, 0.6), n=50, floors={"stay": 0.0, "all": 1.0}))
    assert line is not None
    assert line.low is not None
    assert line.high is not None
    assert 0 < line.marks[0].at < line.low < line.value < line.high < line.marks[1].at < 100
    assert line.value == 50
    assert whisker(Row(metric="steps", value=3.0, n=1)) is None
    assert whisker(Row(metric="far", value=math.inf, n=1, floors={"stay": 1.0})) is None


def test_key_figures_say_each_thing_once() -> None:
    metrics = [figure.metric for figure in key_figures(scorecard())]
    assert metrics[:2] == ["success", "probe_position_rmse_px"]
    assert "plan_seconds" in metrics
    assert len(metrics) == len(set(metrics)) <= 6
    assert sum(metric.startswith("probe") for metric in metrics) == 1


def test_rows_of_one_family_stand_together() -> None:
    by_title = {group.title: [figure.metric for figure in group.figures] for group in groups(scorecard())}
    assert sum(map(len, by_title.values())) == len(scorecard().rows)
    assert by_title["Prediction"][:4] == [f"prediction/position/rmse/{s}s" for s in ("0.5", "1", "1.5", "2")]
    assert readable("prediction/position/rmse/0.5s") == "prediction, position, error (RMSE), 0.5 s ahead"


def test_table_is_aligned() -> None:
    lines = table(("metric", "n"), [("success", "50"), ("tau", "1,204")], right=frozenset({1})).splitlines()
    assert lines[2] == "success     50"
    assert lines[3] == "tau      1,204"
