"""The real campus: its parts are apart, and goals in one do not lead into the other."""

import os
from pathlib import Path

import numpy as np
import pytest

from monde.errors import DataError
from monde.worlds import make
from monde.worlds.laser import LaserWorld
from monde.worlds.laser.campus import HELD_OUT_M, MARGIN_M, load_campus, within

HERE = Path(os.environ.get("MONDE_SHARED_DATA", "")) / "mrpt-malaga/malaga_campus_grid.npz"
needs_map = pytest.mark.skipif(not HERE.is_file(), reason="the campus grid is not here: set MONDE_SHARED_DATA")


@needs_map
def test_starts_and_goals_keep_to_their_part() -> None:
    for name, part in (("laser_campus", "train"), ("laser_campus_held_out", "held_out")):
        world = make(name, 6)
        assert isinstance(world, LaserWorld)
        world.reset(range(6))
        for places in (np.stack([task.start for task in world.tasks]), np.stack([task.goal for task in world.tasks])):
            assert within(part, places[:, :2]).all()  # type: ignore[arg-type]
        assert (world.around.clearance(world.poses[:, None, :2]) > world.config.radius_m).all()


@needs_map
def test_the_map_is_one_piece_of_free_space() -> None:
    campus = load_campus(HERE)
    assert 10_000 < campus.free.sum() * campus.cell_m**2 < 15_000, "square metres"
    centre = np.array([[[60.0, -2.0], [-9.0, 90.0]]])
    assert campus.clearance(centre)[0, 1] < 0


def test_parts_are_a_margin_apart() -> None:
    low, high = HELD_OUT_M[0]
    places = np.array([[0.0, y] for y in (low + 1, low - MARGIN_M / 2, low - MARGIN_M - 1, high + MARGIN_M + 1)])
    assert within("held_out", places).tolist() == [True, False, False, False]
    assert within("train", places).tolist() == [False, False, True, True]


def test_another_file_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", cells=np.zeros(3))
    with pytest.raises(DataError, match="campus grid"):
        load_campus(tmp_path / "other.npz")
