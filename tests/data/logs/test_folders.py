"""EuRoC, TUM RGB-D and KITTI folders: small ones in their makers' layouts."""

import json
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from monde.data import open_recording
from monde.data.clocks.recording import AlignedRecording
from monde.data.pictures import read_picture
from monde.errors import DataError
from monde.spatial import rotate
from monde.types import Intrinsics, Sensor

BASE = 1_403_636_579_763_555_584
YAML = """#General sensor definitions.
sensor_type: {kind}
T_BS:
  cols: 4
  rows: 4
  data: [0.0, -1.0, 0.0, 0.1,
         1.0, 0.0, 0.0, 0.2,
         0.0, 0.0, 1.0, 0.3,
         0.0, 0.0, 0.0, 1.0]
rate_hz: 20
resolution: [32, 24]
camera_model: pinhole
intrinsics: [30.0, 31.0, 15.5, 11.5] #fu, fv, cu, cv
distortion_coefficients: [-0.28, 0.07, 0.0, 0.0]
"""


def opened(path: Path) -> AlignedRecording:
    recording = open_recording(path)
    assert isinstance(recording, AlignedRecording)
    return recording


def sensor(recording: AlignedRecording, name: str) -> Sensor:
    return next(sensor for sensor in recording.sensors if sensor.name == name)


def grey(path: Path, level: int, size: tuple[int, int] = (24, 32)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full(size, level, np.uint8)).save(path)


def write_euroc(root: Path, frames: int = 6, missing: int | None = None) -> None:
    mav = root / "mav0"
    rows = ["#timestamp [ns],filename"]
    for index in range(frames):
        stamp = BASE + index * 50_000_000
        rows.append(f"{stamp},{stamp}.png")
        if index != missing:
            grey(mav / f"cam0/data/{stamp}.png", 10 * index)
    (mav / "cam0/data.csv").write_text("\r\n".join(rows) + "\r\n")
    (mav / "cam0/sensor.yaml").write_text(YAML.format(kind="camera"))
    (mav / "imu0").mkdir()
    imu = [f"{BASE + i * 5_000_000},{i},0,0,0,0,9.8" for i in range(frames * 10)]
    (mav / "imu0/data.csv").write_text("#timestamp [ns],w_x,w_y,w_z,a_x,a_y,a_z\n" + "\n".join(imu) + "\n")
    (mav / "state_groundtruth_estimate0").mkdir()
    truth = [f"{BASE + i * 5_000_000},{i},2,3,0.5,0.5,-0.5,0.5,0,0,0,0,0,0,0,0,0" for i in range(frames * 10)]
    (mav / "state_groundtruth_estimate0/data.csv").write_text("#timestamp, p, q_w, q_x, …\n" + "\n".join(truth))


def test_euroc(tmp_path: Path) -> None:
    write_euroc(tmp_path / "MH_01")
    recording = opened(tmp_path / "MH_01")
    assert {s.name: s.kind for s in recording.sensors} == {"cam0": "rgb", "imu0": "imu", "pose": "pose"}
    clip = recording.read(0, 0, 6)
    assert clip.stream("cam0").values[0, :, 1, 0, 0].tolist() == [0, 10, 20, 30, 40, 50]
    assert clip.stream("imu0").values[0, :, 0].tolist() == [0, 10, 20, 30, 40, 50]
    np.testing.assert_allclose(clip.stream("pose").values[0, 1], [10, 2, 3, 0.5, -0.5, 0.5, 0.5])  # w comes last
    np.testing.assert_allclose(clip.stream("cam0").times_seconds[0], 0.05 * np.arange(6), atol=1e-9)
    camera = sensor(recording, "cam0")
    assert camera.geometry == Intrinsics(width=32, height=24, fx=30.0, fy=31.0, cx=15.5, cy=11.5)
    assert camera.mount is not None
    assert (camera.mount.parent, camera.mount.translation) == ("body", (0.1, 0.2, 0.3))
    np.testing.assert_allclose(rotate(np.array(camera.mount.rotation), np.array([1.0, 0, 0])), [0, 1, 0], atol=1e-9)
    assert "distorted" in json.dumps(dict(recording.source))
    assert recording.complete


