"""Exact frames by number from real files, and files that are none."""

import shutil
import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from data.filming import numbered, numbers_of, write_film, write_sound
from monde.data.video import VideoFile
from monde.errors import ContractError, DataError


@pytest.mark.parametrize("codec", ["libx264", "libx265", "libsvtav1"])
def test_any_frame_is_the_frame_of_a_sequential_read(tmp_path: Path, codec: str) -> None:
    video = VideoFile.open(write_film(tmp_path / "a.mp4", numbered(40, 64, 96), codec=codec))
    assert (video.frames, video.height, video.width, video.rotation_degrees) == (40, 64, 96, 0)
    assert video.fps == pytest.approx(10)
    assert not video.variable_rate
    whole = np.stack(list(video.iterate()))
    assert numbers_of(whole) == list(range(40))
    for start, stop in ((0, 1), (13, 17), (11, 13), (39, 40), (5, 30), (30, 34), (0, 40)):
        assert np.array_equal(video.read(start, stop), whole[start:stop]), (start, stop)
    order = [38, 2, 2, 25, 0, 24]
    assert np.array_equal(video.read_at(order), whole[order])
    assert video.read_at([]).shape == (0, 64, 96, 3)


def test_threads_do_not_disturb_one_another(tmp_path: Path) -> None:
    video = VideoFile.open(write_film(tmp_path / "a.mp4", numbered(40)))
    starts = np.random.default_rng(0).integers(0, 36, 60)
    with ThreadPoolExecutor(6) as pool:
        read = list(pool.map(lambda start: numbers_of(video.read(int(start), int(start) + 4)), starts))
    assert read == [list(range(start, start + 4)) for start in starts]


def test_times_are_those_of_the_file(tmp_path: Path) -> None:
    times = [0, 40, 80, 200, 240, 280]
    video = VideoFile.open(write_film(tmp_path / "a.mkv", numbered(6), times_ms=times))
    assert video.variable_rate
    assert (video.times_seconds * 1000).round().tolist() == times
    assert numbers_of(video.read(2, 5)) == [2, 3, 4]


def test_frames_are_resized_on_the_way(tmp_path: Path) -> None:
    video = VideoFile.open(write_film(tmp_path / "a.mp4", numbered(5, 96, 128)))
    frames = list(video.iterate(1, 4, size=(24, 32)))
    assert frames[0].shape == (24, 32, 3)
    assert numbers_of(np.stack(frames)) == [1, 2, 3]


def test_a_turned_film_stands_upright(tmp_path: Path) -> None:
    frames = numbered(6, 64, 96).copy()
    frames[:, :16] = 255  # the stored top
    path = write_film(tmp_path / "a.mp4", frames)
    data = path.read_bytes()
    at = data.index(b"tkhd") + 4 + 40  # version 0: the matrix begins after 40 bytes
    unit = 1 << 16
    turned = struct.pack(">9i", 0, unit, 0, -unit, 0, 0, 0, 0, 1 << 30)
    path.write_bytes(data[:at] + turned + data[at + 36 :])
    video = VideoFile.open(path)
    assert video.rotation_degrees == 270
    assert (video.height, video.width) == (96, 64)
    frame = video.read(0, 1)[0]
    assert frame.shape == (96, 64, 3)
    assert frame[:, -12:].mean() > 240  # clockwise: the stored top is on the right
    assert frame[:, :40].mean() < 60
    assert next(video.iterate(size=(48, 32))).shape == (48, 32, 3)


def test_what_is_no_video_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("not a video at all" * 100)
    write_sound(tmp_path / "sound.mp4")
    whole = write_film(tmp_path / "whole.mp4", numbered(40, 96, 128))
    (tmp_path / "cut.mp4").write_bytes(whole.read_bytes()[:3000])
    for name, said in (
        ("absent.mp4", "does not exist"),
        ("empty.mp4", "is empty"),
        ("text.mp4", "cannot be read as a video"),
        ("sound.mp4", "no picture track"),
        ("cut.mp4", "cut short|cannot be read"),
    ):
        with pytest.raises(DataError, match=rf"{name} .*({said})|{name}.*({said})"):
            VideoFile.open(tmp_path / name)


def test_a_damaged_frame_is_named(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (30, 64, 96, 3), dtype=np.uint8)
    path = write_film(tmp_path / "a.mp4", noise)
    video = VideoFile.open(path)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 20_000] = bytes(20_000)
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"frame \d+ of .*a\.mp4 cannot be decoded"):
        video.read(0, 30)


def test_a_file_that_is_gone_after_opening(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a" / "a.mp4", numbered(4))
    video = VideoFile.open(path)
    shutil.rmtree(path.parent)
    with pytest.raises(DataError, match="cannot be read"):
        video.read(0, 1)


def test_ranges_that_are_not_there(tmp_path: Path) -> None:
    video = VideoFile.open(write_film(tmp_path / "a.mp4", numbered(4)))
    for start, stop in ((-1, 2), (2, 2), (0, 5)):
        with pytest.raises(ContractError, match="0 ≤ start < stop ≤ 4"):
            video.read(start, stop)
    with pytest.raises(ContractError):
        video.read_at([4])
