from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from monde.data import EpisodeData, RecordingWriter, fingerprint, open_recording
from monde.data.fingerprint import episode_hashes, fingerprint_files

Make = Callable[..., list[EpisodeData]]


def test_files(tmp_path: Path) -> None:
    paths = [tmp_path / "a", tmp_path / "b"]
    for path in paths:
        path.write_bytes(bytes(range(256)) * 100_000)
    before = fingerprint_files(tmp_path, paths)
    assert fingerprint_files(tmp_path, paths) == before
    for change in (b"x" + paths[1].read_bytes(), paths[1].read_bytes()[:-1], b"x" + paths[1].read_bytes()[1:]):
        whole = paths[1].read_bytes()
        paths[1].write_bytes(change)
        assert fingerprint_files(tmp_path, paths) != before
        paths[1].write_bytes(whole)
    assert fingerprint_files(tmp_path, paths[:1]) != before
    assert fingerprint_files(paths[0], paths[:1]) == fingerprint_files(tmp_path, paths[:1])


def test_the_same_episode_twice(
    tmp_path: Path, make_episode: Callable[..., EpisodeData], open_writer: Callable[..., RecordingWriter]
) -> None:
    first, second = make_episode(9, seed=1), make_episode(9, seed=2)
    changed = EpisodeData(first.values, first.times_seconds, np.array(first.actions), "another task")
    assert changed.actions is not None
    other = EpisodeData(first.values, first.times_seconds, -changed.actions, "go")
    with open_writer(tmp_path) as writer:
        writer.append([first, second, changed, other])
    hashes = episode_hashes(open_recording(tmp_path))
    assert hashes[0] == hashes[2]
    assert len(set(hashes)) == 3


def test_pieces_make_no_difference(tmp_path: Path, make_dataset: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    make_dataset(tmp_path, [9, 4])
    recording = open_recording(tmp_path)
    whole = episode_hashes(recording)
    monkeypatch.setattr(fingerprint, "_READ_BYTES", 2000)
    assert episode_hashes(recording) == whole
