"""Question sets: written whole, hashed, versioned, and refused when they are not what they were."""

import json
from pathlib import Path

import numpy as np
import pytest

from monde.bets.files import open_set, write_set
from monde.bets.questions.build import build_set
from monde.bets.types import Answer, Question, Truth
from monde.errors import ContractError, StoreError, UsageError


def question(id: str, **fields: object) -> Question:
    given = {"options": ("left", "right"), "sensors": {"film": np.arange(6, dtype=np.uint8).reshape(1, 6)}, **fields}
    return Question(id=id, family="why", grade="easy", kind="choice", prompt="Which?", text="x 1.0 px", **given)


def small(folder: Path) -> Path:
    items = [(question(f"q{k}"), Truth(id=f"q{k}", choice=k % 2)) for k in range(3)]
    write_set(folder, items, name="small", seed=5, split="test", families={"why": {}})
    return folder


def test_a_set_comes_back_as_it_was_written(tmp_path: Path) -> None:
    found = open_set(small(tmp_path / "a"))
    assert (found.name, found.seed, found.split, len(found)) == ("small", 5, "test", 3)
    back = list(found.questions())
    assert [q.content_hash for q in back] == [question(f"q{k}").content_hash for k in range(3)]
    assert found.truths()["q1"].choice == 1
    assert found.question(0, sensors=False).sensors == {}
    assert open_set(small(tmp_path / "b")).content_hash == found.content_hash


def test_what_contestants_see_holds_no_truth(tmp_path: Path) -> None:
    folder = small(tmp_path / "a")
    seen = (folder / "questions.jsonl").read_text(encoding="utf-8")
    assert 'choice": 1' not in seen
    assert all(name.name.removesuffix(".npz").isdigit() for name in (folder / "arrays").iterdir())


def read_all(folder: Path) -> None:
    opened = open_set(folder)
    opened.truths()
    list(opened.questions())


@pytest.mark.parametrize("name", ["questions.jsonl", "truths.jsonl", "arrays/00001.npz"])
def test_a_changed_byte_is_refused_and_named(tmp_path: Path, name: str) -> None:
    folder = small(tmp_path / "a")
    path = folder / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(StoreError, match=name):
        read_all(folder)


def test_another_version_and_another_manifest_are_refused(tmp_path: Path) -> None:
    folder = small(tmp_path / "a")
    manifest = json.loads((folder / "bets.json").read_text(encoding="utf-8"))
    (folder / "bets.json").write_text(json.dumps({**manifest, "schema": "monde.bets/2"}), encoding="utf-8")
    with pytest.raises(StoreError, match="another version"):
        open_set(folder)
    (folder / "bets.json").write_text(json.dumps({**manifest, "seed": 6}), encoding="utf-8")
    with pytest.raises(StoreError, match="altered"):
        open_set(folder)


def test_a_missing_array_is_named(tmp_path: Path) -> None:
    folder = small(tmp_path / "a")
    (folder / "arrays/00002.npz").unlink()
    with pytest.raises(StoreError, match=r"00002\.npz cannot be read"):
        open_set(folder).question(2)


def test_sets_that_are_none_are_refused(tmp_path: Path) -> None:
    item = (question("q"), Truth(id="q", choice=0))
    for items in ([], [item, item], [(question("q"), Truth(id="p", choice=0))]):
        with pytest.raises(ContractError):
            write_set(tmp_path / "x", items, name="x", seed=0, split="test", families={})
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"choice": 1, "number": 2.0},
        {"choice": 1, "failure": "refused"},
        {"choice": 1, "confidence": 2.0},
        {"number": float("nan")},
        {"plan": ((0.0, float("inf")),)},
    ],
)
def test_malformed_answers_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ContractError):
        Answer(question="q", **wrong)


def test_raw_text_has_a_bound_and_says_so() -> None:
    made = Answer(question="q", choice=0, raw="a" * 300_000)
    assert (len(made.raw), made.note) == (200_000, "the raw text was cut off")


def test_malformed_questions_are_refused() -> None:
    with pytest.raises(ContractError, match="malformed"):
        question("q", options=("one",))
    with pytest.raises(ContractError, match="malformed"):
        question("q", row=("x",), rows=1)


def test_wrong_arguments_of_building_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MONDE_SHARED_DATA", raising=False)
    for wrong in (
        {"families": ("whatif",)},
        {"grades": ("hardest",)},
        {"split": "dev"},
        {"n": 0},
        {"seed": -1},
        {"n": 100_000},
        {"families": ("puzzles",)},
    ):
        with pytest.raises(UsageError):
            build_set(tmp_path / "x", **wrong)
    assert not (tmp_path / "x").exists()