def test_several_euroc_sequences_with_a_lost_picture(tmp_path: Path) -> None:
    write_euroc(tmp_path / "MH_01")
    write_euroc(tmp_path / "MH_02", frames=5, missing=2)
    recording = opened(tmp_path)
    assert (recording.names, recording.lengths) == (("MH_01", "MH_02"), (6, 4))
    assert "1 of 5 pictures are not there" in json.dumps(dict(recording.source))
    yaml = tmp_path / "MH_02/mav0/cam0/sensor.yaml"
    yaml.write_text(yaml.read_text().replace("[32, 24]", "[752, 480]"))
    with pytest.raises(DataError, match="does not fit its pictures"):
        open_recording(tmp_path)
    yaml.write_text(yaml.read_text().replace("[752, 480]", "[32, 24]").replace("30.0, 31.0", "40.0, 31.0"))
    with pytest.raises(DataError, match="not the same in all logs"):
        open_recording(tmp_path)


def test_damaged_euroc_files_are_named(tmp_path: Path) -> None:
    write_euroc(tmp_path)
    picture = tmp_path / f"mav0/cam0/data/{BASE + 100_000_000}.png"
    picture.write_bytes(picture.read_bytes()[:40])
    recording = opened(tmp_path)
    with pytest.raises(DataError, match=picture.name):
        recording.read(0, 2, 3)
    (tmp_path / "mav0/imu0/data.csv").write_text(f"#t\n{BASE},1,2,three,4,5,6\n")
    with pytest.raises(DataError, match="no table of numbers"):
        open_recording(tmp_path)
    late = [f"{BASE + (60_000_000_000 if i == 3 else i * 5_000_000)},0,0,0,0,0,0" for i in range(6)]
    (tmp_path / "mav0/imu0/data.csv").write_text("\n".join(late))
    with pytest.raises(DataError, match=r"clock of imu0 in .* jumps back"):
        open_recording(tmp_path)


def test_a_picture_that_claims_to_be_huge_is_refused(tmp_path: Path) -> None:
    write_euroc(tmp_path)
    first, *_, last = sorted((tmp_path / "mav0/cam0/data").glob("*.png"))
    claim_to_be_huge(last)
    recording = open_recording(tmp_path)
    with pytest.raises(DataError, match=f"{last.name} cannot be read as a sample of cam0"):
        recording.read(0, 0, recording.lengths[0], ["cam0"])
    claim_to_be_huge(first)
    with pytest.raises(DataError, match=f"{first.name} cannot be read as a picture"):
        open_recording(tmp_path)
    with pytest.raises(DataError, match=f"{first.name} is not a picture that can be read"):
        read_picture(first)


def claim_to_be_huge(picture: Path) -> None:
    data = bytearray(picture.read_bytes())
    data[16:24] = struct.pack(">II", 30_000, 30_000)  # width and height in IHDR, whose checksum follows
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    picture.write_bytes(data)


def write_tum(root: Path, size: tuple[int, int] = (480, 640)) -> np.ndarray:
    depth = (np.arange(size[0] * size[1], dtype=np.uint16).reshape(size) % 30000).astype(np.uint16)
    lists: dict[str, list[str]] = {"rgb": [], "depth": [], "groundtruth": [], "accelerometer": []}
    for index in range(3):
        for name, late in (("rgb", 0.0), ("depth", 0.02)):
            stamp = f"{1305031102.175304 + index / 30 + late:.6f}"
            (root / name).mkdir(parents=True, exist_ok=True)
            lists[name].append(f"{stamp} {name}/{stamp}.png")
            Image.fromarray(np.full((*size, 3), index, np.uint8) if name == "rgb" else depth).save(
                root / name / f"{stamp}.png"
            )
    for index in range(40):
        lists["groundtruth"].append(f"{1305031102.16 + index / 100:.4f} {index} 0 0 0 0 0 1")
        lists["accelerometer"].append(f"{1305031102.16 + index / 100:.6f} 0 9.8 {index}")
    for name, rows in lists.items():
        (root / f"{name}.txt").write_text("# a comment\n# timestamp …\n" + "\n".join(rows) + "\n")
    return depth


