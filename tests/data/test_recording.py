import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monde.data import EpisodeData, open_recording
from monde.errors import ContractError, DataError
from monde.protocols import Recording

Make = Callable[..., list[EpisodeData]]
DATA = "data/chunk-000/file-000.parquet"


def edit_info(root: Path, **changes: object) -> None:
    path = root / "meta/info.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def edit_table(path: Path, name: str, change: Callable[[list[object]], list[object]]) -> None:
    table = pq.read_table(path)
    index = table.schema.get_field_index(name)
    column = pa.array(change(table[name].to_pylist()), table.schema.field(name).type)
    pq.write_table(table.set_column(index, table.schema.field(name), column), path)


def test_reads_any_stretch(tmp_path: Path, make_dataset: Make) -> None:
    written = make_dataset(tmp_path, [5, 9], [40])
    recording = open_recording(str(tmp_path))
    assert isinstance(recording, Recording)
    clip = recording.read(2, 17, 31, ["state", "top"])
    assert list(clip.streams) == ["state", "top"]
    assert clip.steps == 14
    assert clip.actions is not None
    np.testing.assert_array_equal(clip.stream("top").values[0].numpy(), written[2].values["top"][17:31])
    np.testing.assert_array_equal(clip.actions.values[0].numpy(), written[2].actions[17:30])  # type: ignore[index]
    np.testing.assert_array_equal(clip.actions.times_seconds[0].numpy(), written[2].times_seconds[17:30])


def test_row_groups_of_any_size(tmp_path: Path, make_dataset: Make) -> None:
    """Other writers cut row groups where they like; episodes then begin in the middle of one."""
    written = make_dataset(tmp_path, [5, 9, 12])
    pq.write_table(pq.read_table(tmp_path / DATA), tmp_path / DATA, row_group_size=4)
    recording = open_recording(tmp_path)
    for episode, part in enumerate(written):
        for start in range(part.steps):
            clip = recording.read(episode, start, part.steps, ["state"])
            np.testing.assert_array_equal(clip.stream("state").values[0].numpy(), part.values["state"][start:])


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((3, 0, 1), "no episode 3"),
        ((-1, 0, 1), "no episode -1"),
        ((0, 2, 2), "no frames 2:2"),
        ((0, 0, 6), "no frames 0:6"),
        ((0, 0, 1, ["bottom"]), "unknown sensor 'bottom'"),
    ],
)
def test_refuses_what_is_not_there(
    tmp_path: Path, make_dataset: Make, arguments: tuple[int, int, int], complaint: str
) -> None:
    make_dataset(tmp_path, [5, 4, 3])
    with pytest.raises(ContractError, match=complaint):
        open_recording(tmp_path).read(*arguments)


def test_a_dataset_of_another_tool(tmp_path: Path, make_dataset: Make) -> None:
    """Without meta/monde.json: kinds from the features, bounds from the statistics, times from `timestamp`."""
    written = make_dataset(tmp_path, [5, 9])
    (tmp_path / "meta/monde.json").unlink()
    features = json.loads((tmp_path / "meta/info.json").read_text())["features"]
    del features["time_seconds"]
    features["observation.state"]["names"] = {"axes": ["x", "y"]}
    edit_info(tmp_path, features=features)
    recording = open_recording(tmp_path)
    assert [(s.name, s.kind, s.shape) for s in recording.sensors] == [
        ("top", "rgb", (3, 12, 16)),
        ("state", "state", (2,)),
        ("load", "state", (1,)),
        ("map", "state", (2, 3, 4)),
    ]
    assert recording.sensors[1].names == ("x", "y")
    assert recording.actions is not None
    actions = np.concatenate([part.actions for part in written if part.actions is not None])
    np.testing.assert_allclose(recording.actions.low, actions.min(0))
    np.testing.assert_allclose(recording.actions.high, actions.max(0))
    clip = recording.read(1, 3, 9)
    np.testing.assert_array_equal(clip.stream("map").values[0].numpy(), written[1].values["map"][3:])
    np.testing.assert_allclose(clip.stream("map").times_seconds[0].numpy(), np.arange(3, 9) / 10, rtol=1e-6)


