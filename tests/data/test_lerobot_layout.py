"""What we write, field by field, beside what lerobot itself wrote of the same episodes (lerobot_layout.json).

benchmarks/lerobot_reader.py made that file, and opens our dataset in lerobot's own reader where lerobot is installed.
"""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

av = pytest.importorskip("av")

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))
try:
    from lerobot_reader import FPS, LENGTHS, VIDEO, describe, episodes, write_ours
finally:
    sys.path.pop(0)

GOLDEN = json.loads(Path(__file__).with_name("lerobot_layout.json").read_text(encoding="utf-8"))
OURS = {"time_seconds"}
"""The column that only we write; tools that do not know it pass it over."""


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("layout") / "ours"
    write_ours(root)
    return root


@pytest.fixture(scope="module")
def ours(dataset: Path) -> dict[str, dict[str, object]]:
    return describe(dataset)  # type: ignore[return-value]


def without_ours(fields: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in fields.items() if not any(name in key.split("/") for name in OURS)}


def test_files(ours: dict[str, dict[str, object]]) -> None:
    assert set(ours["files"]) - set(GOLDEN["files"]) == {"meta/monde.json"}
    assert set(GOLDEN["files"]) <= set(ours["files"])


def test_info(ours: dict[str, dict[str, object]]) -> None:
    """Every key and value of info.json, features with dtype, shape, names and the description of the video."""
    info, golden = ours["info"], GOLDEN["info"]
    assert without_ours(info["features"]) == golden["features"]  # type: ignore[arg-type]
    assert {**info, "features": {}} == {**golden, "features": {}}


def test_data_columns_and_types(ours: dict[str, dict[str, object]]) -> None:
    assert without_ours(ours["data"]) == GOLDEN["data"]
    # `datasets` calls a list of fixed length List since version 4, and reads the older name Sequence too.
    named = json.loads(json.dumps(without_ours(ours["huggingface"])).replace('"Sequence"', '"List"'))
    assert named == GOLDEN["huggingface"]


def test_episode_columns_and_types(ours: dict[str, dict[str, object]]) -> None:
    """Where frames and videos are, and statistics; whole numbers' extremes are float64 here and int64 there."""
    found, golden = without_ours(ours["episodes"]), GOLDEN["episodes"]
    assert set(found) == set(golden)
    differing = {key: (found[key], golden[key]) for key in golden if found[key] != golden[key]}
    assert {key.split("/")[-1] for key in differing} <= {"min", "max"}
    assert set(differing.values()) <= {("list<element: double>", "list<element: int64>")}


def test_statistics(ours: dict[str, dict[str, object]]) -> None:
    assert without_ours(ours["stats"]) == GOLDEN["stats"]


def test_quantiles_lie_where_they_should(dataset: Path) -> None:
    stats = json.loads((dataset / "meta/stats.json").read_text())
    listed = pq.read_table(dataset / "meta/episodes/chunk-000/file-000.parquet").to_pylist()
    for row, episode in zip(listed, episodes(), strict=True):
        state = np.asarray(episode.values["state"], dtype=np.float64)
        for name, part in {"q01": 0.01, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q99": 0.99}.items():
            np.testing.assert_allclose(row[f"stats/observation.state/{name}"], np.quantile(state, part, axis=0))
        levels = np.asarray(episode.values["top"])[:, :, 0, 0] / 255
        assert np.ravel(row[f"stats/{VIDEO}/q50"])[0] == pytest.approx(np.median(levels), abs=0.021)
    for part in stats.values():
        quantiles = np.array([np.ravel(part[name]) for name in ("min", "q01", "q10", "q50", "q90", "q99", "max")])
        assert (np.diff(quantiles, axis=0) >= -1e-9).all()


def test_tasks(dataset: Path, ours: dict[str, dict[str, object]]) -> None:
    """pandas keeps the text in the index, whatever its column is called in the file."""
    assert ours["tasks"]["task_index"] == GOLDEN["tasks"]["task_index"]
    table = pq.read_table(dataset / "meta/tasks.parquet")
    assert json.loads(table.schema.metadata[b"pandas"])["index_columns"] == ["task"]
    assert table.to_pydict() == {"task_index": [0], "task": ["go"]}


def test_videos_hold_what_the_episodes_say(dataset: Path) -> None:
    listed = pq.read_table(dataset / "meta/episodes/chunk-000/file-000.parquet").to_pylist()
    with av.open(str(dataset / f"videos/{VIDEO}/chunk-000/file-000.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt, stream.average_rate) == (
            "h264",
            "yuv420p",
            FPS,
        )
        times = [frame.time for frame in container.decode(stream)]
    assert len(times) == sum(LENGTHS)
    starts = np.cumsum([0, *LENGTHS])
    for row, start, stop in zip(listed, starts, starts[1:]):
        assert (row["dataset_from_index"], row["dataset_to_index"]) == (start, stop)
        assert row[f"videos/{VIDEO}/from_timestamp"] == pytest.approx(times[start], abs=1e-6)
        assert row[f"videos/{VIDEO}/to_timestamp"] == pytest.approx(times[stop - 1] + 1 / FPS, abs=1e-6)
    rows = pq.read_table(dataset / "data/chunk-000/file-000.parquet").to_pydict()
    assert rows["index"] == list(range(sum(LENGTHS)))
    assert rows["frame_index"] == [k for length in LENGTHS for k in range(length)]
    assert rows["episode_index"] == [e for e, length in enumerate(LENGTHS) for _ in range(length)]
    # Within lerobot's tolerance of 1e-4 s: this is how it finds a row's frame.
    expected = [
        listed[e][f"videos/{VIDEO}/from_timestamp"] + t for e, t in zip(rows["episode_index"], rows["timestamp"])
    ]
    np.testing.assert_allclose(expected, times, atol=1e-4)


@pytest.mark.skipif(importlib.util.find_spec("lerobot") is None, reason="lerobot is not installed")
def test_lerobot_reads_it() -> None:
    """In a process of its own: lerobot imports much, and warns."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks/lerobot_reader.py")],
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    assert "read every row of ours" in done.stdout
