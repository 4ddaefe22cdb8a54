"""Rotation matrices, and places on the Earth."""

import numpy as np
import pytest

from monde.errors import ContractError
from monde.spatial import east_north_up, from_matrix, rotate
from monde.spatial.geodesy import geocentric


def test_matrices_turn_as_their_quaternions_do() -> None:
    rng = np.random.default_rng(0)
    turns = rng.normal(size=(200, 4))
    turns[:6] = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [1, 1, 0, 0], [0, 1, 1, 1e-9]]
    turns /= np.linalg.norm(turns, axis=1, keepdims=True)
    matrices = np.stack([rotate(turns, np.eye(3)[axis]) for axis in range(3)], axis=-1)
    found = from_matrix(matrices)
    vectors = rng.normal(size=(200, 3))
    np.testing.assert_allclose(rotate(found, vectors), rotate(turns, vectors), atol=1e-9)
    assert (found[:, 3] >= 0).all()
    with pytest.raises(ContractError, match="no rotation"):
        from_matrix(np.diag([1.0, 1.0, -1.0]))


def test_places_in_metres_of_the_first() -> None:
    origin = np.array([52.5, 13.4, 34.0])
    # A known pair: WGS 84 to Earth-centred, from the definition of the ellipsoid at the equator and the pole.
    np.testing.assert_allclose(geocentric(np.array([0.0, 0.0, 0.0])), [6378137.0, 0, 0], atol=1e-3)
    np.testing.assert_allclose(geocentric(np.array([90.0, 0.0, 0.0])), [0, 0, 6356752.314], atol=1e-2)
    np.testing.assert_allclose(east_north_up(origin[None], origin), [[0, 0, 0]], atol=1e-6)
    above = east_north_up(origin + np.array([0.0, 0.0, 7.0]), origin)
    np.testing.assert_allclose(above, [0, 0, 7], atol=1e-6)
    east, north, _ = east_north_up(origin + np.array([1e-4, 1e-4, 0.0]), origin)
    assert 0 < east < north
    assert north == pytest.approx(11.13, abs=0.02)