def test_tum(tmp_path: Path) -> None:
    root = tmp_path / "rgbd_dataset_freiburg1_xyz"
    depth = write_tum(root)
    recording = opened(root)
    kinds = {"rgb": "rgb", "depth": "depth", "pose": "pose", "accelerometer": "state"}
    assert {s.name: s.kind for s in recording.sensors} == kinds
    assert sensor(recording, "depth").geometry == Intrinsics(
        width=640, height=480, fx=517.3, fy=516.5, cx=318.6, cy=255.3
    )
    clip = recording.read(0, 0, recording.lengths[0])
    stream = clip.stream("depth")
    assert stream.age_seconds is not None
    np.testing.assert_allclose(stream.age_seconds[0], 1 / 30 - 0.02, atol=2e-6)
    np.testing.assert_allclose(stream.values[0, 0, 0], depth / 5000, rtol=1e-6)
    assert clip.stream("pose").values[0, :, 0].tolist() == [4, 8]
    assert sensor(recording, "pose").shape == (7,)


def test_tum_of_an_unknown_camera_or_with_colours_as_depth(tmp_path: Path) -> None:
    write_tum(tmp_path, size=(24, 32))
    recording = opened(tmp_path)
    assert sensor(recording, "rgb").geometry is None
    assert "no intrinsics" in json.dumps(dict(recording.source))
    for path in (tmp_path / "depth").iterdir():
        grey(path, 3)
    with pytest.raises(DataError, match="no depth image of 16 bits"):
        recording.read(0, 0, 1, ["depth"])
    (tmp_path / "groundtruth.txt").write_text("1305031102.17 1 2 3\n")
    with pytest.raises(DataError, match="malformed in row 0"):
        open_recording(tmp_path)


CAMERAS = """calib_time: 09-Jan-2012 13:57:47
corner_dist: 9.950000e-02
S_02: 1.392000e+03 5.120000e+02
K_02: 9.597910e+02 0.000000e+00 6.960217e+02 0.000000e+00 9.569251e+02 2.241806e+02 0.000000e+00 0.000000e+00 1.0
R_rect_00: 1.0 0.0 0.0 0.0 1.0 0.0 0.0 0.0 1.0
S_rect_02: 3.200000e+01 2.400000e+01
P_rect_02: 20.0 0.0 15.0 8.0 0.0 20.0 11.0 0.0 0.0 0.0 1.0 0.0
"""


def write_kitti(date: Path, name: str = "2011_09_26_drive_0001_sync", frames: int = 5) -> np.ndarray:
    drive = date / name
    rng = np.random.default_rng(0)
    points = rng.normal(size=(100, 4)).astype("<f4")
    for part in ("image_02", "velodyne_points", "oxts"):
        (drive / part / "data").mkdir(parents=True)
        rows = [f"2011-09-26 13:02:{25 + i / 10:012.9f}" for i in range(frames)]
        (drive / part / "timestamps.txt").write_text("\n".join(rows) + "\n")
    for index in range(frames):
        grey(drive / f"image_02/data/{index:010d}.png", index)
        if index != 2:  # the laser lost one: its file is not there, the line of its time is
            points[: 50 + 10 * index].tofile(drive / f"velodyne_points/data/{index:010d}.bin")
        row = [49.0, 8.4 + 1e-5 * index, 110.0, 0.0, 0.0, np.pi / 2, 0, 0, 5, 6, 7, 1, 2, 3, 0, 0, 0, 0.1, 0.2, 0.3]
        text = " ".join(map(str, [*row, *[0] * 10]))
        (drive / f"oxts/data/{index:010d}.txt").write_text(text + "\n")
    (date / "calib_cam_to_cam.txt").write_text(CAMERAS)
    (date / "calib_imu_to_velo.txt").write_text("calib_time: 25-May\nR: 1 0 0 0 1 0 0 0 1\nT: -0.8 0.3 -0.8\n")
    (date / "calib_velo_to_cam.txt").write_text("R: 0 -1 0 0 0 -1 1 0 0\nT: 0 -0.1 -0.3\ndelta_f: 0 0\n")
    return points