def test_not_a_dataset(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        open_recording(tmp_path / "nowhere")
    with pytest.raises(DataError, match="not a dataset of a known layout"):
        open_recording(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="is not a folder"):
        open_recording(tmp_path / "file")


def test_unknown_version(tmp_path: Path, make_dataset: Make) -> None:
    make_dataset(tmp_path, [5])
    edit_info(tmp_path, codebase_version="v9.0")
    with pytest.raises(DataError, match=r"version of LeRobot that is not known. Got: v9.0. Expected: v2.0, v2.1, v3.0"):
        open_recording(tmp_path)


def test_no_episodes_yet(tmp_path: Path, make_dataset: Make) -> None:
    make_dataset(tmp_path)
    with pytest.raises(DataError, match="no episodes yet"):
        open_recording(tmp_path)


@pytest.mark.parametrize("victim", [DATA, "meta/tasks.parquet", "meta/episodes/chunk-000/file-000.parquet"])
def test_truncated_parquet(tmp_path: Path, make_dataset: Make, victim: str) -> None:
    make_dataset(tmp_path, [5, 9])
    path = tmp_path / victim
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match=r"cannot be read as Parquet.*truncated"):
        open_recording(tmp_path)


def test_missing_data_file(tmp_path: Path, make_dataset: Make) -> None:
    make_dataset(tmp_path, [5])
    (tmp_path / DATA).unlink()
    with pytest.raises(DataError, match=r"file-000\.parquet is missing"):
        open_recording(tmp_path)


def test_missing_rows(tmp_path: Path, make_dataset: Make) -> None:
    make_dataset(tmp_path, [5, 9])
    pq.write_table(pq.read_table(tmp_path / DATA).slice(0, 13), tmp_path / DATA)
    with pytest.raises(DataError, match="fewer rows"):
        open_recording(tmp_path)


def test_missing_episodes_file(tmp_path: Path, make_dataset: Make) -> None:
    make_dataset(tmp_path, [5], [9])
    (tmp_path / "meta/episodes/chunk-000/file-000.parquet").unlink()
    with pytest.raises(DataError, match="one after another"):
        open_recording(tmp_path)


def test_rows_of_another_episode(tmp_path: Path, make_dataset: Make) -> None:
    make_dataset(tmp_path, [5, 9])
    table = pq.read_table(tmp_path / DATA)
    pq.write_table(pa.concat_tables([table.slice(5), table.slice(0, 5)]), tmp_path / DATA)
    recording = open_recording(tmp_path)
    with pytest.raises(DataError, match="does not hold frames 0 to 4 of episode 0"):
        recording.read(0, 0, 5)


def test_missing_column(tmp_path: Path, make_dataset: Make) -> None:
    make_dataset(tmp_path, [5])
    pq.write_table(pq.read_table(tmp_path / DATA).drop_columns(["action"]), tmp_path / DATA)
    with pytest.raises(DataError, match="lacks columns"):
        open_recording(tmp_path).read(0, 0, 5)


@pytest.mark.parametrize("column", ["action", "observation.state", "observation.load"])
def test_nan_is_named_not_repaired(tmp_path: Path, make_dataset: Make, column: str) -> None:
    make_dataset(tmp_path, [5, 9])

    def spoil(rows: list[object]) -> list[object]:
        rows[8] = float("nan") if column == "observation.load" else [0.0, float("nan")]
        return rows

    edit_table(tmp_path / DATA, column, spoil)
    recording = open_recording(tmp_path)
    recording.read(0, 0, 5)
    with pytest.raises(DataError, match=rf"episode 1, column '{column}' holds NaN.*frame 3"):
        recording.read(1, 2, 9)
    recording.read(1, 4, 9)


def test_missing_cell(tmp_path: Path, make_dataset: Make) -> None:
    make_dataset(tmp_path, [5])
    edit_table(tmp_path / DATA, "observation.state", lambda rows: [*rows[:-1], None])
    with pytest.raises(DataError, match="missing values"):
        open_recording(tmp_path).read(0, 0, 5)


