"""What corners learn from, and questions as they see them."""

from pathlib import Path

import numpy as np
import pytest

from monde.bets.corners.episodes import Episodes, is_room, record_episodes
from monde.bets.corners.shown import READ, ROOMS, shown, without
from monde.bets.corners.states import PLACES_AT, SLOT_OF, THING
from monde.bets.questions.rooms import COLOURS, PAST_FRAMES
from monde.bets.questions.stage import CONFIG
from monde.bets.sensing import LEAST_AREA_PIXELS, spots
from monde.bets.types import Question
from monde.data import open_recording
from monde.errors import DataError, UsageError


def test_states_tell_where_pictures_show_things(episodes: Episodes) -> None:
    recording = open_recording(episodes.films)
    gaps = []
    for episode in (0, 1, 3, 4, 6):
        clip = recording.read(episode, 0, PAST_FRAMES, ["top", "state"])
        film, states = clip.stream("top").values[0].numpy(), clip.stream("state").values[0].numpy()
        for name, slot in SLOT_OF.items():
            if states[0, slot * THING]:
                centre, area = spots(film, COLOURS[name])
                seen = area > 0.75 * np.pi * states[0, slot * THING + 5] ** 2
                gaps.append(np.abs(centre - states[:, slot * THING + 1 : slot * THING + 3])[seen])
    assert len(np.concatenate(gaps)) > 30
    assert np.concatenate(gaps).max() < 1.0


def test_only_in_rooms_a_slot_is_a_colour(episodes: Episodes) -> None:
    recording, strange = open_recording(episodes.films), 0
    kinds = [is_room(number) for number in range(len(recording.lengths))]
    assert kinds.count(True) == 2 * kinds.count(False)
    for number, room in enumerate(kinds):
        states = recording.read(number, 0, recording.lengths[number], ["state"]).stream("state").values[0].numpy()
        for name, slot in SLOT_OF.items():
            thing = states[:, slot * THING : (slot + 1) * THING]
            there = thing[:, 0] > 0
            same = np.allclose(thing[there, 6:9], np.array(COLOURS[name]) / 255, atol=1e-6)
            assert same or not room, (number, name)
            strange += not same
    assert strange > 5


def test_a_walk_ends_at_its_goal_and_actions_move_the_disc(episodes: Episodes) -> None:
    recording = open_recording(episodes.acting)
    for episode in range(0, 8, 2):
        clip = recording.read(episode, 0, recording.lengths[episode], ["state"])
        places = clip.stream("state").values[0, :, :2].numpy()
        assert np.abs(places[-5:] - places[-1]).max() < 3.0
        assert np.linalg.norm(places[0] - places[-1]) > 1.0
    clip = recording.read(1, 0, 10, ["state"])
    assert clip.actions is not None
    places, controls = clip.stream("state").values[0, :, :2].numpy(), clip.actions.values[0].numpy()
    moved = np.diff(places, axis=0)
    free = np.isclose(moved, CONFIG.step_pixels * controls[: len(moved)], atol=1e-3)
    assert free.mean() > 0.5


def test_what_was_stopped_goes_on_alike(episodes: Episodes, tmp_path: Path) -> None:
    record_episodes(tmp_path / "e", films=7, walks=3, seed=0)
    again = record_episodes(tmp_path / "e", films=45, walks=32, seed=0)
    for one, other in ((episodes.films, again.films), (episodes.acting, again.acting)):
        a, b = open_recording(one), open_recording(other)
        assert a.lengths == b.lengths
        last = len(a.lengths) - 1
        names = ["top", "state"]
        first, second = (r.read(last, 0, a.lengths[last], names).stream("state").values for r in (a, b))
        assert first.equal(second)
    with pytest.raises(DataError):
        record_episodes(tmp_path / "e", films=45, walks=32, seed=1)
    with pytest.raises(UsageError, match="no such episodes"):
        record_episodes(tmp_path / "f", films=0)


def test_both_renderings_of_a_question_show_the_same(validation: tuple[Question, ...]) -> None:
    seen = set()
    for question in validation:
        ask = str(question.about["ask"])
        assert ask in READ
        pictures, states = shown(question, "sensors"), shown(question, "state")
        assert len(pictures.film) == len(states.film)
        assert pictures.names == states.names
        for one, other in ((pictures.options, states.options), (pictures.goal, states.goal)):
            assert (one is None) == (other is None)
            assert one is None or other is None or len(one) == len(other)
        if ask in ROOMS and ask != "hidden-by":
            name = pictures.names[0]
            centre, area = spots(pictures.film, COLOURS[name])
            told = states.film[:, list(PLACES_AT)].reshape(len(states.film), -1, 2)[:, SLOT_OF[name]]
            whole = area > 0.9 * np.median(area)
            assert np.abs(centre - told)[whole].max() < 1.5
            seen.add(ask)
    assert {"places", "coordinate", "cause", "left-of"} <= seen


def test_a_disc_is_taken_out_of_both_renderings(validation: tuple[Question, ...]) -> None:
    question = next(q for q in validation if q.about["ask"] == "cause")
    discs = question.about["discs"]
    assert isinstance(discs, list)
    gone, kept = str(discs[0]), str(discs[1])
    pictures = shown(question, "sensors")
    painted = without(pictures, gone, "sensors").film
    assert spots(painted, COLOURS[gone])[1].max() < LEAST_AREA_PIXELS
    before, after = (spots(film, COLOURS[kept])[1] for film in (pictures.film, painted))
    assert np.median(after) > 0.8 * np.median(before)
    state = without(shown(question, "state"), gone, "state").film
    assert not state[:, SLOT_OF[gone] * THING : (SLOT_OF[gone] + 1) * THING].any()
    assert state[:, SLOT_OF[kept] * THING].all()
