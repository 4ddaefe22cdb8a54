import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from monde.cli import main
from monde.data import check_dataset, open_recording
from monde.data.arrays import ArrayRecording
from monde.data.fingerprint import episode_hashes
from monde.errors import DataError, UsageError
from monde.protocols import Recording
from monde.training.setup import reopen
from tests.data.rlds.conftest import Episode
from tests.data.rlds.writing import STEP, Value, tensor, write_features

Make = Callable[..., list[Episode]]
SHARED = Path(os.environ.get("MONDE_SHARED_DATA", "../shared/data"))
TRAIN = "toy-train.tfrecord-00000-of-00002"


def opened(root: Path, rate_hz: float | None = 10.0) -> ArrayRecording:
    recording = open_recording(root, rate_hz)
    assert isinstance(recording, ArrayRecording)
    return recording


@pytest.mark.parametrize("packed", [True, False])
def test_reads_what_was_written(tmp_path: Path, make_rlds: Make, packed: bool) -> None:
    written = make_rlds(tmp_path, {"train": ((5, 3), (4,)), "val": ((6,),)}, packed=packed)
    recording = opened(tmp_path)
    assert isinstance(recording, Recording)
    assert recording.lengths == (5, 3, 4, 6)
    assert dict(recording.splits) == {"train": (0, 1, 2), "val": (3,)}
    assert recording.tasks == ("task 0", "task 1", "task 2", "task 3")
    assert [(s.name, s.kind, s.shape) for s in recording.sensors] == [
        ("camera", "rgb", (3, 8, 12)),
        ("closed", "state", (1,)),
        ("exact", "state", (2,)),
        ("state", "state", (3,)),
    ]
    assert recording.actions is not None
    assert recording.actions.names == ("grip.0", "world_vector.0", "world_vector.1")
    for episode, part in enumerate(written):
        length = len(part["state"])
        clip = recording.read(episode, 1, length)
        np.testing.assert_array_equal(clip.stream("camera").values[0].numpy(), part["camera"][1:].transpose(0, 3, 1, 2))
        np.testing.assert_array_equal(clip.stream("state").values[0].numpy(), part["state"][1:])
        np.testing.assert_array_equal(clip.stream("closed").values[0, :, 0].numpy(), part["closed"][1:])
        np.testing.assert_allclose(clip.stream("exact").values[0].numpy(), part["exact"][1:], rtol=1e-6)
        assert clip.actions is not None
        taken = np.concatenate([part["grip"][1:-1, None], part["vector"][1:-1]], axis=1)
        np.testing.assert_allclose(clip.actions.values[0].numpy(), taken, rtol=1e-6)
    grips = np.concatenate([part["grip"] for part in written])
    assert (recording.actions.low[0], recording.actions.high[0]) == (grips.min(), grips.max())


def test_rate(tmp_path: Path, make_rlds: Make) -> None:
    make_rlds(tmp_path, {"train": ((5,),)})
    given = opened(tmp_path, 4.0)
    assert (given.source["rate_hz"], given.source["rate_assumed"]) == (4.0, False)
    assert given.sensors[0].rate_hz == 4.0
    assert given.actions is not None
    assert given.actions.dt_seconds == 0.25
    assert given.read(0, 2, 4).stream("state").times_seconds.tolist() == [[0.5, 0.75]]


def test_a_rate_that_nobody_said_is_asked_for(tmp_path: Path, make_rlds: Make) -> None:
    make_rlds(tmp_path, {"train": ((5,),)})
    with pytest.raises(DataError, match=r"does not store the rate of toy.*--rate HZ.*5 Hz.*3 Hz"):
        open_recording(tmp_path)


def test_the_rate_of_a_known_dataset_is_assumed_and_check_says_so(tmp_path: Path, make_rlds: Make) -> None:
    make_rlds(tmp_path, {"train": ((5, 6), (7,))})
    info = json.loads((tmp_path / "dataset_info.json").read_text())
    (tmp_path / "dataset_info.json").write_text(json.dumps(info | {"name": "bridge_dataset"}))
    assumed = open_recording(tmp_path)
    assert (assumed.source["rate_hz"], assumed.source["rate_assumed"]) == (5.0, True)
    (found,) = [finding for finding in check_dataset(tmp_path) if finding.code == "rate-assumed"]
    assert "5 Hz is assumed" in found.what
    assert "--rate" in found.remedy
    assert "rate-assumed" not in [finding.code for finding in check_dataset(tmp_path, rate_hz=5.0)]


