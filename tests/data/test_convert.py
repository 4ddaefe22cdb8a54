"""Whatever can be read becomes a LeRobot v3 dataset: what it holds, what stops it, how it goes on."""

import importlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from monde.cli import main
from monde.cli.convert import episode_numbers, frame_size
from monde.data import EpisodeData, convert, open_recording
from monde.errors import DataError, UsageError
from tests.data.filming import numbered, numbers_of, write_film

av = pytest.importorskip("av")

SHARED = Path(os.environ.get("MONDE_SHARED_DATA", Path(__file__).resolve().parents[3] / "shared/data"))
Make = Callable[..., list[EpisodeData]]


def features(root: Path) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = json.loads((root / "meta/info.json").read_text())["features"]
    return found


def shown(root: Path, episode: int, sensor: str = "camera") -> np.ndarray:
    recording = open_recording(root)
    clip = recording.read(episode, 0, recording.lengths[episode])
    return clip.stream(sensor).values[0].permute(0, 2, 3, 1).numpy()


def test_a_dataset_of_images_comes_out_as_it_went_in(tmp_path: Path, make_dataset: Make) -> None:
    written = make_dataset(tmp_path / "a", [5, 9], [40])
    seen: list[tuple[int, int]] = []
    summary = convert(tmp_path / "a", tmp_path / "b", progress=lambda done, of: seen.append((done, of)))
    assert (summary.episodes, summary.new_episodes, summary.new_frames, summary.store) == (3, 3, 54, "images")
    assert seen == [(0, 54), (5, 54), (14, 54), (54, 54)]
    recording = open_recording(tmp_path / "b")
    assert recording.sensors == open_recording(tmp_path / "a").sensors
    assert recording.actions == open_recording(tmp_path / "a").actions
    for index, part in enumerate(written):
        clip = recording.read(index, 0, part.steps)
        for name, values in part.values.items():
            np.testing.assert_array_equal(clip.stream(name).values[0].numpy(), values)
        np.testing.assert_array_equal(clip.stream("top").times_seconds[0].numpy(), part.times_seconds)
        assert clip.actions is not None
        np.testing.assert_array_equal(clip.actions.values[0].numpy(), part.actions)
    assert recording.tasks == ("go", "go", "go")  # type: ignore[attr-defined]


def test_chosen_episodes_at_another_size(tmp_path: Path, make_dataset: Make) -> None:
    written = make_dataset(tmp_path / "a", [5, 9, 7])
    convert(tmp_path / "a", tmp_path / "b", frame=(6, 8), episodes=[2, 0])
    recording = open_recording(tmp_path / "b")
    assert recording.lengths == (7, 5)
    assert recording.sensors[0].shape == (3, 6, 8)
    state = recording.read(0, 0, 7).stream("state").values[0].numpy()
    np.testing.assert_array_equal(state, written[2].values["state"])


