import math

import numpy as np
import pytest

from monde.errors import ContractError
from monde.worlds.scenes.render import FURNITURE, SCREEN, Look, Panel, Take, render
from monde.worlds.scenes.splits import SHAPES


def take(looks: tuple[Look, ...], position: np.ndarray, **given: object) -> Take:
    T, K = position.shape[:2]
    parts: dict[str, object] = {
        "background": np.full((3, 64, 64), 200, dtype=np.uint8),
        "furniture": (),
        "looks": looks,
        "position": position,
        "angle": np.zeros((T, K)),
        "present": np.ones((T, K), dtype=bool),
        "screens": (),
        "light": np.ones(T),
    }
    return Take(**(parts | given))  # type: ignore[arg-type]


def plain(look: Look, x: float, y: float, angle: float, samples: int = 8) -> np.ndarray:
    """The slow way: the share of each pixel's points that lie within the shape."""
    points = (np.arange(64 * samples) + 0.5) / samples
    dx, dy = points[None, :] - x, points[:, None] - y
    u, v = math.cos(angle) * dx + math.sin(angle) * dy, -math.sin(angle) * dx + math.cos(angle) * dy
    if look.shape == "disc":
        within = u**2 + v**2 < look.radius**2
    elif look.shape == "square":
        within = np.maximum(abs(u), abs(v)) < look.radius * math.sqrt(math.pi) / 2
    else:
        inner = look.radius * math.sqrt(math.pi / (3 * math.sqrt(3)))
        sides = (v, -v / 2 + u * math.sqrt(3) / 2, -v / 2 - u * math.sqrt(3) / 2)
        within = np.maximum.reduce(sides) < inner
    return within.reshape(64, samples, 64, samples).mean(axis=(1, 3))


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_cover_what_they_should(shape: str) -> None:
    look = Look(shape=shape, radius=5.0, colour=(0, 0, 0))  # type: ignore[arg-type]
    for x, y, angle in ((30.3, 20.8, 0.0), (12.0, 40.5, 0.7), (50.6, 33.1, 2.0)):
        drawn = render([take((look,), np.array([[[x, y]]]), angle=np.array([[angle]]))])
        alpha = 1 - drawn.rgb[0, 0, 0] / 200
        truth = plain(look, x, y, angle)
        assert np.abs(alpha - truth).max() < 0.35  # corners are sharper in truth
        assert alpha.sum() == pytest.approx(math.pi * 25, rel=0.04)
        assert alpha.sum() == pytest.approx(truth.sum(), rel=0.04)
        lines, columns = np.nonzero(drawn.segmentation[0, 0] == 1)
        assert (columns.mean() + 0.5, lines.mean() + 0.5) == pytest.approx((x, y), abs=0.4)
        assert drawn.visible[0, 0, 0] == 1


def test_rows_do_not_depend_on_the_batch() -> None:
    generator = np.random.default_rng(0)
    films = []
    for _ in range(3):
        looks = tuple(Look(shape=s, radius=r, colour=(9, 99, 199)) for s, r in (("disc", 3.0), ("triangle", 4.0)))
        boxes = np.tile([10.0, 30.5, 30.25, 70.0], (40, 1)) + generator.uniform(0, 9, (40, 1))
        films.append(
            take(
                looks,
                generator.uniform(-10, 74, (40, 2, 2)),
                angle=generator.uniform(0, 6, (40, 2)),
                screens=(Panel(boxes=boxes, colour=(50, 50, 50)),),
                furniture=(Panel(boxes=np.tile([0.0, 60.0, 64.0, 64.0], (40, 1)), colour=(90, 90, 90)),),
            )
        )
    together, alone = render(films), render(films[1:2])
    assert np.array_equal(together.rgb[1], alone.rgb[0])
    assert np.array_equal(together.segmentation[1], alone.segmentation[0])
    assert np.array_equal(together.visible[1], alone.visible[0])


def test_depth_screens_light_and_edges() -> None:
    looks = (
        Look(shape="disc", radius=4.0, colour=(255, 0, 0), plane=1),
        Look(shape="disc", radius=4.0, colour=(0, 0, 255), plane=0),
    )
    places = np.array([[[20.0, 20.0]] * 2, [[40.0, 40.0]] * 2, [[0.0, 20.0], [-30.0, 20.0]]])
    screen = Panel(boxes=np.array([[0, 0, 0, 0], [30, 30, 50, 50], [0, 0, 0, 0]], dtype=float), colour=(1, 2, 3))
    drawn = render([take(looks, places, screens=(screen,), light=np.array([1.0, 0.5, 0.0]))])
    assert drawn.segmentation[0, 0, 20, 20] == 2
    assert list(drawn.rgb[0, 0, :, 20, 20]) == [0, 0, 255]
    assert drawn.visible[0, 0].tolist() == [0, 1]
    assert drawn.segmentation[0, 1, 40, 40] == SCREEN
    assert list(drawn.rgb[0, 1, :, 2, 2]) == [100, 100, 100]
    assert drawn.visible[0, 1].tolist() == [0, 0]
    assert drawn.visible[0, 2, 0] == pytest.approx(0.5, abs=0.1)
    assert drawn.visible[0, 2, 1] == 0
    assert not drawn.rgb[0, 2].any()
    floor = Panel(boxes=np.tile([0.0, 60.0, 64.0, 64.0], (3, 1)), colour=(9, 9, 9))
    assert (render([take(looks, places, furniture=(floor,))]).segmentation[0, 0, 61] == FURNITURE).all()


def test_films_that_do_not_line_up_are_refused() -> None:
    look = (Look(shape="disc", radius=4.0, colour=(255, 0, 0)),)
    with pytest.raises(ContractError, match=r"do not line up.*Got.*Expected"):
        take(look, np.zeros((3, 1, 2)), screens=(Panel(boxes=np.zeros((2, 4)), colour=(0, 0, 0)),))
    with pytest.raises(ContractError, match="cannot be drawn together"):
        render([take(look, np.zeros((3, 1, 2))), take(look, np.zeros((2, 1, 2)))])
    with pytest.raises(ContractError, match="cannot be drawn together"):
        render([])