def test_the_verbs_take_a_rate(tmp_path: Path, make_rlds: Make, capsys: pytest.CaptureFixture[str]) -> None:
    make_rlds(tmp_path / "d", {"train": ((12, 13), (14, 15))})
    assert main(["convert", str(tmp_path / "d"), str(tmp_path / "out"), "--quiet"]) == 2
    assert "--rate" in capsys.readouterr().err
    assert main(["convert", str(tmp_path / "d"), str(tmp_path / "out"), "--quiet", "--rate", "4"]) == 0
    converted = open_recording(tmp_path / "out")
    assert converted.sensors[0].rate_hz == 4.0
    assert converted.actions is not None
    assert converted.actions.dt_seconds == 0.25
    assert main(["check", str(tmp_path / "d"), "--quiet"]) == 1
    words = ["train", str(tmp_path / "d"), "--run", str(tmp_path / "run"), "--steps", "1", "--batch", "4", "--quiet"]
    assert main([*words, "--frame", "16", "--step-seconds", "0.5", "--rate", "4"]) == 0
    _, again = reopen(tmp_path / "run")  # the rate is part of the run
    assert again.model.actions.block == 2
    assert main(["convert", str(tmp_path / "out"), str(tmp_path / "copy"), "--quiet", "--rate", "4"]) == 2
    assert "times of its own" in capsys.readouterr().err


def test_rate_of_a_layout_with_times(tmp_path: Path, make_dataset: Callable[..., object]) -> None:
    make_dataset(tmp_path, [5])
    with pytest.raises(UsageError, match="times of its own"):
        open_recording(tmp_path, rate_hz=5.0)


def test_the_folder_of_one_version(tmp_path: Path, make_rlds: Make) -> None:
    make_rlds(tmp_path / "toy/1.0.0", {"train": ((5,),)})
    assert opened(tmp_path / "toy").lengths == (5,)
    make_rlds(tmp_path / "toy/1.1.0", {"train": ((5,),)})
    with pytest.raises(DataError, match="several versions"):
        open_recording(tmp_path / "toy", 10.0)


def test_a_flipped_bit_is_found(tmp_path: Path, make_rlds: Make) -> None:
    """Anywhere in a record: when it is opened, or at the latest when the episode is read; never handed over."""
    make_rlds(tmp_path, {"train": ((3,), (4,))})
    path = tmp_path / TRAIN
    whole = path.read_bytes()
    for offset in range(0, len(whole), 97):
        path.write_bytes(whole[:offset] + bytes([whole[offset] ^ 4]) + whole[offset + 1 :])
        with pytest.raises(DataError, match=r"checksum|truncated|limits") as caught:
            open_recording(tmp_path, 10.0).read(0, 0, 1)
        assert TRAIN in str(caught.value)
        assert opened_or_none(tmp_path, 1)


def opened_or_none(root: Path, episode: int) -> bool:
    """Whether the undamaged episode can still be read, where the dataset opens at all."""
    try:
        recording = open_recording(root, 10.0)
    except DataError:
        return True
    return recording.read(episode, 0, 1).steps == 1


@pytest.mark.parametrize("keep", [0, 5, 14, 200, -1])
def test_truncated(tmp_path: Path, make_rlds: Make, keep: int) -> None:
    make_rlds(tmp_path, {"train": ((3,), (4,))})
    path = tmp_path / TRAIN
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match="truncated" if keep else "empty"):
        open_recording(tmp_path, 10.0)


def test_cut_between_records(tmp_path: Path, make_rlds: Make) -> None:
    make_rlds(tmp_path, {"train": ((3, 3),)})
    make_rlds(tmp_path / "short", {"train": ((3,),)})
    (tmp_path / "short/dataset_info.json").write_bytes((tmp_path / "dataset_info.json").read_bytes())
    with pytest.raises(DataError, match="disagree"):
        open_recording(tmp_path / "short", 10.0)


def test_missing_parts(tmp_path: Path, make_rlds: Make) -> None:
    make_rlds(tmp_path, {"train": ((3,), (4,))})
    (tmp_path / TRAIN).rename(tmp_path / "aside")
    with pytest.raises(DataError, match="lacks TFRecord files of the split 'train'"):
        open_recording(tmp_path, 10.0)
    (tmp_path / "aside").rename(tmp_path / TRAIN)
    (tmp_path / "dataset_info.json").unlink()
    assert len(opened(tmp_path).lengths) == 2
    (tmp_path / "features.json").unlink()
    with pytest.raises(DataError, match=r"features.json"):
        open_recording(tmp_path, 10.0)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"featuresDict": 3}', "[" * 100_000])
def test_features_malformed(tmp_path: Path, make_rlds: Make, text: str) -> None:
    make_rlds(tmp_path, {"train": ((3,),)})
    (tmp_path / "features.json").write_text(text)
    with pytest.raises(DataError, match=r"features.json"):
        open_recording(tmp_path, 10.0)


def without(key: str) -> Callable[[int, dict[str, Value]], dict[str, Value]]:
    return lambda _, features: {name: value for name, value in features.items() if name != key}


