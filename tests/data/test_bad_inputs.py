"""Recordings as they come: what is wrong with them is counted and named, and nothing beside them is touched.

Further bad inputs are proven beside the reader that they concern (test_recording.py, test_lerobot_legacy.py, folders/,
video/, hdf5/, rlds/, zarr/).
"""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from data.filming import numbered, write_film
from monde.cli import main
from monde.data import EpisodeData, FrameCache, RecordingWriter, open_recording
from monde.data.convert import convert
from monde.data.lerobot.reader import LeRobotRecording
from monde.data.lerobot.video_frames import VideoFrames
from monde.errors import DataError
from monde.types import ActionSpec, Sensor
from tests.data.hdf5.test_reader import write_robomimic
from tests.data.zarr.test_reader import content
from tests.data.zarr.test_reader import write as write_zarr

Make = Callable[..., list[EpisodeData]]
CAMERAS = tuple(Sensor(name=name, kind="rgb", shape=(3, 48, 64), rate_hz=10.0) for name in ("top", "wrist"))
ACTIONS = ActionSpec(low=(-1.0,), high=(1.0,), dt_seconds=0.1)


def filmed(root: Path, groups: Sequence[Sequence[int]]) -> Path:
    """Two cameras as video; a file of each for every group of episode lengths."""
    with RecordingWriter(root, sensors=CAMERAS, actions=ACTIONS, source={}, frames=VideoFrames()) as writer:
        for lengths in groups:
            writer.append(
                [
                    EpisodeData(
                        {camera.name: numbered(length).transpose(0, 3, 1, 2) for camera in CAMERAS},
                        np.arange(length) / 10,
                        np.zeros((length - 1, 1), np.float32),
                    )
                    for length in lengths
                ]
            )
    return root


def film_of(root: Path, camera: str, number: int) -> Path:
    return root / f"videos/observation.images.{camera}/chunk-000/file-{number:03d}.mp4"


def checked(data: Path, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, list[dict[str, str]]]:
    """The findings of `monde check`, by code."""
    assert main(["check", str(data), "--json", "-", "--quiet", *words]) in {0, 1}
    found: dict[str, list[dict[str, str]]] = {}
    for finding in json.loads(capsys.readouterr().out)["findings"]:
        found.setdefault(finding["code"], []).append(finding)
    return found


def test_listed_episodes_of_a_v3_dataset_that_are_absent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = filmed(tmp_path / "d", [[6, 7], [8], [9]])
    film_of(root, "wrist", 1).unlink()
    (root / "data/chunk-000/file-002.parquet").unlink()
    recording = open_recording(root)
    assert isinstance(recording, LeRobotRecording)
    assert recording.lengths == (6, 7)
    assert recording.absent == (2, 3)
    (absent,) = checked(root, capsys)["absent"]
    assert "2 of 4 listed episodes are absent" in absent["what"]
    assert "2, 3" in absent["what"]
    assert convert(root, tmp_path / "copy").left_out.keys() == {"episode 2", "episode 3"}


@pytest.mark.parametrize(
    ("frames", "said"),
    [
        (numbered(11), "one frame for each row of episode 1"),
        (numbered(13, 24, 32), "another size"),
    ],
)
def test_two_cameras_that_disagree(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], frames: np.ndarray, said: str
) -> None:
    root = filmed(tmp_path / "d", [[6, 7]])
    write_film(film_of(root, "wrist", 0), frames)
    recording = open_recording(root)
    assert recording.read(1, 0, 7, ["top"]).steps == 7
    with pytest.raises(DataError, match=said) as caught:
        recording.read(1, 0, 7)
    assert "wrist" in str(caught.value)
    assert any(said in finding["what"] for finding in checked(root, capsys)["unreadable"])