def test_kitti(tmp_path: Path) -> None:
    points = write_kitti(tmp_path / "2011_09_26")
    recording = opened(tmp_path / "2011_09_26")
    kinds = {"image_02": "rgb", "velodyne": "points", "gnss": "gnss", "pose": "pose", "twist": "twist", "imu": "imu"}
    assert {s.name: s.kind for s in recording.sensors} == kinds
    camera, laser = sensor(recording, "image_02"), sensor(recording, "velodyne")
    assert camera.geometry == Intrinsics(width=32, height=24, fx=20.0, fy=20.0, cx=15.0, cy=11.0)
    assert laser.mount is not None
    np.testing.assert_allclose(laser.mount.translation, (0.8, -0.3, 0.8))
    assert camera.mount is not None
    # The optical axis looks ahead (x of the unit), and P_rect's fourth column moves camera 2 to the left of camera 0.
    turn, place = np.array(camera.mount.rotation), np.array(camera.mount.translation)
    np.testing.assert_allclose(rotate(turn, np.array([0.0, 0, 1])), [1, 0, 0], atol=1e-9)
    np.testing.assert_allclose(place, (0.8 + 0.3, -0.3 + 0.4, 0.8 - 0.1), atol=1e-9)
    clip = recording.read(0, 0, 5)
    cloud = clip.stream("velodyne")
    assert cloud.mask is not None
    assert cloud.mask[0].sum(-1).tolist() == [50, 60, 60, 80, 90]  # the lost one: that before it is shown, and is older
    assert cloud.age_seconds is not None
    np.testing.assert_allclose(cloud.age_seconds[0], [0, 0, 0.1, 0, 0], atol=1e-9)
    np.testing.assert_array_equal(cloud.values[0, 0, :50], points[:50, :3])
    np.testing.assert_allclose(clip.stream("gnss").values[0, :, 0], 0.7315 * np.arange(5), atol=2e-3)
    np.testing.assert_allclose(clip.stream("pose").values[0, 0, 3:], [0, 0, 0.5**0.5, 0.5**0.5], atol=1e-6)
    np.testing.assert_allclose(clip.stream("imu").values[0, 0], [0.1, 0.2, 0.3, 1, 2, 3])
    np.testing.assert_allclose(clip.stream("twist").values[0, 0], [5, 6, 7, 0.1, 0.2, 0.3])
    assert open_recording(tmp_path / "2011_09_26" / "2011_09_26_drive_0001_sync").lengths == (5,)


def test_a_kitti_cloud_that_is_cut_is_told(tmp_path: Path) -> None:
    write_kitti(tmp_path)
    cloud = next(tmp_path.glob("*/velodyne_points/data/0000000001.bin"))
    cloud.write_bytes(cloud.read_bytes()[:-14])
    with pytest.raises(DataError, match="make no points of 16"):
        opened(tmp_path).read(0, 0, 4)


def test_damaged_calibrations_are_told(tmp_path: Path) -> None:
    write_kitti(tmp_path)
    (tmp_path / "calib_cam_to_cam.txt").write_text(CAMERAS.replace("P_rect_02: ", "P_rect_02: 1 2 3\nold: "))
    with pytest.raises(DataError, match="calibrations or poses of this KITTI raw log are damaged"):
        opened(tmp_path)


def test_kitti_without_calibration_or_with_too_few_times(tmp_path: Path) -> None:
    date = tmp_path / "2011_09_26"
    write_kitti(date)
    (date / "calib_cam_to_cam.txt").unlink()
    recording = opened(date)
    assert sensor(recording, "image_02").geometry is None
    assert "no calib_cam_to_cam.txt" in json.dumps(dict(recording.source))
    stamps = date / "2011_09_26_drive_0001_sync/image_02/timestamps.txt"
    stamps.write_text(stamps.read_text().splitlines()[0])
    with pytest.raises(DataError, match="does not hold a time for each"):
        open_recording(date)
    stamps.write_text("yesterday\n" * 9)
    with pytest.raises(DataError, match="a time that is none"):
        open_recording(date)


def test_names_in_the_configuration_are_checked(tmp_path: Path) -> None:
    write_euroc(tmp_path)
    (tmp_path / "monde.json").write_text('{"without": ["imu0"], "rate_hz": 10}')
    recording = opened(tmp_path)
    assert [s.name for s in recording.sensors] == ["cam0", "pose"]
    assert recording.lengths == (3,)
    for wrong in ('{"without": ["imu1"]}', '{"offsets": {"imu1": 1}}', '{"actions": "/cmd_vel"}'):
        (tmp_path / "monde.json").write_text(wrong)
        with pytest.raises(DataError):
            open_recording(tmp_path)