@pytest.mark.parametrize(
    ("cell", "complaint"),
    [
        ({"bytes": b"not a picture", "path": None}, "cannot be decoded"),
        ({"bytes": None, "path": "frame-000002.png"}, "holds no image"),
    ],
)
def test_bad_image(tmp_path: Path, make_dataset: Make, cell: dict[str, object], complaint: str) -> None:
    make_dataset(tmp_path, [5])
    edit_table(tmp_path / DATA, "observation.images.top", lambda rows: [*rows[:2], cell, *rows[3:]])
    recording = open_recording(tmp_path)
    with pytest.raises(DataError, match=f"frame 2, sensor 'top' {complaint}"):
        recording.read(0, 0, 5)


def test_image_of_another_size(tmp_path: Path, make_dataset: Make) -> None:
    make_dataset(tmp_path, [5])
    (tmp_path / "meta/monde.json").unlink()
    features = json.loads((tmp_path / "meta/info.json").read_text())["features"]
    features["observation.images.top"]["shape"] = [24, 32, 3]
    edit_info(tmp_path, features=features)
    with pytest.raises(DataError, match=r"another size.*12×16.*24×32"):
        open_recording(tmp_path).read(0, 0, 5)


def test_flipped_bit_in_a_data_file(tmp_path: Path, make_dataset: Make) -> None:
    """Parquet returns wrong numbers in silence unless pages carry checksums and readers ask for them."""
    make_dataset(tmp_path, [200])
    pristine = (tmp_path / DATA).read_bytes()
    before = open_recording(tmp_path)
    known, truth = before.fingerprint, before.read(0, 0, 200, ["state"])
    silent = 0
    for place in range(len(pristine) // 3, len(pristine) - 2000, len(pristine) // 23):
        data = bytearray(pristine)
        data[place] ^= 4
        (tmp_path / DATA).write_bytes(data)
        try:
            recording = open_recording(tmp_path)
            assert recording.fingerprint != known
            clip = recording.read(0, 0, 200)
        except DataError:
            continue
        silent += not np.array_equal(clip.stream("state").values.numpy(), truth.stream("state").values.numpy())
    assert silent == 0


@pytest.mark.parametrize("template", ["../outside/file.parquet", "/etc/file-{file_index}.parquet"])
def test_a_path_that_leaves_the_dataset(tmp_path: Path, make_dataset: Make, template: str) -> None:
    make_dataset(tmp_path, [5])
    edit_info(tmp_path, data_path=template)
    with pytest.raises(DataError, match="outside of the dataset"):
        open_recording(tmp_path)


@pytest.mark.parametrize("template", ["data/{nothing}.parquet", "data/{chunk_index.__class__}/{0}.parquet", "{"])
def test_a_malformed_path_template(tmp_path: Path, make_dataset: Make, template: str) -> None:
    make_dataset(tmp_path, [5])
    edit_info(tmp_path, data_path=template)
    with pytest.raises(DataError, match="unusable path template"):
        open_recording(tmp_path)


@pytest.mark.parametrize(
    "changes", [{"fps": 0}, {"fps": "fast"}, {"features": []}, {"features": {"a": 3}}, {"total_frames": None}]
)
def test_malformed_info(tmp_path: Path, make_dataset: Make, changes: dict[str, object]) -> None:
    make_dataset(tmp_path, [5])
    edit_info(tmp_path, **changes)
    with pytest.raises(DataError, match=r"info\.json is malformed"):
        open_recording(tmp_path)


def test_a_video_that_nobody_says_the_place_of(tmp_path: Path, make_dataset: Make) -> None:
    make_dataset(tmp_path, [5])
    features = json.loads((tmp_path / "meta/info.json").read_text())["features"]
    features["observation.images.top"]["dtype"] = "video"
    edit_info(tmp_path, features=features)
    with pytest.raises(DataError, match=r"does not say where the video of 'observation.images.top' for episode 0 is"):
        open_recording(tmp_path)


def test_fingerprint_follows_the_content_not_the_place(tmp_path: Path, make_dataset: Make) -> None:
    make_dataset(tmp_path / "a", [5])
    make_dataset(tmp_path / "b", [5])
    make_dataset(tmp_path / "c", [5], [5])
    a, b, c = (open_recording(tmp_path / name).fingerprint for name in "abc")
    assert a == b
    assert a != c
