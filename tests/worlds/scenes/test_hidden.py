from itertools import product

import numpy as np
import pytest

from monde.errors import ContractError, UsageError, WorldError
from monde.worlds.minimal_pairs.timing import RATE_HZ
from monde.worlds.scenes import EVENTS, HIDDEN_SECONDS, SceneConfig, films_of, hidden, hidden_films, variety


@pytest.mark.parametrize(("event", "seconds"), [*product(EVENTS, (0.5, 2.0)), ("bounce", 1.0)])
def test_an_object_is_out_of_sight_for_the_declared_time_and_what_is_declared_happens_then(
    event: str, seconds: float
) -> None:
    for made in hidden_films(event, seconds, range(3), seed=5):
        film, span = made.film, made.hidden
        assert (film.visible[: span.start, 0] >= hidden.UNSEEN).all()
        assert (film.visible[span.start : made.judged + 1, 0] < hidden.UNSEEN).all()
        assert not (film.segmentation[span.start : made.judged + 1] == 1).any()
        assert made.judged - made.last_seen == seconds * RATE_HZ
        assert (film.visible[:10, 0] > 0.95).all()
        straight = film.position[made.last_seen, 0] + film.velocity[made.last_seen, 0] * seconds
        missed = np.linalg.norm(film.position[made.judged, 0] - straight)
        touched = film.contacts[:, 0, -1]
        if event == "none":
            assert missed < 1e-6
        else:
            assert missed > 0.5
        if event == "bounce":
            first = int(touched.argmax())
            assert span.start <= first <= made.judged
            assert not touched[: span.start].any()
        if event == "flight":
            assert not touched[: made.judged].any()
            assert film.gravity > 0
        if event == "stop":
            assert np.abs(film.velocity[made.last_seen, 0]).max() > 1
            assert np.abs(film.velocity[made.judged, 0]).max() < 0.2


def test_a_film_depends_on_its_own_number_alone() -> None:
    many, one = hidden_films("bounce", 1.0, range(4), 3), hidden_films("bounce", 1.0, [2], 3)
    assert np.array_equal(many[2].film.rgb, one[0].film.rgb)
    assert np.array_equal(many[2].film.position, one[0].film.position)
    other = hidden_films("bounce", 1.0, [2], 4)[0]
    assert not np.array_equal(other.film.rgb, one[0].film.rgb)


def test_either_split_has_its_own_objects() -> None:
    for split in ("train", "test"):
        kinds = variety(split)
        shots = [hidden.hidden_shot("none", 0.5, [number], split=split) for number in range(8)]
        assert {shot.bodies[0].colour for shot in shots} <= set(kinds.colours)
        assert {shot.bodies[0].radius for shot in shots} <= set(kinds.radii)


def test_the_kind_hidden_takes_events_and_times_in_turn() -> None:
    films = films_of("hidden", SceneConfig(), 0, range(16))
    assert [film.objects for film in films] == [1] * 16
    spans = [hidden.hidden_span(film).frames / RATE_HZ for film in films]
    for number, seconds in enumerate(spans):
        assert seconds >= HIDDEN_SECONDS[number // len(EVENTS)] - 1e-9


def test_what_cannot_be_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="unknown event"):
        hidden_films("melt", 1.0, [0], 0)
    with pytest.raises(ContractError, match="cannot be filmed"):
        hidden_films("none", 9.0, [0], 0)
    with pytest.raises(ContractError, match="negative"):
        hidden_films("none", 1.0, [-1], 0)
    seen = films_of("free", SceneConfig(objects=(1, 1), occluder="none", seconds=0.5), 0, [0])[0]
    with pytest.raises(ContractError, match="seen first and hidden then"):
        hidden.hidden_span(seen)
    monkeypatch.setattr(hidden, "MAX_HIDDEN_TRIES", 0)
    with pytest.raises(WorldError, match="fits into the picture"):
        hidden_films("none", 1.0, [0], 0)