def test_a_video_that_is_empty_cut_or_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, damage in {
        "empty": lambda data: b"",
        "cut": lambda data: data[: len(data) // 2],
        "text": lambda data: b"not a film, but long enough to be looked into" * 40,
    }.items():
        root = filmed(tmp_path / name, [[6, 7]])
        path = film_of(root, "top", 0)
        path.write_bytes(damage(path.read_bytes()))
        recording = open_recording(root)
        assert recording.read(0, 0, 6, ["wrist"]).steps == 6
        with pytest.raises(DataError, match=r"observation\.images\.top/chunk-000/file-000\.mp4"):
            recording.read(0, 0, 6)
        assert "file-000.mp4" in checked(root, capsys)["unreadable"][0]["what"]


def test_names_of_200_characters(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    films = tmp_path / ("f" * 200)
    for letter in "ab":
        write_film(films / (letter * 196 + ".mp4"), numbered(8))
    recording = open_recording(films)
    assert recording.lengths == (8, 8)
    cache = FrameCache.open_or_build(recording, root=tmp_path / "cache", size=16)
    assert len(cache.values("camera")) == 16
    (films / ("c" * 196 + ".mp4")).write_bytes(b"")
    assert "c" * 196 in checked(films, capsys)["absent"][0]["what"]
    dataset = filmed(tmp_path / ("d" * 200), [[6, 7]])
    assert open_recording(dataset).lengths == (6, 7)
    assert "unreadable" not in checked(dataset, capsys)


def test_links_are_followed_as_the_hubs_cache_needs_but_show_nothing_else(tmp_path: Path, make_dataset: Make) -> None:
    """The hub's cache is a folder of links into a store beside it. What is no Parquet is not quoted."""
    written = make_dataset(tmp_path / "d", [5])
    path = tmp_path / "d/data/chunk-000/file-000.parquet"
    path.rename(tmp_path / "blob")
    path.symlink_to(tmp_path / "blob")
    read = open_recording(tmp_path / "d").read(0, 0, 5).stream("state").values[0].numpy()
    np.testing.assert_array_equal(read, np.asarray(written[0].values["state"]))
    path.unlink()
    (tmp_path / "secret").write_text("the secret of another user " * 50)
    path.symlink_to(tmp_path / "secret")
    with pytest.raises(DataError, match="cannot be read as Parquet") as caught:
        open_recording(tmp_path / "d")
    assert "secret of" not in str(caught.value)


def test_a_v3_dataset_half_written_is_told_and_gone_on_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = filmed(tmp_path / "d", [[6], [7]])
    info = json.loads((root / "meta/info.json").read_text())
    (root / "meta/info.json").write_text(json.dumps(info | {"total_episodes": 1, "total_frames": 6}))
    (found,) = checked(root, capsys)["unreadable"]
    assert "half written" in found["what"]
    assert "opening it for writing" in found["remedy"]
    filmed(root, [[8]])
    assert open_recording(root).lengths == (6, 7, 8)


@pytest.mark.parametrize("version", ["v1.6", "v4.0", "", "v3.0.1"])
def test_meta_of_an_unknown_version(tmp_path: Path, capsys: pytest.CaptureFixture[str], version: str) -> None:
    root = filmed(tmp_path / "d", [[6]])
    info = json.loads((root / "meta/info.json").read_text())
    (root / "meta/info.json").write_text(json.dumps(info | {"codebase_version": version}))
    (found,) = checked(root, capsys)["unreadable"]
    assert "version of LeRobot that is not known" in found["what"]
    assert main(["check", str(root), "--quiet"]) == 1


def test_check_of_hdf5(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "lift.hdf5"
    write_robomimic(path, (12, 14, 13), freq=None)
    found = checked(path, capsys)
    assert "20 Hz is assumed" in found["rate-assumed"][0]["what"]
    assert not [f for held in found.values() for f in held if f["level"] == "error"]
    assert "rate-assumed" not in checked(path, capsys, "--rate", "20")
    write_robomimic(
        path, (12, 14, 13), lambda file: file["data/demo_1/obs/robot0_eef_pos"].write_direct(np.full((14, 3), np.nan))
    )
    (nan,) = checked(path, capsys)["not-finite"]
    assert "robot0_eef_pos" in nan["what"]
    path.write_bytes(path.read_bytes()[:2000])
    assert "lift.hdf5" in checked(path, capsys)["unreadable"][0]["what"]


def test_check_of_zarr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "pusht.zarr"
    arrays = content(60)
    write_zarr(path, arrays, (20, 40, 60))
    found = checked(path, capsys)
    assert "10 Hz is assumed" in found["rate-assumed"][0]["what"]
    assert not [f for held in found.values() for f in held if f["level"] == "error"]
    arrays["state"][25, 1] = np.nan
    write_zarr(tmp_path / "bad.zarr", arrays, (20, 40, 60))
    (nan,) = checked(tmp_path / "bad.zarr", capsys)["not-finite"]
    assert "state" in nan["what"]
    for chunk in (path / "data/camera_0").glob("[0-9]*"):
        os.truncate(chunk, 3)
    assert any("camera_0" in finding["what"] for finding in checked(path, capsys)["unreadable"])
