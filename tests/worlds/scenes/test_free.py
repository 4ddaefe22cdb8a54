import hashlib

import numpy as np
import pytest

from monde.errors import ContractError, UsageError
from monde.worlds.scenes import SceneConfig, films_of, free_films, kinds, variety


def test_a_film_depends_on_its_seed_alone() -> None:
    config = SceneConfig(seconds=1.0)
    many, one = free_films(config, range(6)), free_films(config, [4])
    for name in ("rgb", "segmentation", "position", "velocity", "contacts", "visible"):
        assert np.array_equal(getattr(many[4], name), getattr(one[0], name)), name
    assert len({hashlib.sha256(film.rgb.tobytes()).hexdigest() for film in many}) == 6


def test_state_agrees_with_pixels() -> None:
    config = SceneConfig(seconds=2.0, blink=0.0)
    shares = []
    for film in free_films(config, range(24)):
        for k in range(film.objects):
            # Whole objects only: what is hidden in part has its visible centre elsewhere.
            for t in np.flatnonzero(film.visible[:, k] > 0.995):
                lines, columns = np.nonzero(film.segmentation[t] == k + 1)
                assert columns.mean() + 0.5 == pytest.approx(film.position[t, k, 0], abs=0.5)
                assert lines.mean() + 0.5 == pytest.approx(film.position[t, k, 1], abs=0.5)
                shares.append(len(lines) / (np.pi * film.radius[k] ** 2))
        unseen = film.visible == 0
        for t, k in zip(*np.nonzero(unseen), strict=True):
            assert not (film.segmentation[t] == k + 1).any()
    # Whole pixels are counted: a small square that lies along them may lose a third of its own.
    assert len(shares) > 500
    assert np.mean(shares) == pytest.approx(1, abs=0.05)
    assert 0.6 < min(shares) < max(shares) < 1.4


def test_velocity_is_the_slope_of_position_where_nothing_touches() -> None:
    for film in free_films(SceneConfig(seconds=2.0), range(8)):
        dt = film.times_seconds[1]
        # The mean of the velocities at both ends of a step of constant acceleration is its displacement.
        slope = np.diff(film.position, axis=0) / dt
        mean = (film.velocity[1:] + film.velocity[:-1]) / 2
        free = ~film.contacts[1:].any(axis=-1) & ~film.contacts[:-1].any(axis=-1)
        assert np.abs(slope - mean)[free].max(initial=0) < 0.05


def test_scenes_are_varied_as_declared() -> None:
    films = free_films(SceneConfig(seconds=0.5, objects=(2, 2)), range(60))
    shapes = [shape for film in films for shape in film.shapes]
    assert {shapes.count(shape) > 20 for shape in ("disc", "square", "triangle")} == {True}
    assert 15 < sum(film.gravity > 0 for film in films) < 55
    assert 10 < sum((film.segmentation == 255).any() for film in films) < 55
    assert len({film.rgb[0, :, 32, 5].tobytes() for film in films}) > 15
    none = free_films(SceneConfig(seconds=0.5, gravity="off", occluder="none", blink=0.0), range(10))
    assert not any(film.gravity or (film.segmentation == 255).any() or film.rgb.max(axis=1).min() < 20 for film in none)


def test_splits_share_no_object_colour_or_speed() -> None:
    train, test = variety("train"), variety("test")
    assert not train.objects & test.objects
    assert not set(train.colours) & set(test.colours)
    assert all(high < a or b < low for low, high in train.speeds for a, b in test.speeds)
    generator = np.random.default_rng(0)
    for kinds_ in (train, test):
        drawn = [kinds_.speed(generator, 5, 30) for _ in range(200)]
        assert all(any(low <= speed <= high for low, high in kinds_.speeds) for speed in drawn)
    with pytest.raises(UsageError, match="unknown split 'tests'"):
        variety("tests")
    with pytest.raises(ContractError, match="no speed of this split"):
        test.speed(generator, 50, 60)


@pytest.mark.parametrize("kind", kinds())
def test_every_kind_of_film_can_be_had(kind: str) -> None:
    config = SceneConfig(seconds=0.5)
    films = films_of(kind, config, 3, range(4))
    again = films_of(kind, config, 3, [2])
    assert np.array_equal(films[2].rgb, again[0].rgb)
    for film in films:
        assert film.rgb.shape[1:] == (3, 64, 64)
        assert np.isfinite(film.position).all()
    with pytest.raises(UsageError, match="unknown kind"):
        films_of("physics", config, 0, [0])
    if kind not in {"free"}:
        with pytest.raises(ContractError, match="one size and rate"):
            films_of(kind, SceneConfig(side_pixels=96), 0, [0])


def test_what_cannot_be_is_refused() -> None:
    for given in (
        {"side_pixels": 20},
        {"seconds": 0.0},
        {"rate_hz": 1000.0},
        {"objects": (3, 2)},
        {"objects": (1, 9)},
        {"blink": 1.5},
        {"camera_zoom": (1.2, 0.9)},
    ):
        with pytest.raises(ContractError, match=r"Got.*Expected"):
            SceneConfig(**given)  # type: ignore[arg-type]
    with pytest.raises(ContractError, match="seed is negative"):
        free_films(SceneConfig(), [-1])
