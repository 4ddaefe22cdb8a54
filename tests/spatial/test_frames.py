import numpy as np
import pytest

from monde.errors import ContractError
from monde.protocols import Observation
from monde.spatial import from_yaw, place_in_cloud, place_in_image, sensor_poses
from monde.types import Intrinsics, Mount, Sensor

CAMERA = Intrinsics(width=8, height=6, fx=10.0, fy=10.0, cx=3.5, cy=2.5)
# Looking along the robot's x axis: right is -y, down is -z.
AHEAD = (-0.5, 0.5, -0.5, 0.5)


def sensors() -> tuple[Sensor, ...]:
    looks = Mount(parent="base", translation=(0.1, 0.0, 0.5), rotation=AHEAD)
    return (
        Sensor(name="front", kind="rgb", shape=(3, 6, 8), rate_hz=10.0, geometry=CAMERA, mount=looks),
        Sensor(name="depth", kind="depth", shape=(1, 6, 8), unit="m", rate_hz=10.0, geometry=CAMERA, mount=looks),
        Sensor(name="cloud", kind="points", shape=(3, 3), unit="m", rate_hz=10.0, mount=Mount(parent="base")),
        Sensor(name="base", kind="pose", shape=(3,), unit="m, m, rad", rate_hz=10.0, mount=Mount(parent="map")),
        Sensor(name="loose", kind="points", shape=(3, 3), unit="m", rate_hz=10.0),
    )


def seen() -> Observation:
    depth = np.full((2, 1, 6, 8), 2.0, dtype=np.float32)
    depth[1, 0, 0, 0] = 0
    cloud = np.array([[[1, 0, 0], [0, 2, 0], [0, 0, 0]], [[1, 0, 0], [0, 0, 0], [0, 0, 0]]], dtype=np.float32)
    base = np.array([[0, 0, 0], [3, 4, np.pi / 2]], dtype=np.float32)
    values = {"front": np.zeros((2, 3, 6, 8), dtype=np.uint8), "depth": depth, "cloud": cloud, "base": base}
    return Observation(values, np.zeros(2))


def test_a_pixel_is_where_its_camera_stands_now() -> None:
    middle = place_in_image(seen(), sensors(), "depth", 3.5, 2.5)  # the nearest pixel: half a pixel off the axis
    assert middle[0] == pytest.approx([2.1, -0.1, 0.6], abs=1e-6)
    assert middle[1] == pytest.approx([3.1, 6.1, 0.6], abs=1e-6)  # the base has moved, and turned to the left
    assert place_in_image(seen(), sensors(), "front", 3.5, 2.5) == pytest.approx(middle)


def test_a_point_of_a_cloud_moves_with_its_frame() -> None:
    assert place_in_cloud(seen(), sensors(), "cloud", 0) == pytest.approx(np.array([[1, 0, 0], [3, 5, 0]]), abs=1e-6)


def test_frames_are_followed_outwards() -> None:
    poses = sensor_poses(seen(), sensors(), "cloud")
    assert poses[1, :3] == pytest.approx([3, 4, 0])
    assert poses[1, 3:] == pytest.approx(from_yaw(np.array(np.pi / 2)))
    assert sensor_poses(seen(), sensors()[:3], "cloud")[1] == pytest.approx([0, 0, 0, 0, 0, 0, 1])  # nothing tells


def test_what_is_not_known_is_refused() -> None:
    for call, match in [
        (lambda: place_in_image(seen(), sensors(), "depth", 0, 0), r"measured nothing.*rows \[1\] of 2"),
        (lambda: place_in_image(seen(), sensors(), "depth", 8, 0), "no such pixel"),
        (lambda: place_in_image(seen(), sensors()[:1], "front", 0, 0), "nothing measures how far"),
        (lambda: place_in_cloud(seen(), sensors(), "depth", 0), "is no cloud"),
        (lambda: place_in_cloud(seen(), sensors(), "cloud", 1), r"fewer points.*rows \[1\]"),
        (lambda: place_in_cloud(seen(), sensors(), "cloud", 3), "no such point"),
        (lambda: sensor_poses(seen(), sensors(), "loose"), "not known where"),
        (lambda: sensor_poses(seen(), sensors(), "claud"), "did you mean"),
    ]:
        with pytest.raises(ContractError, match=match):
            call()
    circle = Sensor(name="base", kind="pose", shape=(3,), unit="m", rate_hz=10.0, mount=Mount(parent="base"))
    with pytest.raises(ContractError, match="circles"):
        sensor_poses(seen(), (sensors()[2], circle), "cloud")
