"""Regions of like colour, and things that keep their files."""

import numpy as np
import pytest
import torch

from monde.errors import ContractError
from monde.perception import ThingPerception, ThingsConfig
from monde.perception.regions import find_regions
from monde.types import Clip, Sensor, Stream
from monde.types.things import AGE, EDGES, LOOKS, OWN, SEEN, known

SIDE, FINE = 64, 8
PAPER, RED, BLUE, GREY = (224, 230, 236), (214, 56, 48), (42, 84, 190), (96, 104, 116)
CAMERA = Sensor(name="top", kind="rgb", shape=(3, SIDE, SIDE), rate_hz=20.0)


def picture(*things: tuple[str, float, float, float, tuple[int, int, int]], light: float = 1.0) -> np.ndarray:
    """[3, 64, 64] of (shape, x, y, radius of the disc of equal area, colour), edges blended."""
    y, x = (np.mgrid[: SIDE * FINE, : SIDE * FINE] + 0.5) / FINE
    frame = np.tile(np.array(PAPER, dtype=np.float64)[:, None, None], (1, SIDE, SIDE))
    for shape, cx, cy, radius, colour in things:
        area, dx, dy = np.pi * radius**2, x - cx, y - cy
        if shape == "disc":
            inside = dx**2 + dy**2 < radius**2
        elif shape == "square":
            inside = np.maximum(abs(dx), abs(dy)) < np.sqrt(area) / 2
        else:  # a triangle of equal sides, its tip up
            side = np.sqrt(area * 4 / np.sqrt(3))
            height = side * np.sqrt(3) / 2
            inside = (dy < height / 3) & (abs(dx) * np.sqrt(3) < dy + 2 * height / 3)
        share = inside.reshape(SIDE, FINE, SIDE, FINE).mean((1, 3))
        frame += share * (np.array(colour)[:, None, None] - frame)
    return np.clip(frame * light + 0.5, 0, 255).astype(np.uint8)


def regions(*frames: np.ndarray, most: int = 6) -> tuple[np.ndarray, np.ndarray]:
    found = find_regions(torch.from_numpy(np.stack(frames)), most)
    return found.looks.numpy(), found.found.numpy()


def look(looks: np.ndarray, name: str) -> np.ndarray:
    return looks[..., LOOKS.index(name)]


def most(files: torch.Tensor, colour: str, other: str) -> int:
    """The file that is most of one colour."""
    own = files[:, OWN]
    return int((own[:, LOOKS.index(colour)] - own[:, LOOKS.index(other)]).argmax())


def clip(*frames: np.ndarray) -> Clip:
    values = torch.from_numpy(np.stack(frames)[None])
    times = torch.arange(len(frames), dtype=torch.float64)[None] * 0.2
    return Clip({"top": Stream(values, times, torch.ones(1, len(frames), dtype=torch.bool))})


def test_places_are_told_to_a_tenth_of_a_pixel_and_the_largest_comes_first() -> None:
    looks, found = regions(picture(("disc", 20.3, 31.6, 4, RED), ("square", 44.8, 12.1, 5, BLUE)))
    assert found[0].tolist() == [True, True, True, False, False, False]
    places = (looks[0, 1:3, :2] + 1) * SIDE / 2
    np.testing.assert_allclose(places, [[44.8, 12.1], [20.3, 31.6]], atol=0.1)
    np.testing.assert_allclose(np.exp(4 * look(looks, "log_area")[0, 1:3]), [np.pi * 25, np.pi * 16], rtol=0.08)
    assert look(looks, "red")[0, 2] > look(looks, "blue")[0, 2]
    assert not looks[0, 3:].any()


def test_edges_are_told_to_a_tenth_of_a_pixel() -> None:
    looks, _ = regions(picture(("disc", 20.3, 31.6, 4, RED), ("square", 44.8, 12.1, 5, BLUE)))
    edges = (looks[0, 1:3, EDGES] + 1) * SIDE / 2
    half = np.sqrt(np.pi) * 5 / 2
    square = [44.8 - half, 12.1 - half, 44.8 + half, 12.1 + half]
    np.testing.assert_allclose(edges, [square, [16.3, 27.6, 24.3, 35.6]], atol=0.15)


def test_a_line_of_pixels_that_blends_two_regions_is_no_thing() -> None:
    frame = np.tile(np.array(PAPER, dtype=np.uint8)[:, None, None], (1, SIDE, SIDE))
    ink = np.array((36, 36, 44))
    frame[:, 20:30, 20:30] = ink[:, None, None]
    frame[:, 20:30, 30] = (ink * 0.96 + np.array(PAPER) * 0.04).astype(np.uint8)[:, None]  # nearly, but not quite, ink
    looks, found = regions(frame)
    assert found.sum() == 2
    assert (looks[0, 1, LOOKS.index("right")] + 1) * SIDE / 2 == pytest.approx(30.96, abs=0.1)