def shorter(key: str) -> Callable[[int, dict[str, Value]], dict[str, Value]]:
    return lambda _, features: features | {key: features[key][:-1]}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (without("steps/action/grip"), "lacks 'steps/action/grip'"),
        (shorter("steps/action/world_vector"), "another length"),
        (without("steps/observation/state"), "lacks 'steps/observation/state'"),
        (shorter("steps/observation/state"), "another length"),
        (shorter("steps/observation/camera"), "another length"),
        (lambda _, f: f | {"steps/observation/camera": [b"no picture"] * 3}, "cannot be decoded"),
        (lambda _, f: f | {"steps/observation/state": [b"x"] * 3}, "not what features.json describes"),
        (lambda _, f: f | {"steps/observation/exact": [b"x"] * 3}, "not what features.json describes"),
    ],
)
def test_record_of_another_kind(
    tmp_path: Path, make_rlds: Make, change: Callable[[int, dict[str, Value]], dict[str, Value]], complaint: str
) -> None:
    make_rlds(tmp_path, {"train": ((3,),)}, change=change)
    with pytest.raises(DataError, match=complaint) as caught:
        open_recording(tmp_path, 10.0).read(0, 0, 3)
    assert f"{tmp_path / 'toy-train.tfrecord-00000-of-00001'}, record 0" in str(caught.value)


@pytest.mark.parametrize("key", ["steps/observation/state", "steps/action/world_vector"])
def test_nan_is_named(tmp_path: Path, make_rlds: Make, key: str) -> None:
    def spoil(index: int, features: dict[str, Value]) -> dict[str, Value]:
        values = np.array(features[key])
        values[2, 1] = np.nan
        return features | ({key: values} if index == 1 else {})

    make_rlds(tmp_path, {"train": ((4, 4),)}, change=spoil)
    recording = open_recording(tmp_path, 10.0)
    recording.read(0, 0, 4)
    recording.read(1, 0, 2)
    with pytest.raises(DataError, match=rf"record 1, array '{key}' holds NaN") as caught:
        recording.read(1, 1, 4)
    assert caught.value.got == "1, the first in frame 2, component [1]"


def test_names_at_the_limit(tmp_path: Path, make_rlds: Make) -> None:
    def named(length: int) -> Path:
        name = "n" * length
        root = tmp_path / str(length)
        make_rlds(
            root,
            {"train": ((3,),)},
            change=lambda _, f: f | {f"steps/observation/{name}": np.zeros((3, 2), dtype=np.float32)},
        )
        write_features(root, STEP | {"observation": {"featuresDict": {"features": {name: tensor("float32", 2)}}}})
        return root

    assert opened(named(200)).sensors[0].name == "n" * 200
    with pytest.raises(DataError, match="makes no sensor"):
        open_recording(named(201), 10.0)


def test_paths_in_the_description_are_not_followed(tmp_path: Path, make_rlds: Make) -> None:
    make_rlds(tmp_path / "inside", {"train": ((3,),)})
    path = tmp_path / "inside/dataset_info.json"
    info = json.loads(path.read_text())
    info["splits"][0]["filepathTemplate"] = "../../{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}"
    path.write_text(json.dumps(info))
    assert opened(tmp_path / "inside").lengths == (3,)


def test_fingerprint(tmp_path: Path, make_rlds: Make) -> None:
    for name in ("a", "b"):
        make_rlds(tmp_path / name, {"train": ((3,), (4,))})
    assert opened(tmp_path / "a").fingerprint == opened(tmp_path / "b").fingerprint
    make_rlds(tmp_path / "b", {"train": ((3,), (5,))})
    assert opened(tmp_path / "a").fingerprint != opened(tmp_path / "b").fingerprint


def test_bridge() -> None:
    """A real set, whose train and val files hold the same 25 episodes in another order."""
    root = SHARED / "bridge-octo-debug"
    if not root.is_dir():
        pytest.skip(f"{root} is not here")
    recording = opened(root)
    assert recording.lengths == (10,) * 50
    assert {name: len(held) for name, held in recording.splits.items()} == {"train": 25, "val": 25}
    assert [s.name for s in recording.sensors] == ["image_0", "image_1", "image_2", "image_3", "state"]
    assert len(set(recording.tasks)) == 4
    hashes = episode_hashes(recording)
    train, val = ({hashes[episode] for episode in recording.splits[name]} for name in ("train", "val"))
    assert len(train) == 25
    assert train == val
    # SOURCE.md: the next step's motion follows the action (0.82 to 0.89).
    pairs = [recording.read(episode, 0, 10, ["state"]) for episode in recording.splits["train"]]
    moved = np.concatenate([np.diff(clip.stream("state").values[0, :, :3].numpy(), axis=0) for clip in pairs])
    told = np.concatenate([clip.actions.values[0, :, :3].numpy() for clip in pairs if clip.actions is not None])
    for component in range(3):
        assert np.corrcoef(moved[:, component], told[:, component])[0, 1] > 0.8
