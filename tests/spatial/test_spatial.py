"""Rotations against SciPy, motions and cameras against what they must undo."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from monde.errors import ContractError
from monde.spatial import (
    backproject,
    compose,
    from_yaw,
    interpolate,
    inverse,
    project,
    relative,
    rotate,
    scan_points,
    se2_compose,
    se2_inverse,
    transform,
    unit,
    yaw,
)
from monde.spatial.rotations import multiply, slerp
from monde.types import Intrinsics, Mount, ScanGeometry, Sensor

RANDOM = np.random.default_rng(0)


def _poses(count: int) -> np.ndarray:
    return np.concatenate([RANDOM.normal(size=(count, 3)), Rotation.random(count, random_state=1).as_quat()], axis=-1)


def test_rotations_are_scipys() -> None:
    first, second = Rotation.random(50, random_state=0), Rotation.random(50, random_state=1)
    vectors = RANDOM.normal(size=(50, 3))
    assert np.allclose(rotate(first.as_quat(), vectors), first.apply(vectors))
    product = multiply(first.as_quat(), second.as_quat())
    assert np.allclose(Rotation.from_quat(product).as_matrix(), (first * second).as_matrix())
    assert np.allclose(yaw(from_yaw(np.linspace(-3, 3, 7))), np.linspace(-3, 3, 7))
    # Half way between two rotations is as far from both.
    half = Rotation.from_quat(slerp(first.as_quat(), second.as_quat(), np.full(50, 0.5)))
    assert np.allclose((first.inv() * half).magnitude(), (half.inv() * second).magnitude())
    assert np.allclose(2 * (first.inv() * half).magnitude(), (first.inv() * second).magnitude())


def test_motions_undo_each_other() -> None:
    a, b = _poses(20), _poses(20)
    points = RANDOM.normal(size=(20, 3))
    assert np.allclose(transform(compose(a, b), points), transform(a, transform(b, points)))
    assert np.allclose(transform(inverse(a), transform(a, points)), points)
    assert np.allclose(transform(compose(a, relative(a, b)), points), transform(b, points))
    assert np.allclose(interpolate(a, b, np.zeros(20))[:, :3], a[:, :3])
    flat = RANDOM.normal(size=(20, 3))
    assert np.allclose(se2_compose(flat, se2_inverse(flat)), 0)


def test_what_is_no_rotation_is_refused() -> None:
    assert np.allclose(unit(np.array([0, 0, 0, -1.0005])), [0, 0, 0, 1])
    with pytest.raises(ContractError, match=r"not of unit length.*length 2 at \[1\]"):
        unit(np.array([[0, 0, 0, 1.0], [0, 0, 0, 2.0]]))
    with pytest.raises(ContractError, match="not of unit length"):
        unit(np.full(4, np.nan))
    with pytest.raises(ContractError, match="Mount's rotation"):
        Mount(parent="base", rotation=(0.0, 0.0, 0.0, 0.5))


CAMERA = Intrinsics(width=64, height=48, fx=60.0, fy=55.0, cx=31.0, cy=24.5)


def test_depth_becomes_points_and_points_pixels() -> None:
    depth = RANDOM.uniform(0.5, 3.0, size=(2, 48, 64))
    depth[0, 3, 5] = 0
    points, measured = backproject(depth, CAMERA)
    pixels, seen = project(points, CAMERA)
    rows, columns = np.mgrid[:48, :64]
    assert not measured[0, 3, 5]
    assert measured.sum() == depth.size - 1
    assert np.array_equal(seen, measured)
    assert np.allclose(pixels[measured], np.stack(np.broadcast_arrays(columns, rows), -1)[None].repeat(2, 0)[measured])
    smaller = CAMERA.resized(24, 32)
    there, _ = project(np.array([[0.1, -0.2, 2.0]]), CAMERA)
    here, _ = project(np.array([[0.1, -0.2, 2.0]]), smaller)
    assert np.allclose((there + 0.5) / 2 - 0.5, here)
    with pytest.raises(ContractError, match="intrinsics do not fit the image"):
        backproject(depth[:, :24], CAMERA)


def test_a_scan_says_what_it_hit() -> None:
    geometry = ScanGeometry(start_rad=-np.pi / 2, step_rad=np.pi / 2, most_m=10.0)
    points, hit = scan_points(np.array([2.0, 10.0, 0.0]), geometry)
    assert np.allclose(points[0], [0, -2])
    assert hit.tolist() == [True, False, False]


def test_sensors_have_the_geometry_of_their_kind() -> None:
    geometry = ScanGeometry(start_rad=0.0, step_rad=0.1, most_m=10.0)
    Sensor(name="laser", kind="scan", shape=(180,), unit="m", rate_hz=10.0, geometry=geometry)
    for kind, shape, given, match in [
        ("scan", (180,), None, "geometry of another kind"),
        ("depth", (1, 48, 64), geometry, "geometry of another kind"),
        ("pose", (7,), CAMERA, "geometry of another kind"),
        ("rgb", (3, 64, 64), CAMERA, "intrinsics of .* do not fit the image"),
        ("pose", (6,), None, "is no pose"),
        ("points", (7,), None, "is no cloud"),
        ("grid", (2, 8, 8), None, "is no grid"),
    ]:
        with pytest.raises(ContractError, match=match):
            Sensor(name="x", kind=kind, shape=shape, rate_hz=10.0, geometry=given)  # type: ignore[arg-type]