def test_shapes_of_equal_area_differ() -> None:
    shown = {
        shape: regions(picture((shape, 32.2, 30.7, 4.6, RED)))[0][0, 1] for shape in ("disc", "square", "triangle")
    }
    three = {shape: look(looks, "three_sided") for shape, looks in shown.items()}
    four = {shape: look(looks, "four_sided") for shape, looks in shown.items()}
    assert three["triangle"] > 5 * max(three["disc"], three["square"])
    assert four["square"] > 5 * four["disc"]


def test_dim_light_changes_little_and_darkness_shows_nothing() -> None:
    thing = ("disc", 20.0, 31.0, 4.0, RED)
    looks, found = regions(picture(thing), picture(thing, light=0.4), picture(thing, light=0.0))
    np.testing.assert_allclose(looks[1, 1], looks[0, 1], atol=0.06)
    assert not found[2].any()


def test_two_shades_of_one_hue_are_one_thing_and_two_greys_are_two() -> None:
    shaded = picture(("square", 30, 30, 5, (180, 40, 40)), ("square", 36, 30, 5, (120, 27, 27)))
    assert regions(shaded)[1].sum() == 2
    grey = picture(("square", 30, 30, 5, GREY), ("square", 36, 30, 5, (150, 158, 170)))
    assert regions(grey)[1].sum() == 3


def test_no_frames_have_no_regions() -> None:
    assert find_regions(torch.zeros(0, 3, SIDE, SIDE, dtype=torch.uint8), 5).looks.shape == (0, 5, len(LOOKS))


def test_things_keep_their_files_while_they_cross_and_while_they_are_hidden() -> None:
    perception = ThingPerception((CAMERA,), ThingsConfig())
    frames = [
        picture(
            ("disc", 12 + 5 * t, 30, 4, RED),
            ("disc", 52 - 5 * t, 40, 4, BLUE),
            *([("square", 34, 32, 9, GREY)] if 3 <= t <= 5 else []),
        )
        for t in range(9)
    ]
    tokens = perception(clip(*frames)).values[0]
    reds = [most(tokens[t], "red", "blue") for t in (0, 8)]
    assert reds[0] == reds[1]
    x = tokens[:, reds[0], OWN][:, 0]
    assert float(x[8] - x[0]) == pytest.approx(40 / 32, abs=0.02)
    hidden = tokens[4, reds[0]]
    assert hidden[SEEN] == 0 and hidden[AGE] > 0  # noqa: PT018 - one file
    assert hidden[OWN][0] == tokens[3, reds[0], OWN][0] or tokens[3, reds[0], SEEN] == 0
    assert tokens[8, reds[0], SEEN] == 1 and tokens[8, reds[0], AGE] == 0  # noqa: PT018 - one file
    assert int(known(tokens[8]).sum()) == 4  # the screen has one, too


def test_what_a_screen_covers_in_part_keeps_its_form_and_its_way() -> None:
    screen = ("square", 40, 31, 12, GREY)  # its left edge at 29.4
    ball = [picture(("disc", 14 + 2 * t, 30, 4, RED), screen) for t in range(9)]  # at 28 by then: a third is left
    tokens = ThingPerception((CAMERA,), ThingsConfig())(clip(*ball)).values[0]
    k = most(tokens[0], "red", "blue")
    own = tokens[:, k, OWN].numpy()
    looks, found = regions(*ball)
    left = looks[7][found[7] & (look(looks, "red") - look(looks, "blue") > 0.5)[7]]
    assert len(left) == 1
    assert np.exp(4 * look(left, "log_area"))[0] < 0.87 * np.pi * 16  # what is there to be seen is less
    assert tokens[7, k, SEEN] == 1
    np.testing.assert_allclose(np.exp(4 * look(own, "log_area")), np.pi * 16, rtol=0.1)
    np.testing.assert_allclose((look(own, "x") + 1) * 32, 14 + 2 * np.arange(9), atol=0.2)


def test_a_screen_whose_slanted_edge_laps_over_a_thing_covers_it() -> None:
    grey = np.array(GREY, dtype=np.uint8)[:, None, None]
    frames = [picture(("disc", 30, 30, 5, RED)) for _ in range(4)]
    for t, top in ((1, 33), (2, 31)):  # from 25 to 35: half of its lower part is hidden, then half of all
        frames[t][:, top:50, 18:30] = grey
        frames[t][:, top + 1 : 50, 30:44] = grey
    frames[3][:, 22:50, 18:44] = grey
    tokens = ThingPerception((CAMERA,), ThingsConfig())(clip(*frames)).values[0]
    k = most(tokens[0], "red", "blue")
    assert tokens[:, k, SEEN].tolist() == [1, 1, 1, 0]
    np.testing.assert_allclose((tokens[:, k, OWN][:, 1].numpy() + 1) * 32, 30, atol=0.8)
    np.testing.assert_allclose(np.exp(4 * look(tokens[:, k, OWN].numpy(), "log_area")), np.pi * 25, rtol=0.1)


