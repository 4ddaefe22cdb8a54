from pathlib import Path

import pytest
import torch

from monde.errors import StoreError, UsageError
from monde.models import load_model
from monde.recipes import strategy
from monde.store import RunFolder
from monde.training import FitActorConfig, TrainConfig, fit_actor, train
from monde.training.actor import fit_heads
from monde.training.actor_step import GoalShares, draw_pairs
from monde.training.frame_latents import FrameLatents, encode_frames
from monde.training.setup import reopen

QUICK = FitActorConfig(minutes=None, steps=30, batch=64, samples=8, hidden=64, depth=2, device="cpu")


@pytest.fixture(scope="module")
def run(recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "fitted"
    train(TrainConfig(data=str(recording), run=str(folder), steps=40, batch=32, device="cpu"))
    return folder


@pytest.fixture(scope="module")
def frames(run: Path) -> FrameLatents:
    return encode_frames(load_model(run), reopen(run)[1])


def test_frames_keep_to_their_episodes(frames: FrameLatents) -> None:
    assert len(frames) == len(frames.controls) == len(frames.first)
    assert bool((frames.first <= torch.arange(len(frames))).all())
    assert bool((frames.last >= torch.arange(len(frames))).all())
    blocks = frames.blocks(torch.tensor([0, int(frames.last[0])]))
    torch.testing.assert_close(blocks[0], frames.controls[:5].flatten())
    # From the last frame nothing was done any more: the last step that was is held.
    torch.testing.assert_close(blocks[1], frames.controls[frames.last[0] - 1].repeat(5))


def test_goals_are_what_their_shares_say(frames: FrameLatents) -> None:
    later = draw_pairs(frames, 512, GoalShares(later=1.0, same_episode=0.0), torch.Generator().manual_seed(0))
    assert bool((frames.first[later.frames] == frames.first[later.goals]).all())
    torch.testing.assert_close(later.blocks_taken, (later.goals - later.frames) / 5)
    assert bool((later.blocks_taken >= 0).all())
    assert bool((later.blocks_taken == 0).any())
    anywhere = draw_pairs(frames, 512, GoalShares(later=0.0, same_episode=0.0), torch.Generator().manual_seed(0))
    apart = frames.first[anywhere.frames] != frames.first[anywhere.goals]
    assert bool(apart.any())
    assert bool(torch.isinf(anywhere.blocks_taken[apart]).all())


def test_fitting_lowers_both_losses_and_repeats(run: Path, frames: FrameLatents) -> None:
    model = load_model(run).requires_grad_(False)
    told: list[dict[str, float]] = []
    config = FitActorConfig(minutes=None, steps=300, batch=64, samples=8, hidden=64, depth=2)
    summary = fit_heads(model, frames, config, lambda done, whole, found: told.append(found))
    assert summary.steps == 300
    assert told[-1]["distance"] < told[0]["distance"]
    assert told[-1]["actor"] < told[0]["actor"]
    # Distances order as time does: what is one block away lies nearer than what is five away.
    start = frames.first.unique()
    with torch.no_grad():
        near, far = (summary.distance.distance(frames.latents[start], frames.latents[start + n]) for n in (1, 25))
    assert float(near.mean()) < float(far.mean())
    one, two = (fit_heads(model, frames, QUICK).actor.state_dict() for _ in range(2))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_run_keeps_its_actor_and_refuses_that_of_another(run: Path, recording: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs an actor"):
        strategy("hybrid", run)
    assert strategy("auto", run).actor is None
    fit_actor(run, QUICK)
    found = strategy("auto", run, device="cpu")
    assert found.actor is not None
    assert "TimeToGoal" in repr(found.cost)
    other = tmp_path / "other"
    train(TrainConfig(data=str(recording), run=str(other), steps=2, batch=32, seed=5, device="cpu"))
    RunFolder(run).actor.rename(RunFolder(other).actor)
    with pytest.raises(StoreError, match="another model"):
        strategy("hybrid", other)


def test_there_is_no_actor_without_actions(recording: Path, tmp_path: Path) -> None:
    train(
        TrainConfig(data=str(recording), run=str(tmp_path / "film"), steps=2, batch=32, action_free=True, device="cpu")
    )
    with pytest.raises(UsageError, match="without actions"):
        fit_actor(tmp_path / "film", QUICK)


@pytest.mark.parametrize("changes", [{"steps": 0}, {"steps": None}, {"batch": 0}, {"samples": 1}, {"temperature": 0.0}])
def test_an_empty_fit_is_refused(changes: dict[str, float | None]) -> None:
    from dataclasses import replace

    with pytest.raises(UsageError):
        replace(QUICK, **changes)  # type: ignore[arg-type]
