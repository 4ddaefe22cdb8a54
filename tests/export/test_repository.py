"""A run is pushed and pulled over HTTP; what arrives is what was sent, and what was tampered with does not arrive."""

import json
from pathlib import Path

import pytest
import torch

from monde.actors import Actor
from monde.errors import DataError, MondeError, StoreError, UsageError
from monde.export import model_card, pull_run, push_run
from monde.export.repository import repository
from monde.models import load_model, weights_hash
from monde.scorecard import Row, Scorecard
from monde.store import RunFolder, write_json
from tests.export.hub_server import Hub

# The hub's library gives its HTTP client bytes in a way that the client no longer likes.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content:DeprecationWarning")


def test_what_is_pulled_is_what_was_pushed(run: Path, hub: Hub, tmp_path: Path) -> None:
    pushed = push_run(run, "somebody/tworoom")
    assert hub.private == {"somebody/tworoom": True}
    assert set(pushed.files) == set(hub.files["somebody/tworoom"])
    assert pushed.commit == hub.sha("somebody/tworoom")
    assert {"README.md", "run.json", "actor/tensors.safetensors"} <= set(pushed.files)
    assert sum(name.startswith("checkpoints/") for name in pushed.files) == 2  # the newest alone
    assert not any("metrics" in name or "tensorboard" in name for name in pushed.files)
    assert str(run.parent).encode() not in b"".join(hub.files["somebody/tworoom"].values())
    pulled = pull_run("somebody/tworoom", tmp_path / "pulled")
    assert weights_hash(pulled) == weights_hash(run)
    one, other = load_model(run).state_dict(), load_model(pulled).state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)
    Actor.load(RunFolder(pulled).actor, weights_hash(pulled))
    with pytest.raises(UsageError, match="exists"):
        pull_run("somebody/tworoom", pulled)


def test_pushing_again_changes_what_changed(run: Path, hub: Hub) -> None:
    push_run(run, "somebody/tworoom", public=True)
    assert hub.private == {"somebody/tworoom": False}
    first = dict(hub.files["somebody/tworoom"])
    again = push_run(run, "somebody/tworoom")
    assert hub.files["somebody/tworoom"] == first
    assert again.commit == hub.sha("somebody/tworoom")


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("actor/tensors.safetensors", lambda data: data[:-1] + bytes([data[-1] ^ 1]), "altered"),
        ("actor/tensors.safetensors", lambda data: b"\x80\x04K\x01.", "a pickle"),
        ("run.json", lambda data: b"{", "JSON"),
        ("run.json", None, "no run of monde"),
    ],
)
def test_what_was_tampered_with_does_not_arrive(
    run: Path, hub: Hub, tmp_path: Path, name: str, change: object, words: str
) -> None:
    push_run(run, "somebody/tworoom")
    held = hub.files["somebody/tworoom"]
    if callable(change):
        held[name] = change(held[name])
    else:
        del held[name]
    with pytest.raises(MondeError, match=words):
        pull_run("somebody/tworoom", tmp_path / "pulled")
    assert not (tmp_path / "pulled").exists()


def test_what_is_no_part_of_a_run_stays_there(run: Path, hub: Hub, tmp_path: Path) -> None:
    push_run(run, "somebody/tworoom")
    hub.files["somebody/tworoom"] |= {"evil.py": b"print(1)", "weights.pt": b"\x80\x04K\x01.", "../out.json": b"{}"}
    pulled = pull_run("somebody/tworoom", tmp_path / "pulled")
    names = {path.name for path in pulled.rglob("*")}
    assert not {"evil.py", "weights.pt", "out.json"} & names
    assert not list(tmp_path.glob("out.json"))


def test_refused(run: Path, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="nobody/nothing is neither a path nor on the hub"):
        pull_run("nobody/nothing", tmp_path / "pulled")
    for name in ("tworoom", "a/b/c", "../x", "somebody/tworoom@"):
        with pytest.raises(UsageError, match="no name on the hub"):
            repository(name)
    with pytest.raises(UsageError, match="newest revision"):
        push_run(run, "somebody/tworoom@v1")
    with pytest.raises(StoreError, match="not a run"):
        push_run(tmp_path, "somebody/tworoom")
    hub.refused = True
    with pytest.raises(DataError, match="cannot be pushed to"):
        push_run(run, "somebody/tworoom")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(DataError, match="cannot be pushed to"):
        push_run(run, "somebody/tworoom")


def test_the_card_says_what_the_run_is(run: Path) -> None:
    card = model_card(run, "somebody/tworoom")
    assert card.startswith("---\nlibrary_name: monde\n")
    assert "- reads `top`: rgb [3×64×64]" in card
    assert "- acts: 2 numbers (x, y) every 0.1 s, in blocks of 5" in card
    assert "monde pull somebody/tworoom --out runs/pulled" in card
    assert "Not scored" in card


def test_the_card_shows_every_figure_beside_its_floors(run: Path) -> None:
    row = Row(metric="success", value=0.98, interval=(0.9, 1.0), n=50, floors={"random": 0.12})
    score = Scorecard(
        name="run",
        rows=(row,),
        protocol={"world": "tworoom"},
        machine={},
        commit="c" * 40,
        seeds=(0,),
        created="2026-01-01",
    )
    path = RunFolder(run).score
    write_json(path, score.to_json())
    try:
        card = model_card(run, "somebody/tworoom")
    finally:
        path.unlink()
    assert "| success | 0.98 | 0.9 to 1 | 50 | random 0.12 |" in card
    assert score.protocol_id in card
    front = card.split("---")[1]
    assert 'name: "success"' in front
    assert json.dumps("tworoom") in front