def test_what_comes_before_a_thing_is_not_taken_for_it() -> None:
    frames = [
        picture(("disc", 30, 30, 5, RED)),
        picture(("square", 30, 30, 11, GREY)),
        picture(("disc", 30, 30, 5, RED)),
    ]
    tokens = ThingPerception((CAMERA,), ThingsConfig())(clip(*frames)).values[0]
    k = most(tokens[0], "red", "blue")
    assert tokens[:, k, SEEN].tolist() == [1, 0, 1]


def test_a_wall_does_not_run_away_with_the_screen_that_rises_before_it() -> None:
    wall = ("square", 32, 30, 3, BLUE)  # from 27.3 to 32.7 in height
    rising = [picture(wall, ("square", 32, 60 - 1.5 * t, 26, GREY)) for t in range(10)]  # its upper edge: 37 to 23.5
    tokens = ThingPerception((CAMERA,), ThingsConfig())(clip(*rising)).values[0]
    k = most(tokens[0], "blue", "red")
    assert tokens[0, k, SEEN] == 1 and tokens[9, k, SEEN] == 0  # noqa: PT018 - one file
    np.testing.assert_allclose((tokens[:, k, OWN][:, 1].numpy() + 1) * 32, 30, atol=0.8)


def test_another_shape_in_the_open_is_not_taken_for_a_part() -> None:
    frames = [picture(("disc", 30, 30, 5, RED)), picture(("disc", 30, 30, 3.5, RED))]
    tokens = ThingPerception((CAMERA,), ThingsConfig())(clip(*frames)).values[0]
    k = most(tokens[0], "red", "blue")
    assert tokens[1, k, SEEN] == 1
    assert float(tokens[1, k, OWN][LOOKS.index("log_area")] * 4) == pytest.approx(np.log(np.pi * 3.5**2), abs=0.1)


def test_slivers_have_no_form_to_speak_of() -> None:
    wall = np.tile(np.array(PAPER, dtype=np.uint8)[:, None, None], (1, SIDE, SIDE))
    wall[:, 4:60, 30:33] = np.array(GREY, dtype=np.uint8)[:, None, None]
    looks, _ = regions(wall)
    assert look(looks, "stretch")[0, 1] == 2.0
    assert look(looks, "four_sided")[0, 1] == 1.0


def test_the_longest_unseen_is_given_up_when_there_are_too_many() -> None:
    perception = ThingPerception((CAMERA,), ThingsConfig(things=3))
    first, second = ("disc", 12, 12, 4, RED), ("disc", 50, 50, 4, BLUE)
    third = ("square", 30, 30, 8, GREY)
    tokens = perception(clip(picture(first, second), picture(second), picture(second, third))).values[0]
    assert known(tokens).sum(-1).tolist() == [3, 3, 3]
    assert tokens[2, :, SEEN].tolist() == [1, 1, 1]


def test_frame_by_frame_is_as_all_at_once() -> None:
    perception = ThingPerception((CAMERA,), ThingsConfig())
    frames = [picture(("disc", 12 + 6 * t, 30, 4, RED), ("disc", 50, 20 + 3 * t, 3, BLUE)) for t in range(5)]
    whole, before = perception(clip(*frames)).values, None
    for t, frame in enumerate(frames):
        before = perception(clip(frame), before).values[:, -1]
        assert torch.equal(before, whole[:, t])


@pytest.mark.parametrize("sensor", [Sensor(name="state", kind="state", shape=(4,), rate_hz=20.0, names=tuple("abcd"))])
def test_only_one_camera_is_read(sensor: Sensor) -> None:
    with pytest.raises(ContractError, match="one camera"):
        ThingPerception((sensor,), ThingsConfig())
    with pytest.raises(ContractError, match="one camera"):
        ThingPerception((CAMERA, CAMERA), ThingsConfig())


def test_frames_of_another_size_are_refused() -> None:
    values = torch.zeros(1, 2, 3, 32, 32, dtype=torch.uint8)
    other = Clip({"top": Stream(values, torch.zeros(1, 2, dtype=torch.float64), torch.ones(1, 2, dtype=torch.bool))})
    with pytest.raises(ContractError, match="another shape"):
        ThingPerception((CAMERA,), ThingsConfig())(other)
