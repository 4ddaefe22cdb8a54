"""The page's section on intuitive physics: accuracy by principle, films with curves, objects out of sight."""

from pathlib import Path

import pytest
import torch

from monde.errors import ContractError
from monde.evaluation.surprised import SurprisedFilms
from monde.report import build_report
from monde.report.physics import cases, physics_tables, set_view, with_floors
from monde.scorecard import Row, Scorecard
from monde.store import RunFolder, write_json
from tests.report.fake_run import draw, scorecard
from tests.report.test_build import EVIL, Page


def pairs_score() -> Scorecard:
    rows = []
    for index, principle in enumerate(("permanence", "gravity")):
        for grade in ("easy", "hidden"):
            floors = {"chance": 0.5, "untrained": 0.5 + 0.02 * index, "copy_last": 0.5, "pixels": 0.51}
            case = f"2d/{principle}/{grade}"
            value = 0.81 - 0.1 * index
            interval = (value - 0.05, value + 0.05)
            rows.append(Row(metric=f"pairwise/{case}", value=value, interval=interval, n=100, floors=floors))
            rows.append(Row(metric=f"untrained/{case}", value=floors["untrained"], n=100))
            rows.append(Row(metric=f"auroc/{case}", value=0.64, interval=(0.6, 0.68), n=100, floors={"chance": 0.5}))
    for grade in ("easy", "hidden"):
        rows.append(Row(metric=f"pairwise/2d/mean/{grade}", value=0.76, n=200, floors={"chance": 0.5}))
    return Scorecard(
        name="demo", rows=tuple(rows), protocol={}, machine={}, commit="0", seeds=(0,), created="2026-11-26"
    )


def surprised(principle: str = "permanence", frames: int = 20) -> SurprisedFilms:
    films = torch.stack([torch.stack([draw(10 + t, 20 + 8 * k) for t in range(frames)]) for k in range(4)])
    curves = torch.zeros(4, frames)
    curves[2, 12], curves[3, 14] = 0.8, -0.2
    return SurprisedFilms(
        films=films,
        curves=curves,
        possible=torch.tensor([True, True, False, False]),
        event_frame=12,
        hidden=(6, 12),
        principle=principle,
        grade="hidden",
        space="2d",
        rate_hz=20.0,
    )


def hidden_score() -> Scorecard:
    rows = [
        Row(
            metric=f"{name}/{seconds:g}",
            value=value * seconds,
            interval=(0.9 * value * seconds, 1.1 * value * seconds),
            n=60,
            floors={"untrained": 2.0, "last_seen": 3.0 * seconds},
        )
        for name, value in (("error_diameters", 0.8), ("skill", 0.3))
        for seconds in (0.5, 1.0, 2.0)
    ]
    return Scorecard(
        name="demo", rows=tuple(rows), protocol={}, machine={}, commit="0", seeds=(0,), created="2026-11-26"
    )


def test_the_section(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    write_json(run.physics, pairs_score().to_json())
    write_json(run.hidden, hidden_score().to_json())
    surprised(EVIL).save(run.exhibits / "physics-2d-permanence-hidden")
    path = build_report(run.root)
    page, text = Page(path), path.read_text(encoding="utf-8")
    for words in ("81%", "76 to 86", "untrained 52%", "AUROC 0.640", "single films", "seconds out of sight"):
        assert words in page.text, words
    assert page.text.count("impossible") >= 2
    assert text.count("<polyline") == 4
    assert 'points="0,' in text
    assert EVIL not in text
    assert page.loads() == []
    run.hidden.rename(tmp_path / "hidden.json")
    assert "monde physics" in (missing := Page(build_report(run.root, tmp_path / "without.html")).text)
    assert "--hidden" in missing
    (tmp_path / "hidden.json").rename(run.hidden)
    assert build_report(run.root, tmp_path / "again.html").read_bytes() == path.read_bytes()


def test_a_run_without_pairs_has_no_section(whole_page: Path) -> None:
    assert 'id="physics"' not in whole_page.read_text(encoding="utf-8")


def test_a_broken_scorecard_is_named(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.root.mkdir()
    run.physics.write_text("{}", encoding="utf-8")
    surprised().save(run.exhibits / "physics-a")
    assert "physics.json cannot be shown" in Page(build_report(run.root)).text


def test_sets_are_left_out_before_the_page_grows_too_large(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    surprised().save(run.exhibits / "physics-a")
    whole = build_report(run.root).stat().st_size
    path = build_report(run.root, max_bytes=whole - 1)
    assert "1 set of films was left out" in Page(path).text


def test_means_are_given_the_means_of_the_floors() -> None:
    score = pairs_score()
    mean = next(case for case in cases(score) if case.principle == "mean")
    assert with_floors(score, mean).floors == pytest.approx(
        {"chance": 0.5, "untrained": 0.51, "copy_last": 0.5, "pixels": 0.51}
    )
    (table,) = physics_tables(score)
    assert [line.principle for line in table.lines] == ["permanence", "gravity", "mean"]
    assert table.lines[2].areas == (None, None)
    assert physics_tables(scorecard()) == ()


def test_a_set_is_drawn_on_one_scale() -> None:
    view = set_view("x", surprised())
    points = [[tuple(map(float, pair.split(","))) for pair in film.points.split()] for film in view.films]
    assert {p[0] for p in points[0]} == {round(100 * t / 19, 2) for t in range(20)}
    assert min(y for _, y in points[2]) == 1.0
    assert max(y for _, y in points[3]) == 29.0
    assert {y for _, y in points[0]} == {view.films[0].zero}
    assert view.films[2].peak == "0.60 s"
    assert view.films[2].event == pytest.approx(63.16)


def test_surprised_films_are_kept_whole(tmp_path: Path) -> None:
    shown = surprised()
    shown.save(tmp_path / "x")
    back = SurprisedFilms.load(tmp_path / "x")
    assert torch.equal(back.films, shown.films)
    assert torch.equal(back.curves, shown.curves)
    assert (back.hidden, back.event_frame, back.principle) == ((6, 12), 12, "permanence")
    with pytest.raises(ContractError, match="no number"):
        SurprisedFilms(**{**vars(shown), "curves": shown.curves * float("nan")})
