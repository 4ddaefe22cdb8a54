"""Reading point recordings: metres and gaps, and every fault by name."""

from pathlib import Path

import numpy as np
import pytest

from monde.data.points import PointTracks, read_qualisys
from monde.errors import ContractError, DataError
from throwing import write_recording, write_tsv

LINE = np.linspace([0.1, 0.2, 0.3], [0.4, 0.5, 0.6], 40)


def small(path: Path) -> Path:
    return write_tsv(path, [("base_1", 0, np.full((60, 3), 0.03)), ("", 5, LINE)], 60)


def test_metres_names_and_gaps(tmp_path: Path) -> None:
    tracks = read_qualisys(small(tmp_path / "a.tsv"))
    assert (tracks.rate_hz, tracks.names, tracks.unnamed()) == (300.0, ("base_1", ""), (1,))
    assert tracks.valid[:, 0].all()
    assert np.flatnonzero(tracks.valid[:, 1]).tolist() == list(range(5, 45))
    assert np.isnan(tracks.values[~tracks.valid]).all()
    np.testing.assert_allclose(tracks.values[5:45, 1], LINE, atol=1e-6)
    assert tracks.height_of("base_") == pytest.approx(0.03)
    (stretch,) = tracks.raised(-0.03).stretches((1,), 30)
    assert (stretch.start, stretch.stop) == (5, 45)
    assert stretch.points[0, 2] == pytest.approx(0.27)


def test_blanks_are_gaps_too(tmp_path: Path) -> None:
    path = small(tmp_path / "a.tsv")
    path.write_text(path.read_text().replace("\t0.000", "\t"))
    assert read_qualisys(path).valid.sum() == 60 + 40


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("NO_OF_MARKERS\t2\n", "", "no TSV export of 3-D points.*no NO_OF_MARKERS"),
        ("\t3D", "\t6D", "DATA_INCLUDED 6D"),
        ("FREQUENCY\t300", "FREQUENCY\t-1", "FREQUENCY '-1'"),
        ("NO_OF_FRAMES\t60", "NO_OF_FRAMES\t61", "cut short.*60 frames.*61"),
        ("NO_OF_MARKERS\t2", "NO_OF_MARKERS\t3", "another number of columns.*11: 2 and 3 for each of 3"),
        ("\t100.000", "\tabc", "no number.*'abc'"),
        ("\t100.000", "\tnan", "missing or not finite"),
        ("\t100.000", "\t", "missing or not finite"),
    ],
)
def test_faults_are_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = small(tmp_path / "a.tsv")
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(DataError, match=f"(?s){message}"):
        read_qualisys(path)


def test_no_frames_no_file_no_text(tmp_path: Path) -> None:
    path = small(tmp_path / "a.tsv")
    path.write_text("\n".join(path.read_text().splitlines()[:7]))
    with pytest.raises(DataError, match="holds no frames"):
        read_qualisys(path)
    with pytest.raises(DataError, match="not a file"):
        read_qualisys(tmp_path / "absent.tsv")
    path.write_bytes(b"\xff\xfe\x00\x93")
    with pytest.raises(DataError, match="no text"):
        read_qualisys(path)


def test_all_gaps_is_refused_with_what_was_seen(tmp_path: Path) -> None:
    path = write_tsv(tmp_path / "a.tsv", [("base_1", 0, LINE[:0]), ("", 0, LINE[:0])], 50)
    with pytest.raises(DataError, match=r"all gaps.*0 of 100 points seen \(50 frames, 2 markers\).*Remedy"):
        read_qualisys(path)
    path = write_tsv(tmp_path / "b.tsv", [("", 0, LINE[:20])], 50)
    with pytest.raises(DataError, match=r"seen for 30 frames in a row.*20 of 50 points"):
        read_qualisys(path).stretches((0,), 30)
    with pytest.raises(DataError, match="no marker named base_"):
        read_qualisys(path).height_of("base_")


def test_tracks_check_themselves() -> None:
    with pytest.raises(ContractError, match="finite exactly where it is valid"):
        PointTracks(np.zeros((2, 1, 3)), np.array([[True], [False]]), 300.0, ("",))
    with pytest.raises(ContractError, match="no usable rate"):
        PointTracks(np.zeros((2, 1, 3)), np.ones((2, 1), bool), 0.0, ("",))
    with pytest.raises(ContractError, match="line up"):
        PointTracks(np.zeros((2, 1, 3)), np.ones((2, 1), bool), 300.0, ())


def test_simulated_recording_has_a_stretch_a_throw(tmp_path: Path) -> None:
    tracks = read_qualisys(write_recording(tmp_path / "a.tsv", 1, throws=2))
    assert [len(s) for s in tracks.stretches(tracks.unnamed(), 31)] == [480, 480]


def test_the_real_recordings(shared_data: Path) -> None:
    folder = shared_data / "mocap-juggling-balls"
    if not folder.is_dir():
        pytest.skip(f"no mocap-juggling-balls in {shared_data}")
    tracks = read_qualisys(folder / "3_throws_tracking_lost_on_each.tsv")
    assert tracks.valid.shape == (3649, 12)
    assert tracks.height_of("base_") == pytest.approx(0.0305, abs=1e-3)
    assert [(s.start, s.stop) for s in tracks.stretches(tracks.unnamed(), 31)] == [
        (66, 204), (315, 639), (1595, 1706), (1822, 2188), (2778, 2824), (2961, 3649),
    ]  # fmt: skip
