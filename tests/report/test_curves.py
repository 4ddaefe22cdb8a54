"""metrics.jsonl, whole and not."""

import json
import math
from pathlib import Path

import pytest

from monde.errors import StoreError
from monde.report.curves import read_log
from monde.report.page import curve_charts
from monde.store import RunFolder
from tests.report.fake_run import write_metrics


def test_any_numeric_key_is_a_curve(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1, "new/thing": 2, "flag": true, "words": "x"}\n{"step": 2, "loss": 0.5}\n')
    log = read_log(path)
    assert {curve.key: curve.values for curve in log.curves} == {"new/thing": (2.0,), "loss": (0.5,)}
    assert (log.last_step, log.seconds, log.faults) == (2, None, ())


def test_a_cut_last_line_is_tolerated_and_said(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    write_metrics(run, lines=10)
    whole = read_log(run.metrics)
    data = run.metrics.read_bytes()
    run.metrics.write_bytes(data[: len(data) - 30])
    cut = read_log(run.metrics)
    assert cut.lines == whole.lines - 1
    assert cut["loss"].values == whole["loss"].values[:-1]
    assert "cut short" in cut.faults[0]


def test_unreadable_lines_within_are_named(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b'{"step": 1, "loss": 1}\n\xff\xfe\x00\n[1, 2]\n{"step": 4, "loss": 2}\n')
    log = read_log(path)
    assert log["loss"].steps == (1.0, 4.0)
    assert log.faults == ("Lines 2, 3 of metrics.jsonl are not readable and left out.",)


def test_values_that_were_not_finite_are_gaps_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text(
        '{"step": 1, "loss": 1}\n{"step": 2, "loss": null}\n{"step": 3, "loss": NaN, "alarm": "rank fell"}\n'
    )
    log = read_log(path)
    assert [math.isnan(value) for value in log["loss"].values] == [False, True, True]
    assert "loss (2 of 3)" in log.faults[0]
    assert log.alarms == ((3, "rank fell"),)
    assert log["loss"].last == 1.0


def test_a_file_without_a_line_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text("garbage\n")
    with pytest.raises(StoreError, match="no readable line"):
        read_log(path)


def test_long_curves_keep_their_mean(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text("".join(json.dumps({"step": i, "loss": float(i)}) + "\n" for i in range(4000)))
    thin = read_log(path)["loss"].thinned(100)
    assert len(thin.steps) == len(thin.values) == 100
    assert thin.steps == thin.values
    assert sum(thin.values) / 100 == pytest.approx(1999.5)


def test_losses_share_a_chart_and_meters_do_not(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    write_metrics(run, lines=5)
    charts = curve_charts(read_log(run.metrics))
    assert [entry.label for entry in charts[0].entries] == ["total", "prediction", "sigreg"]
    assert {"latent effective rank", "latent std"} <= {chart.title for chart in charts}
