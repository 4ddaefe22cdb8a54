"""A run gets used to another look: latents of new pictures come to lie where the old encoder put the old ones."""

import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from monde.agents import record
from monde.cli import main
from monde.data import open_recording
from monde.errors import UsageError
from monde.models import JEPA, load_model, weights_hash
from monde.recipes import strategy
from monde.store import RunFolder, read_json, save_artefact
from monde.store.run import LEVEL_PARTS
from monde.training import AdaptConfig, FitActorConfig, TrainConfig, adapt, fit_actor, train
from monde.training.adapting.adapt import carry_heads, left_behind
from monde.training.adapting.looks import changed_look
from monde.training.adapting.repaint import fit_repaint, scenery
from monde.types import Clip

STEPS = 60


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that was trained for a moment: its latents are as good a target as any."""
    folder = tmp_path_factory.mktemp("adapt")
    record("tworoom", folder / "data", episodes=24, steps=30, seed=1)
    record("tworoom+colour", folder / "new", episodes=8, steps=30, seed=2)
    train(TrainConfig(data=str(folder / "data"), run=str(folder / "run"), steps=100, frame=32, batch=16))
    fit_actor(folder / "run", FitActorConfig(minutes=None, steps=2))
    return folder / "run"


def latents(model: JEPA, folder: Path, name: str) -> torch.Tensor:
    """Of one episode; the same seed shows the same in every look."""
    record(f"tworoom{name}", folder / f"test{name}", episodes=1, steps=60, seed=9, policy="scripted")
    clip = open_recording(folder / f"test{name}").read(0, 0, 61, ["top"])
    frames = torch.nn.functional.interpolate(clip.stream("top").values[0].float(), size=32, mode="area")
    shown = replace(clip.stream("top"), values=frames.round().to(torch.uint8)[None])
    with torch.no_grad():
        return model.encode(Clip({"top": shown})).values[0, :, 0]


def test_new_pictures_come_to_lie_where_the_old_ones_were(run: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    out = tmp_path / "out"
    summary = adapt(
        AdaptConfig(run=str(run), out=str(out), data=str(run.parent / "new"), minutes=None, steps=STEPS, batch=32)
    )
    assert summary.finished
    assert summary.step == STEPS
    old, new = load_model(run), load_model(out)
    wanted = latents(old, tmp_path, "")
    lost = (latents(old, tmp_path, "+colour") - wanted).square().mean()
    left = (latents(new, tmp_path, "+colour") - wanted).square().mean()
    kept = (latents(new, tmp_path, "") - wanted).square().mean()
    assert left < 0.4 * lost
    assert kept < 0.4 * lost
    # The dynamics are the old ones, and nothing of the old run changed.
    for one, other in zip(old.dynamics.parameters(), new.dynamics.parameters(), strict=True):
        assert torch.equal(one, other)
    assert {path: path.read_bytes() for path in before} == before
    # Its heads were taken over, bound to the new weights.
    assert summary.carried == ("actor", "temporal_distance")
    assert weights_hash(out) != weights_hash(run)
    chosen, known = strategy("hybrid", out, device="cpu"), strategy("hybrid", run, device="cpu")
    assert chosen.actor is not None
    assert known.actor is not None
    for one, other in zip(chosen.actor.parameters(), known.actor.parameters(), strict=True):
        assert torch.equal(one, other)
    assert carry_heads(run, out) == ()  # what is there stays
    assert RunFolder(out).read_config()["adapted"]


def test_stopped_by_a_signal_it_goes_on_as_if_it_had_not_been(run: Path, tmp_path: Path) -> None:
    config = AdaptConfig(run=str(run), out=str(tmp_path / "whole"), minutes=None, steps=12, batch=8)
    adapt(config)
    parted = replace(config, out=str(tmp_path / "parted"))
    stopped = adapt(parted, lambda done, whole, found: os.kill(os.getpid(), signal.SIGINT))
    assert not stopped.finished
    assert 0 < stopped.step < 12
    assert stopped.carried == ()
    with pytest.raises(UsageError, match="holds a run already"):
        adapt(parted)
    assert adapt(parted, resume=True).carried == ("actor", "temporal_distance")
    one, other = load_model(config.out), load_model(parted.out)
    for name, tensor in one.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name]), name


def test_other_dynamics_are_learned_and_latents_stay(run: Path, tmp_path: Path) -> None:
    record("tworoom+dynamics", tmp_path / "new", episodes=24, steps=60, seed=3)
    config = AdaptConfig(
        run=str(run),
        out=str(tmp_path / "out"),
        data=str(tmp_path / "new"),
        changed="dynamics",
        minutes=None,
        steps=STEPS,
        batch=32,
        learning_rate=2e-4,
    )
    summary = adapt(config)
    assert summary.before is not None
    assert summary.after is not None
    assert summary.after < summary.before
    one, other = load_model(run), load_model(tmp_path / "out")
    assert torch.equal(latents(one, tmp_path, ""), latents(other, tmp_path, ""))
    assert strategy("hybrid", tmp_path / "out", device="cpu").actor is not None


def test_what_is_left_behind_is_said_with_what_makes_it_again(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    full, out = tmp_path / "full", tmp_path / "out"
    shutil.copytree(run, full)
    folder = RunFolder(full)
    level = (folder.level(2) / part for part in LEVEL_PARTS)
    for place in (folder.landmarks, folder.trust, *level):
        save_artefact(place, place.name, {"any": torch.zeros(1)}, {"of": weights_hash(full)})
    words = ["adapt", str(full), "--out", str(out), "--steps", "2", "--device", "cpu"]
    assert main([*words, "--json", str(tmp_path / "adapt.json")]) == 0
    again = {
        "landmarks": f"monde far {out}",
        "levels of time": f"monde far {out} --landmarks 0 --levels 2",
        "trust": f"monde trust {out}",
    }
    assert read_json(tmp_path / "adapt.json")["left_behind"] == again
    told = capsys.readouterr().out
    for name, how in again.items():
        assert f"left behind: {name}; make it again: {how}" in told
        with pytest.raises(SystemExit, match=r"^0$"):  # a command that exists
            main([*how.split()[1:], "--help"])
    assert not RunFolder(out).landmarks.exists()
    # What was made again is not missed; a run that had nothing leaves nothing.
    shutil.copytree(folder.trust, RunFolder(out).trust)
    assert left_behind(full, out) == {name: how for name, how in again.items() if name != "trust"}
    assert left_behind(run, out) == {}


def test_what_cannot_be_adapted_is_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="own folder"):
        AdaptConfig(run=str(run), out=str(run))
    with pytest.raises(UsageError, match="needs an end"):
        AdaptConfig(run="a", out="b", minutes=None)
    with pytest.raises(UsageError, match="empty size"):
        AdaptConfig(run="a", out="b", batch=1)
    with pytest.raises(UsageError, match="must be seen"):
        AdaptConfig(run="a", out="b", changed="dynamics")
    record("gym:Pendulum-v1", tmp_path / "other", episodes=4, steps=20)
    with pytest.raises(UsageError, match="is not of the world"):
        adapt(AdaptConfig(run=str(run), out=str(tmp_path / "out"), data=str(tmp_path / "other"), steps=1))
    assert not (tmp_path / "out").exists()


def test_old_frames_are_painted_in_the_new_look(tmp_path: Path) -> None:
    """No frame of one corresponds to one of the other: what is fitted is checked on pairs that were never shown."""
    frames, changed = {}, "tworoom+background+camera+lighting"
    for name, seed in (("tworoom", 1), (changed, 2)):
        record(name, tmp_path / name, episodes=6, steps=60, seed=seed)
        record(name, tmp_path / f"pair-{name}", episodes=1, steps=40, seed=7)
        for part, count in ((name, 6), (f"pair-{name}", 1)):
            found = open_recording(tmp_path / part)
            frames[part] = [found.read(i, 0, found.lengths[i], ["top"]).stream("top").values[0] for i in range(count)]
    repaint = fit_repaint(
        scenery(frames["tworoom"]), scenery(frames[changed]), torch.Generator().manual_seed(0), steps=120
    )
    old, new = (frames[f"pair-{name}"][0].float() / 255 for name in ("tworoom", changed))
    apart, left = (old - new).abs().mean(), (repaint(old) - new).abs().mean()
    assert left < 0.2 * apart


def test_all_frames_of_a_row_change_alike() -> None:
    frames = torch.full((6, 3, 3, 16, 16), 200, dtype=torch.uint8)
    frames[:, :, 0, 4:8, 4:8] = 20
    changed = changed_look(frames, torch.Generator().manual_seed(0))
    assert torch.equal(changed[:, :1].expand_as(changed), changed)
    assert len({tuple(row.flatten().tolist()) for row in changed[:, 0]}) == 6
    again = changed_look(frames, torch.Generator().manual_seed(0))
    assert torch.equal(changed, again)
    little = changed_look(frames, torch.Generator().manual_seed(0), amount=0.05).int() - frames.int()
    assert little.abs().float().mean() < (changed.int() - frames.int()).abs().float().mean() / 3
