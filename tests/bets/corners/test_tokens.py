"""Corners of token prediction: what they spend, that they answer, that what happens is likelier than what does not."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from monde.bets.corners.episodes import Episodes
from monde.bets.corners.four import open_corner
from monde.bets.corners.lessons import FILMS_SHARE, TAUGHT, Lesson, Taught
from monde.bets.corners.shown import READ, Rendering, Shown
from monde.bets.corners.states import SLOT_OF, THING
from monde.bets.corners.tokens import open_tokens, teach_tokens
from monde.bets.corners.tokens.acting import SensorReads, StateReads, acted, actions_of
from monde.bets.corners.tokens.films import SensorFilms
from monde.bets.corners.tokens.foresight import SensorForesight, StateForesight
from monde.bets.corners.tokens.keeping import WEIGHTS, keep, kept
from monde.bets.corners.tokens.words import PER_PIXEL
from monde.bets.questions.rooms import COLOURS
from monde.bets.sensing import spots
from monde.bets.types import Contestant, Question
from monde.data import open_recording
from monde.errors import ContractError, StoreError, UsageError
from monde.store import read_json
from monde.store.artefact import TENSORS

TINY = 2e10
HELD_OUT = 12
FAR_PIXELS = 16.0


@pytest.fixture(scope="session")
def corners(episodes: Episodes, tmp_path_factory: pytest.TempPathFactory) -> dict[Rendering, Path]:
    """Both corners, taught next to nothing."""
    folder = tmp_path_factory.mktemp("tokens")
    renderings: tuple[Rendering, ...] = ("sensors", "state")
    for rendering in renderings:
        teach_tokens(episodes, folder / rendering, rendering, Lesson(flops=TINY))
    return {rendering: folder / rendering for rendering in renderings}


@pytest.mark.parametrize("rendering", ["sensors", "state"])
def test_all_parts_together_spend_the_budget(corners: dict[Rendering, Path], rendering: Rendering) -> None:
    taught = Taught.load(corners[rendering])
    assert 0.95 * TINY <= taught.total <= 1.0001 * TINY
    films = sum(spent for part, spent in taught.flops.items() if part.startswith("films"))
    assert films == pytest.approx(FILMS_SHARE * TINY, rel=0.06)
    assert all(steps >= 1 for steps in taught.steps.values())


@pytest.mark.parametrize("rendering", ["sensors", "state"])
def test_whatever_is_asked_is_answered_the_same_each_time_or_cannot_be_read(
    corners: dict[Rendering, Path], validation: tuple[Question, ...], rendering: Rendering
) -> None:
    first, again = open_tokens(corners[rendering], rendering), open_tokens(corners[rendering], rendering)
    assert isinstance(first, Contestant)
    assert first.name == f"{rendering}-tokens"
    assert first.identity == again.identity
    asked = {str(question.about["ask"]): question for question in validation}
    assert set(asked) >= set(READ)
    for ask, question in asked.items():
        answer, same = first.answer(question), again.answer(question)
        assert (answer.failure == "cannot-read") == (ask not in READ), answer
        assert answer.seconds > 0
        assert (answer.choice, answer.number, answer.plan) == (same.choice, same.number, same.plan)
        assert answer.confidence == same.confidence
        if answer.plan is not None:
            assert len(answer.plan) <= question.rows
            assert all(abs(value) <= 1 for row in answer.plan for value in row[:2])


def test_equal_lessons_give_equal_weights(corners: dict[Rendering, Path], episodes: Episodes, tmp_path: Path) -> None:
    teach_tokens(episodes, tmp_path / "again", "state", Lesson(flops=TINY))
    teach_tokens(episodes, tmp_path / "other", "state", Lesson(flops=TINY, seed=1))
    hashes = [open_tokens(folder, "state").identity["weights"] for folder in (tmp_path / "again", tmp_path / "other")]
    assert open_tokens(corners["state"], "state").identity["weights"] == hashes[0]
    assert hashes[0] != hashes[1]


def test_altered_weights_are_refused(corners: dict[Rendering, Path], tmp_path: Path) -> None:
    altered = tmp_path / "altered"
    (altered / WEIGHTS).mkdir(parents=True)
    for file in corners["state"].rglob("*"):
        if file.is_file():
            data = bytearray(file.read_bytes())
            if file.name == TENSORS:
                data[-1] ^= 1
            (altered / file.relative_to(corners["state"])).write_bytes(data)
    with pytest.raises(StoreError, match="altered"):
        open_tokens(altered, "state")


def test_another_rendering_is_refused(corners: dict[Rendering, Path]) -> None:
    with pytest.raises(StoreError, match="another rendering"):
        open_tokens(corners["state"], "sensors")
    with pytest.raises(StoreError, match="another rendering"):
        open_corner("state-tokens", corners["sensors"])


def test_corners_of_before_data_were_written_down_still_open(corners: dict[Rendering, Path], tmp_path: Path) -> None:
    _, parts, taught, _ = kept(corners["state"])
    assert taught.data is not None
    assert (taught.data.films, taught.data.walks) == (45, 32)
    keep(tmp_path / "old", "state", parts, replace(taught, data=None))
    told = read_json(tmp_path / "old" / TAUGHT)["taught"]
    assert isinstance(told, dict)
    assert set(told) == {"type", "lesson", "flops", "steps", "cpu_seconds"}
    again = open_tokens(tmp_path / "old", "state")
    assert again.identity["lesson"] == open_tokens(corners["state"], "state").identity["lesson"]


def test_what_goes_wrong_is_not_what_cannot_be_read(
    corners: dict[Rendering, Path], validation: tuple[Question, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    corner = open_tokens(corners["state"], "state")
    question = next(q for q in validation if q.about["ask"] == "places")

    def failing(error: Exception) -> Callable[..., list[float]]:
        def options(*_: object) -> list[float]:
            raise error

        return options

    monkeypatch.setattr(StateForesight, "options", failing(ContractError("no such words")))
    answer = corner.answer(question)
    assert (answer.failure, answer.note) == ("error", "no such words")
    for crash in (RuntimeError("shapes"), KeyError("red"), IndexError("12")):
        monkeypatch.setattr(StateForesight, "options", failing(crash))
        with pytest.raises(type(crash)):
            corner.answer(question)


def test_what_is_asked_of_now_is_told_by_tokens(corners: dict[Rendering, Path], episodes: Episodes) -> None:
    clip = open_recording(episodes.films).read(0, 0, 13, ["top", "state"])
    film, states = clip.stream("top").values[0].numpy(), clip.stream("state").values[0].numpy()
    names = [name for name, slot in SLOT_OF.items() if states[-1, slot * THING]]
    true = np.array([states[-1, SLOT_OF[name] * THING + 1 : SLOT_OF[name] * THING + 3] for name in names])
    told = StateForesight(kept(corners["state"])[1].films).places(Shown(film=states), 0.0, names)
    assert np.abs(told - true).max() <= 0.5 / PER_PIXEL + 1e-6
    np.testing.assert_array_equal(told, np.rint(told * PER_PIXEL) / PER_PIXEL)
    parts = kept(corners["sensors"])[1]
    assert parts.films_codes is not None
    coded = parts.films_codes.decode(parts.films_codes.encode(film))
    assert (coded != film).any()
    foresight = SensorForesight(parts.films, SensorFilms(parts.films_codes))
    seen = foresight.places(Shown(film=film), 0.0, names)
    read = np.concatenate([spots(coded[-1:], COLOURS[name])[0] for name in names])
    there = np.isfinite(read).all(axis=1)
    assert there.any()
    np.testing.assert_allclose(seen[there], read[there])


def test_too_small_a_budget_is_refused(episodes: Episodes, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing can be learned"):
        teach_tokens(episodes, tmp_path / "none", "state", Lesson(flops=1e3))
    assert not (tmp_path / "none").exists()


def test_what_happened_is_likelier_than_what_is_far_from_it(episodes: Episodes, tmp_path: Path) -> None:
    """Episodes that it never saw, 0.2 s ahead; the other place is as far as a disc is wide and more."""
    recording = open_recording(episodes.films)
    learned = len(recording.lengths) - HELD_OUT
    teach_tokens(episodes, tmp_path / "taught", "state", Lesson(flops=1.2e11, episodes=learned))
    _, parts, _, _ = kept(tmp_path / "taught")
    foresight, wins = StateForesight(parts.films), []
    for number in range(learned, len(recording.lengths)):
        film = recording.read(number, 0, recording.lengths[number], ["state"]).streams["state"].values[0].numpy()
        there = [name for name, slot in SLOT_OF.items() if film[12, slot * THING] > 0 and film[16, slot * THING] > 0]
        if there:
            far = film[16].copy()
            at = SLOT_OF[there[0]] * THING + 1
            far[at] += FAR_PIXELS if far[at] < 32 else -FAR_PIXELS
            seen = Shown(film=film[:13], options=np.stack([film[16], far]), names=(there[0],))
            true, false = foresight.options(seen, 0.2)
            wins.append(true > false)
    assert len(wins) >= HELD_OUT // 2
    assert np.mean(wins) > 0.75


def test_a_codebook_shows_what_it_read(corners: dict[Rendering, Path], episodes: Episodes) -> None:
    _, parts, _, _ = kept(corners["sensors"])
    recording = open_recording(episodes.acting)
    film = recording.read(0, 0, recording.lengths[0], ["top"]).streams["top"].values[0].numpy()[:8]
    assert parts.acting_codes is not None
    shown = parts.acting_codes.decode(parts.acting_codes.encode(film))
    assert np.abs(shown.astype(float) - film).mean() < 6.0
    places = SensorReads(parts.acting_codes).places(parts.acting_codes.encode(film))
    states = recording.read(0, 0, 8, ["state"]).streams["state"].values[0].numpy()
    assert np.linalg.norm(places - states[:, :2], axis=1).mean() < 2.0
    exact = StateReads()
    assert np.abs(exact.places(exact.read(states)) - states[:, :2]).max() <= 0.125 + 1e-6


def test_actions_come_back_as_they_were_put() -> None:
    actions = np.array([[-1.0, 1.0], [0.25, -0.5]])
    np.testing.assert_allclose(actions_of(acted(actions)), actions, atol=0.025)
