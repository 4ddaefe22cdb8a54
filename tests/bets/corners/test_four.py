"""Corners by name: tuned alike, opened from one folder, their curves; and what is refused."""

from dataclasses import replace
from pathlib import Path

import pytest

from monde.bets.corners import four
from monde.bets.corners.curves import curves_card
from monde.bets.corners.episodes import Episodes, record_episodes
from monde.bets.corners.four import (
    CORNERS,
    RATES,
    Tuned,
    open_corner,
    open_corners,
    same_lesson,
    teach,
    teach_all,
    teach_tuned,
    tune,
    tuned_path,
)
from monde.bets.corners.lessons import Data, Lesson, Taught
from monde.bets.files import QuestionSet
from monde.bets.questions.build import build_set
from monde.errors import StoreError, UsageError
from monde.store import digest_json, read_json, write_json
from monde.store.typed import from_json, to_json

FLOPS = 4e10


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> QuestionSet:
    """Quick questions of the train split."""
    out = tmp_path_factory.mktemp("sets") / "few"
    return build_set(out, n=4, seed=7, families=("what-if", "where-will-it-be"), grades=("easy",), split="train")


@pytest.fixture(scope="module")
def folder(episodes: Episodes, few: QuestionSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `monde bets teach` leaves it, with one corner, tuned."""
    out = tmp_path_factory.mktemp("taught")
    (out / "episodes").symlink_to(episodes.films.parent)
    # Left by one that was killed.
    (out / "state-tokens.tuning" / "0.5").mkdir(parents=True)
    (out / "state-tokens.tuning" / "0.5.trial" / "few").mkdir(parents=True)
    teach_tuned("state-tokens", episodes, out / "state-tokens", Lesson(flops=FLOPS), few)
    return out


def test_all_rates_are_tried_with_the_same_compute(folder: Path) -> None:
    told = from_json(Tuned, read_json(tuned_path(folder / "state-tokens")).get("tuned"))
    assert sorted(map(float, told.right)) == sorted(RATES)
    assert told.right[f"{told.rate:g}"] == max(told.right.values())
    assert told.flops == pytest.approx(0.3 * FLOPS, rel=0.05)
    assert Taught.load(folder / "state-tokens").lesson.rate == told.rate
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["episodes", "state-tokens", "state-tokens.tuned.json"]


def test_a_teaching_that_was_stopped_goes_on_with_what_tuning_found(
    folder: Path, episodes: Episodes, few: QuestionSet, tmp_path: Path
) -> None:
    (tmp_path / "state-tokens.tuned.json").write_bytes(tuned_path(folder / "state-tokens").read_bytes())
    said: list[str] = []
    lesson = Lesson(flops=FLOPS)
    first = teach_all(tmp_path, episodes, lesson, ["state-tokens"], few, lambda name, what: said.append(what))
    assert said
    assert not any("learning rate" in what for what in said)
    assert first["state-tokens"].flops == Taught.load(folder / "state-tokens").flops
    said.clear()
    assert teach_all(tmp_path, episodes, lesson, ["state-tokens"], few) == first
    with pytest.raises(UsageError, match="another lesson"):
        teach_all(tmp_path, episodes, Lesson(flops=2 * FLOPS), ["state-tokens"], few)


def test_corners_in_one_folder_learn_from_the_same(folder: Path, episodes: Episodes, tmp_path: Path) -> None:
    lesson, data = Lesson(flops=FLOPS), Data.of(episodes)
    taught = same_lesson(folder / "state-tokens", lesson, data)
    assert taught.data == data
    assert (data.films, data.walks) == (45, 32)
    others = record_episodes(tmp_path / "others", films=7, walks=3, seed=0)
    with pytest.raises(UsageError, match="other episodes"):
        teach_all(folder, others, lesson, ["state-tokens"])
    replace(taught, data=None).save(tmp_path)
    assert same_lesson(tmp_path, lesson, Data.of(others)).data is None


def test_tuning_belongs_to_what_was_learned_from(
    folder: Path, episodes: Episodes, few: QuestionSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lesson, known = Lesson(flops=FLOPS), read_json(tuned_path(folder / "state-tokens"))
    of_before = digest_json([to_json(lesson), few.content_hash])
    others = record_episodes(tmp_path / "others", films=7, walks=3, seed=0)
    asked = list[Episodes]()
    found = from_json(Tuned, known["tuned"])

    def tried(name: str, episodes: Episodes, *_: object) -> Tuned:
        asked.append(episodes)
        return found

    monkeypatch.setattr(four, "tune", tried)
    monkeypatch.setattr(four, "teach", lambda *_: Taught.load(folder / "state-tokens"))
    for document, where, again in ((known, episodes, 0), (known, others, 1), (known | {"asked": of_before}, others, 0)):
        asked.clear()
        write_json(tuned_path(tmp_path / "state-tokens"), document)
        assert teach_tuned("state-tokens", where, tmp_path / "state-tokens", lesson, few)[1] == found
        assert len(asked) == again


def test_corners_are_opened_by_name(folder: Path, tmp_path: Path) -> None:
    assert [corner.name for corner in open_corners(folder)] == ["state-tokens"]
    with pytest.raises(StoreError, match="holds no corners"):
        open_corners(tmp_path)
    with pytest.raises(StoreError, match="holds no corner"):
        open_corner("sensors-latent", folder / "sensors-latent")
    with pytest.raises(UsageError, match="sensors-latents"):
        open_corner("sensors-latents", folder)
    assert len(CORNERS) == 4


def test_curves_are_told_of_what_was_taught(folder: Path, few: QuestionSet) -> None:
    card = curves_card(folder, few)
    against = [row.metric.split("/")[2] for row in card.rows]
    assert against.count("compute") == against.count("episodes") == 3
    assert all(0 <= row.value <= 1 and row.floors["random"] < 0.6 for row in card.rows)
    assert curves_card(folder, few).rows == card.rows


def test_nobody_is_tuned_on_what_it_is_judged_by(episodes: Episodes, small_set: QuestionSet, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not tuned on what they are judged by"):
        tune("state-tokens", episodes, tmp_path / "t", Lesson(flops=FLOPS), small_set)
    with pytest.raises(UsageError, match="no-corner"):
        teach("no-corner", episodes, tmp_path / "c", Lesson(flops=FLOPS))
