"""Artefacts: written whole or not at all, and nothing altered, foreign or dangerous is loaded."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from monde.errors import StoreError
from monde.store import atomic_file, load_artefact, read_json, require_room, save_artefact, write_json


def saved(folder: Path) -> Path:
    base = torch.arange(12.0)
    save_artefact(folder, "test", {"a": base[:6], "b": base[3:].reshape(3, 3).T, "c": torch.tensor(True)}, {"x": 1})
    return folder / "tensors.safetensors"


def test_round_trip_of_views_that_share_storage(tmp_path: Path) -> None:
    saved(tmp_path / "a")
    artefact = load_artefact(tmp_path / "a", "test")
    assert torch.equal(artefact.tensors["b"], torch.arange(3.0, 12.0).reshape(3, 3).T)
    assert artefact.tensors["c"].dtype == torch.bool
    assert artefact.meta == {"x": 1}


def test_every_single_flipped_bit_is_found(tmp_path: Path) -> None:
    path = saved(tmp_path / "a")
    data = path.read_bytes()
    for position in range(0, len(data), 7):
        altered = bytearray(data)
        altered[position] ^= 1 << (position % 8)
        path.write_bytes(altered)
        with pytest.raises(StoreError):
            load_artefact(tmp_path / "a")
    path.write_bytes(data[:-1])
    with pytest.raises(StoreError, match="altered"):
        load_artefact(tmp_path / "a")


def test_pickles_are_refused_and_not_run(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, ...]:
            return os.mkdir, (str(tmp_path / "exploded"),)

    path = saved(tmp_path / "a")
    for name, write in (("a pickle", pickle.dumps), ("a PyTorch archive", None)):
        if write is not None:
            path.write_bytes(write(Bomb()))
        else:
            torch.save({"a": torch.zeros(2)}, path)
        with pytest.raises(StoreError, match=name):
            load_artefact(tmp_path / "a")
    assert not (tmp_path / "exploded").exists()


def test_expected_tensors_are_named_when_they_differ(tmp_path: Path) -> None:
    saved(tmp_path / "a")
    good = {"a": torch.zeros(6), "b": torch.zeros(3, 3), "c": torch.tensor(False)}
    load_artefact(tmp_path / "a", expected=good)
    for change, message in (
        ({"a": torch.zeros(7)}, r"'a' does not fit.*\[6\].*\[7\]"),
        ({"a": torch.zeros(6, dtype=torch.float64)}, "float64"),
        ({"d": torch.zeros(1)}, r"missing \['d'\]"),
    ):
        with pytest.raises(StoreError, match=message):
            load_artefact(tmp_path / "a", expected=good | change)


def test_an_existing_artefact_is_not_overwritten(tmp_path: Path) -> None:
    path = saved(tmp_path / "a")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="exists already"):
        save_artefact(tmp_path / "a", "test", {}, {})
    assert path.read_bytes() == before


def test_other_kinds_and_schemas_are_refused(tmp_path: Path) -> None:
    saved(tmp_path / "a")
    with pytest.raises(StoreError, match="something else"):
        load_artefact(tmp_path / "a", "checkpoint")
    write_json(tmp_path / "a" / "manifest.json", {"schema": "monde.artefact/99"})
    with pytest.raises(StoreError, match="unknown schema"):
        load_artefact(tmp_path / "a")
    with pytest.raises(StoreError, match="not an artefact"):
        load_artefact(tmp_path)


def test_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_text("old")

    def interrupted() -> None:
        with atomic_file(target) as file:
            file.write(b"new")
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        interrupted()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_full_disk_is_told_and_nothing_is_lost(tmp_path: Path) -> None:
    """A real full disk: a file-size limit in a process of its own makes every write beyond it fail."""
    write_json(tmp_path / "kept.json", {"x": 1})
    script = (
        "import resource, signal, torch\n"
        "from pathlib import Path\n"
        "from monde.store import save_artefact\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        f"save_artefact(Path({str(tmp_path)!r}) / 'a', 'test', {{'x': torch.zeros(10_000)}}, {{}})\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "StoreError" in done.stderr
    assert "could not be written" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["kept.json"]


def test_no_room_is_refused_before_writing(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"no room for the cache.*MiB free"):
        require_room(tmp_path / "not" / "yet", 2**60, "the cache")


def test_json_is_bounded_and_named(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    for text, message in (
        ("[1]", "does not hold a JSON object"),
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid"),
    ):
        path.write_text(text)
        with pytest.raises(StoreError, match=message):
            read_json(path)
    with pytest.raises(ValueError, match="Out of range"):
        write_json(path, {"x": float("nan")})
