"""Beams and clearances against plain geometry."""

import numpy as np
import pytest

from monde.errors import ContractError
from monde.worlds.laser.grid import GridMap
from monde.worlds.laser.rooms import draw_rooms
from monde.worlds.laser.solids import Scene, Solids
from monde.worlds.laser.ways import Ground


def _march(around: Solids, place: np.ndarray, angles: np.ndarray, most: float) -> np.ndarray:
    """Ranges by small steps: slow and simple."""
    along = np.arange(0, most, 0.002)
    ways = np.stack([np.cos(angles), np.sin(angles)], -1)
    points = place + along[:, None, None] * ways
    inside = around.clearance(points.reshape(1, -1, 2))[0].reshape(len(along), -1) <= 0
    return np.where(inside.any(0), along[inside.argmax(0)], most)


def test_beams_end_where_small_steps_run_into_something() -> None:
    generator = np.random.default_rng(3)
    scenes = [draw_rooms(generator)[0] for _ in range(3)]
    angles = np.linspace(-np.pi, np.pi, 40, endpoint=False)
    for scene in scenes:
        alone = Solids([scene])
        place = np.array([2.0, 2.5])
        if alone.clearance(place[None, None])[0, 0] < 0.1:
            continue
        cast = alone.cast(place[None], angles[None], 8.0)[0]
        np.testing.assert_allclose(cast, _march(alone, place, angles, 8.0), atol=0.006)
        # A row does not depend on the scenes of the others, though these are padded to one size.
        together = Solids([*scenes, scene]).cast(np.tile(place, (4, 1)), np.tile(angles, (4, 1)), 8.0)[3]
        np.testing.assert_array_equal(together, cast)


def test_clearance_of_a_turned_box_and_a_disc() -> None:
    scene = Scene(np.array([[0.0, 0.0, 1.0, 0.5, np.pi / 2]]), np.array([[5.0, 0.0, 1.0]]))
    places = np.array([[[0.0, 3.0], [2.0, 0.0], [0.0, 0.0], [5.0, 2.5]]])
    np.testing.assert_allclose(Solids([scene]).clearance(places)[0], [2.0, 1.5, -0.5, 1.5], atol=1e-9)


def test_a_scene_needs_something_in_it() -> None:
    with pytest.raises(ContractError, match="empty"):
        Scene(np.zeros((0, 5)), np.zeros((0, 3)))


def test_a_grid_map_agrees_with_the_boxes_it_was_drawn_from() -> None:
    scene, (x0, y0, x1, y1) = draw_rooms(np.random.default_rng(8))
    exact, cell = Solids([scene]), 0.04
    w, h = int((x1 - x0) / cell), int((y1 - y0) / cell)
    x, y = np.meshgrid((np.arange(w) + 0.5) * cell, (np.arange(h) + 0.5) * cell)
    free = exact.clearance(np.stack([x, y], -1).reshape(1, -1, 2))[0].reshape(h, w) > 0
    grid = GridMap(free, cell, (x0, y0))
    rows, columns = np.nonzero(grid.clearance(np.stack([x, y], -1)) > 0.5)
    place = np.array([[x[rows[0], columns[0]], y[rows[0], columns[0]]]])
    angles = np.linspace(-np.pi, np.pi, 90, endpoint=False)[None]
    gap = np.abs(grid.cast(place, angles, 10.0) - exact.cast(place, angles, 10.0))
    # A beam that grazes an edge may miss it by half a cell.
    assert np.quantile(gap, 0.9) < 2 * cell


def test_the_shortest_way_goes_around_a_wall() -> None:
    free = np.ones((11, 11), dtype=np.bool_)
    free[5, :10] = False
    ground = Ground(free, 1.0, (0.0, 0.0))
    goal, start = np.array([0.5, 10.5]), np.array([0.5, 0.5])
    field = ground.distances(goal)
    assert 20 < ground.length(field, start) < 24
    assert ground.ahead(field, start, 30) == pytest.approx(goal)
    free[5, 10] = False
    assert np.isinf(Ground(free, 1.0, (0.0, 0.0)).distances(goal)[0, 0])
