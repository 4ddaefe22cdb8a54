from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monde.data import EpisodeData, RecordingWriter, check_dataset
from monde.types import ActionSpec, Sensor

Make = Callable[..., list[EpisodeData]]
SENSORS = (
    Sensor(name="top", kind="rgb", shape=(3, 4, 4), rate_hz=10.0),
    Sensor(name="state", kind="state", shape=(2,), rate_hz=10.0),
)
BOX = ActionSpec(low=(-1.0,), high=(1.0,), dt_seconds=0.1)


def record(root: Path, change: Callable[[dict[str, np.ndarray]], None], length: int = 20) -> list[str]:
    rng = np.random.default_rng(0)
    with RecordingWriter(root, sensors=SENSORS, actions=BOX, source={}) as writer:
        for _ in range(2):
            parts = {
                "top": rng.integers(0, 256, (length, 3, 4, 4), dtype=np.uint8),
                "state": rng.normal(size=(length, 2)),
                "times": np.arange(length) * 0.1,
                "actions": rng.uniform(-1, 1, (length - 1, 1)),
            }
            change(parts)
            values = {name: parts[name] for name in ("top", "state")}
            writer.append([EpisodeData(values, parts["times"], parts["actions"])])
    return [str(finding) for finding in check_dataset(root)]


def test_nothing_to_say_about_a_sound_recording(tmp_path: Path, make_dataset: Make) -> None:
    make_dataset(tmp_path, [20, 30])
    assert check_dataset(tmp_path) == []


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (lambda parts: parts["state"].fill(3), "warning: sensor 'state' never changes"),
        (lambda parts: parts["state"][:, 1].fill(3), "note: sensor 'state' has components that never change: 1"),
        (lambda parts: parts["top"].fill(0), "warning: camera 'top' never changes"),
        (lambda parts: parts["actions"].fill(1), "warning: action component 0 is at a bound in 100%"),
        (lambda parts: parts["actions"].fill(0), "warning: action never changes"),
        (
            lambda parts: parts["times"].__iadd__(np.arange(20) > 6),
            "warning: episode 0 has a gap of 1.1 s before frame 7",
        ),
    ],
)
def test_finds(tmp_path: Path, change: Callable[[dict[str, np.ndarray]], None], finding: str) -> None:
    assert any(line.startswith(finding) for line in record(tmp_path, change))


def test_finds_nan_and_names_it_with_the_rest_still_read(tmp_path: Path) -> None:
    record(tmp_path, lambda parts: None)
    path = tmp_path / "data/chunk-000/file-001.parquet"
    table = pq.read_table(path)
    rows = table["observation.state"].to_pylist()
    rows[4] = [0.0, float("nan")]
    index = table.schema.get_field_index("observation.state")
    field = table.schema.field(index)
    pq.write_table(table.set_column(index, field, pa.array(rows, field.type)), path)
    findings = check_dataset(tmp_path)
    assert [finding.level for finding in findings] == ["error"]
    assert "episode 1, column 'observation.state' holds NaN" in findings[0].what


def test_what_does_not_open_is_one_finding(tmp_path: Path) -> None:
    findings = check_dataset(tmp_path / "nowhere")
    assert [finding.level for finding in findings] == ["error"]
    assert findings[0].remedy


def test_single_frames_and_single_episodes(tmp_path: Path, make_dataset: Make) -> None:
    make_dataset(tmp_path, [1])
    text = " ".join(map(str, check_dataset(tmp_path)))
    assert "single frame: 0" in text
    assert "only one episode" in text
