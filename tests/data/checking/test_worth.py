"""Whether training makes sense: yes where it does, no where it does not, and rarely yes by chance."""

from pathlib import Path

import numpy as np
import pytest

from monde.data import check_dataset
from monde.data.checking.ridge import compare, principal, scaled
from monde.types import Sensor
from tests.data.checking.defective import SENSORS, Parts, coded, record


def test_actions_of_another_time_do_not_explain(tmp_path: Path) -> None:
    def unrelated(parts: Parts) -> None:
        parts["actions"] = np.random.default_rng(int(1e6 * abs(parts["state"][0, 0]))).uniform(-1, 1, (39, 1))

    honest = check_dataset(record(tmp_path / "a", length=40, episodes=8))
    assert len(coded(honest, "actions-explain")) == 2
    findings = check_dataset(record(tmp_path / "b", unrelated, length=40, episodes=8))
    found = coded(findings, "actions-do-not-explain")
    assert [finding.level for finding in found] == ["warning", "warning"]
    assert all(finding.figures["gain_low"] <= 0 for finding in found)


def test_few_episodes_are_not_judged(tmp_path: Path) -> None:
    found = coded(check_dataset(record(tmp_path, episodes=3)), "actions-not-judged")
    assert [finding.level for finding in found] == ["note", "note"]
    assert "3 episodes are too few" in found[0].what


def test_commanded_positions(tmp_path: Path) -> None:
    def follow(parts: Parts) -> None:
        wanted = np.clip(np.cumsum(parts["actions"][:, 0]) / 4, -1, 1)
        parts["actions"] = wanted[:, None]
        # The arm is where it was told to be two steps before, all but a little.
        parts["joint"] = np.concatenate([[0.0, 0.0], wanted])[: len(wanted) + 1, None] * 0.98

    joint = Sensor(name="joint", kind="state", shape=(1,), unit="rad", rate_hz=10.0)
    findings = check_dataset(record(tmp_path, follow, sensors=(SENSORS[0], joint), length=40))
    (found,) = coded(findings, "actions-are-positions")
    assert "'joint'" in found.what
    assert found.figures["delay_seconds"] == pytest.approx(0.2)
    assert any("change of state" in finding.what for finding in coded(findings, "actions-explain"))


def test_two_sensors_that_show_the_same(tmp_path: Path) -> None:
    def copy(parts: Parts) -> None:
        parts["again"] = 2 * parts["state"] + 1

    again = Sensor(name="again", kind="state", shape=(2,), rate_hz=10.0)
    (found,) = coded(check_dataset(record(tmp_path, copy, sensors=(*SENSORS, again))), "duplicate-sensors")
    assert found.level == "note"
    assert "'again'" in found.what


def test_chance_seldom_passes_for_an_explanation() -> None:
    exceeds = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        groups = np.repeat(np.arange(8), 30)
        inputs, other = rng.normal(size=(240, 3)), rng.normal(size=(240, 3))
        target = np.concatenate([np.cumsum(rng.normal(size=(30, 2)), 0) for _ in range(8)])
        gain = compare(groups, lambda learned, i=inputs, o=other, t=target: ([i], [o], t), seed)
        assert gain is not None
        exceeds += gain.exceeds
    assert exceeds <= 4


def test_what_is_explained_is_measured() -> None:
    rng = np.random.default_rng(0)
    groups, inputs = np.repeat(np.arange(10), 50), rng.normal(size=(500, 2))
    target = inputs @ np.array([[1.0], [1.0]]) + rng.normal(size=(500, 1)) * np.sqrt(2)
    gain = compare(groups, lambda learned: ([inputs], [inputs[rng.permutation(500)]], target), 0)
    assert gain is not None
    assert gain.with_it == pytest.approx(0.5, abs=0.07)
    assert gain.without == pytest.approx(0.0, abs=0.05)
    assert gain.low < 0.5 < gain.high
    assert compare(groups, lambda learned: ([inputs], [inputs], np.zeros((500, 1))), 0) is None


def test_projections_come_from_the_rows_learned_from() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(60, 5)) * [5.0, 1.0, 0.1, 0.0, 1.0]
    learned = np.arange(40)
    other = np.concatenate([rows[:40], rng.normal(size=(20, 5)) * 100])
    assert np.allclose(principal(rows, learned, 2)[:40], principal(other, learned, 2)[:40])
    assert principal(rows, learned, 9).shape == (60, 4), "directions that never vary are no components"
    assert scaled(rows, learned).shape == (60, 4)