def test_films_of_several_sizes_become_one_dataset(tmp_path: Path) -> None:
    write_film(tmp_path / "in/a.mp4", numbered(20, 144, 160))
    write_film(
        tmp_path / "in/b.mkv", numbered(9, 96, 128), rate=25, times_ms=[40 * k + (k > 4) * 700 for k in range(9)]
    )
    (tmp_path / "in/broken.mp4").write_text("no film")
    with pytest.raises(DataError, match="several sizes"):
        convert(tmp_path / "in", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    summary = convert(tmp_path / "in", tmp_path / "out", frame=(132, 140))
    assert summary.store == "video"
    assert list(summary.left_out) == ["broken.mp4"]
    assert features(tmp_path / "out")["observation.images.camera"]["dtype"] == "video"
    assert numbers_of(shown(tmp_path / "out", 0)) == list(range(20))
    assert numbers_of(shown(tmp_path / "out", 1)) == list(range(9))
    times = open_recording(tmp_path / "out").read(1, 0, 9).stream("camera").times_seconds[0].numpy()
    np.testing.assert_allclose(times, [0.04 * k + (k > 4) * 0.7 for k in range(9)], atol=1e-9)


def test_goes_on_after_it_was_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abc":
        write_film(tmp_path / f"in/{name}.mp4", numbered(6, 144, 160))

    def stop(done: int, wanted: int) -> None:
        if done == 12:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(tmp_path / "in", tmp_path / "out", progress=stop)
    assert open_recording(tmp_path / "out").lengths == (6, 6)
    seen: list[tuple[int, int]] = []
    summary = convert(tmp_path / "in", tmp_path / "out", progress=lambda done, of: seen.append((done, of)))
    assert (summary.episodes, summary.new_episodes, summary.new_frames) == (3, 1, 6)
    assert seen == [(12, 18), (18, 18)]
    whole = convert(tmp_path / "in", tmp_path / "whole")
    assert whole.episodes == 3
    for path in sorted((tmp_path / "whole").rglob("*.mp4")):
        assert (tmp_path / "out" / path.relative_to(tmp_path / "whole")).read_bytes() == path.read_bytes()
    assert "nothing to do" in str(convert(tmp_path / "in", tmp_path / "out"))
    write_film(tmp_path / "in/a.mp4", numbered(7, 144, 160))
    with pytest.raises(DataError, match="other source"):
        convert(tmp_path / "in", tmp_path / "out")


def test_a_damaged_film_stops_at_its_episode(tmp_path: Path) -> None:
    """Opens well, but its pictures are damaged in the middle: the episodes before it are kept."""
    write_film(tmp_path / "in/a.mp4", numbered(6, 144, 160))
    path = write_film(tmp_path / "in/b.mp4", np.random.default_rng(0).integers(0, 256, (30, 144, 160, 3), np.uint8))
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 60_000] = bytes(60_000)
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"b\.mp4"):
        convert(tmp_path / "in", tmp_path / "out")
    assert open_recording(tmp_path / "out").lengths == (6,)
    assert len(list((tmp_path / "out").rglob("*.mp4"))) == 1
    assert convert(tmp_path / "in", tmp_path / "other", episodes=[0]).episodes == 1


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"frame": 0}, "cannot have this size"),
        ({"frame": (16, 5000)}, "cannot have this size"),
        ({"episodes": [1]}, "no such episodes"),
        ({"episodes": []}, "no episode is chosen"),
        ({"store": "tape"}, "unknown storage"),
    ],
)
def test_refuses_before_a_folder_is_made(tmp_path: Path, changes: dict[str, object], complaint: str) -> None:
    write_film(tmp_path / "in/a.mp4", numbered(3))
    with pytest.raises(UsageError, match=complaint):
        convert(tmp_path / "in", tmp_path / "out", **changes)  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_refuses_to_write_into_its_source(tmp_path: Path) -> None:
    write_film(tmp_path / "a.mp4", numbered(3))
    with pytest.raises(UsageError, match="lies inside"):
        convert(tmp_path, tmp_path / "out")


def test_refuses_images_that_do_not_fit_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The package has a function of the same name.
    monkeypatch.setattr(importlib.import_module("monde.data.convert"), "MAX_RECORDING_GROUP_BYTES", 3 * 48 * 64 * 9)
    write_film(tmp_path / "in/a.mp4", numbered(10))
    with pytest.raises(UsageError, match=r"too large.*--frame"):
        convert(tmp_path / "in", tmp_path / "out", store="images")
    assert convert(tmp_path / "in", tmp_path / "out", store="video").episodes == 1


def test_the_verb(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_film(tmp_path / "in/a.mp4", numbered(12, 96, 128))
    write_film(tmp_path / "in/b.mp4", numbered(5, 96, 128))
    (tmp_path / "in/broken.mp4").write_text("no film")
    words = ["convert", str(tmp_path / "in"), str(tmp_path / "out"), "--frame", "32x48", "--store", "video"]
    assert main([*words, "--episodes", "0-1", "--json", str(tmp_path / "r.json")]) == 0
    out, err = capsys.readouterr()
    assert "converted 2 episodes, 17 frames" in out
    assert "17 of 17 frames, 100%" in err
    assert "left out: broken.mp4" in err
    document = json.loads((tmp_path / "r.json").read_text())
    assert (document["new_frames"], document["store"], list(document["left_out"])) == (17, "video", ["broken.mp4"])
    assert main(["check", str(tmp_path / "out")]) == 0
    assert main([*words[:2], str(tmp_path / "x"), "--frame", "huge"]) == 2
    assert "unusable --frame" in capsys.readouterr().err


def test_words_of_the_verb() -> None:
    assert frame_size("64") == (64, 64)
    assert frame_size("48x64") == (48, 64)
    assert episode_numbers(()) is None
    assert episode_numbers(("3", "10-12")) == [3, 10, 11, 12]
    for words in (("a",), ("5-2",), ("-1",)):
        with pytest.raises(UsageError, match="unusable --episodes"):
            episode_numbers(words)


@pytest.mark.skipif(not (SHARED / "short-clips").is_dir(), reason="shared data is not here")
def test_a_real_clip(tmp_path: Path) -> None:
    """HEVC in, H.264 out; the pictures stay close."""
    shutil.copy(SHARED / "short-clips/h265_video.mp4", tmp_path / "clip.mp4")
    convert(tmp_path / "clip.mp4", tmp_path / "out", store="video")
    before, after = (shown(place, 0).astype(int) for place in (tmp_path / "clip.mp4", tmp_path / "out"))
    assert before.shape == after.shape
    assert np.abs(before - after).mean() < 3
