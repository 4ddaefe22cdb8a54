import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from monde.errors import StoreError, UsageError
from monde.models import load_model
from monde.recipes import strategy
from monde.store import RunFolder
from monde.training import FitActorConfig, TrainConfig, clone_recording, fit_actor, train
from monde.training.actor import fit_heads
from monde.training.actor_step import GoalShares, attempt, draw_tasks, losses
from monde.training.cloning import clone
from monde.training.frame_latents import FrameLatents, encode_frames
from monde.training.setup import reopen

QUICK = FitActorConfig(minutes=None, steps=30, frames=16, goals_each=4, recorded=4, hidden=64, depth=2, device="cpu")


@pytest.fixture(scope="module")
def run(recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "fitted"
    train(TrainConfig(data=str(recording), run=str(folder), steps=40, batch=32, frame=32, device="cpu"))
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
    later = draw_tasks(frames, 64, 8, GoalShares(elsewhere=0.0, later=1.0), torch.Generator().manual_seed(0))
    now = later.frames[:, None]
    assert bool((frames.first[now] == frames.first[later.goals]).all())
    torch.testing.assert_close(later.blocks_taken, (later.goals - now) / 5)
    assert bool((later.blocks_taken >= 0).all())
    assert bool((later.blocks_taken == 0).any())
    same = draw_tasks(frames, 64, 8, GoalShares(elsewhere=0.0, later=0.0), torch.Generator().manual_seed(0))
    assert bool((frames.first[same.frames[:, None]] == frames.first[same.goals]).all())
    assert bool(torch.isinf(same.blocks_taken).any())  # earlier than the frame
    anywhere = draw_tasks(frames, 64, 8, GoalShares(elsewhere=1.0), torch.Generator().manual_seed(0))
    apart = frames.first[anywhere.frames[:, None]] != frames.first[anywhere.goals]
    assert bool(apart.any())
    assert bool(torch.isinf(anywhere.blocks_taken[apart]).all())
    with pytest.raises(UsageError, match="GoalShares"):
        GoalShares(elsewhere=1.5)


def test_the_first_block_tried_is_the_one_taken_and_leads_where_it_led(run: Path, frames: FrameLatents) -> None:
    model, generator = load_model(run).requires_grad_(False), torch.Generator().manual_seed(0)
    actor = fit_heads(model, frames, QUICK).actor
    tasks = draw_tasks(frames, 64, 4, GoalShares(), generator)
    tried = attempt(model, frames, actor, tasks, 3, generator)
    assert tried.actions.shape == (64, 7, model.actions.width)
    low, high = model.actions.bounds()
    assert bool(((tried.actions >= low) & (tried.actions <= high)).all())
    whole = tried.whole
    assert bool(whole.any())
    torch.testing.assert_close(tried.outcomes[whole, 0], frames.latents[tasks.frames[whole] + 5])
    torch.testing.assert_close(tried.actions[whole, 0], frames.blocks(tasks.frames[whole]))
    assert not torch.allclose(tried.imagined[whole], tried.outcomes[whole, 0])


def test_full_imitation_is_cloning_for_goals_that_the_recording_reached(run: Path, frames: FrameLatents) -> None:
    model, generator = load_model(run).requires_grad_(False), torch.Generator().manual_seed(0)
    fitted = fit_heads(model, frames, QUICK)
    heads = (fitted.actor, fitted.distance, fitted.distance)
    tasks = draw_tasks(frames, 32, 4, GoalShares(elsewhere=0.0, later=1.0), generator)
    tried = attempt(model, frames, fitted.actor, tasks, 3, generator)
    mean, std = fitted.actor.spread(frames.latents[tasks.frames][:, None], frames.goals[tasks.goals])
    of_taken = fitted.actor.log_likelihood(mean, std, tried.actions[:, :1]) * (tasks.blocks_taken > 0)
    torch.testing.assert_close(losses(frames, tasks, tried, heads, 0.1, 1.0).actor, -of_taken.mean())
    assert not torch.isclose(losses(frames, tasks, tried, heads, 0.1).actor, -of_taken.mean())
    # Goals that the recording never reached from there are left to imagination.
    never = replace(tasks, blocks_taken=torch.full_like(tasks.blocks_taken, torch.inf))
    alone, imitated = (losses(frames, never, tried, heads, 0.1, share).actor for share in (0.0, 1.0))
    torch.testing.assert_close(alone, imitated)
    with pytest.raises(UsageError, match="imitation is no share"):
        FitActorConfig(imitation=1.5)


def test_no_target_lies_beyond_what_the_recording_took(run: Path, frames: FrameLatents) -> None:
    """Distances that start far too large fall to at most the hindsight bound, within one fit."""
    summary = fit_heads(
        load_model(run).requires_grad_(False),
        frames,
        FitActorConfig(
            minutes=None, steps=200, frames=32, goals_each=4, hidden=64, depth=2, goals=GoalShares(elsewhere=0, later=1)
        ),
    )
    start = frames.first.unique()
    with torch.no_grad():
        one = summary.distance.distance(frames.latents[start], frames.latents[start + 5])
    assert float(one.mean()) < 2.0  # one block was taken


def test_fitting_lowers_both_losses_and_repeats(run: Path, frames: FrameLatents) -> None:
    model = load_model(run).requires_grad_(False)
    told: list[dict[str, float]] = []
    config = FitActorConfig(minutes=None, steps=300, frames=32, goals_each=4, hidden=64, depth=2)
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
    train(TrainConfig(data=str(recording), run=str(other), steps=2, batch=32, frame=32, seed=5, device="cpu"))
    RunFolder(run).actor.rename(RunFolder(other).actor)
    with pytest.raises(StoreError, match="another model"):
        strategy("hybrid", other)


def test_there_is_no_actor_without_actions(recording: Path, tmp_path: Path) -> None:
    train(
        TrainConfig(
            data=str(recording), run=str(tmp_path / "film"), steps=2, batch=32, frame=32, action_free=True, device="cpu"
        )
    )
    with pytest.raises(UsageError, match="without actions"):
        fit_actor(tmp_path / "film", QUICK)


@pytest.mark.parametrize(
    "changes", [{"steps": 0}, {"steps": None}, {"frames": 0}, {"goals_each": 0}, {"temperature": 0.0}]
)
def test_an_empty_fit_is_refused(changes: dict[str, float | None]) -> None:
    from dataclasses import replace

    with pytest.raises(UsageError):
        replace(QUICK, **changes)  # type: ignore[arg-type]


def test_a_clone_does_what_was_done_on_the_way_to_later_frames(run: Path, frames: FrameLatents) -> None:
    config = FitActorConfig(minutes=None, steps=400, frames=64, goals_each=4, hidden=64, depth=2, device="cpu")
    model = load_model(run).requires_grad_(False)
    told: list[float] = []
    actor = clone(model, frames, config, lambda done, whole, found: told.append(found["actor"]))
    assert told[-1] < told[0]
    start = torch.arange(0, len(frames), 7)
    start = start[start + 5 <= frames.last[start]]
    taken, z, goal = frames.blocks(start), frames.latents[start], frames.latents[start + 5]
    with torch.no_grad():
        told_goal = (actor.mode(z, goal) - taken).square().mean()
        wrong_goal = (actor.mode(z, goal.roll(len(goal) // 2, 0)) - taken).square().mean()
    assert float(told_goal) < 0.8 * float(wrong_goal)  # what is done depends on where it led
    again = clone_recording(run, QUICK)
    assert not RunFolder(run).root.joinpath("clone").exists()
    assert again.config == clone(model, frames, QUICK).config


def test_it_can_be_fitted_on_the_first_episodes_alone(run: Path, tmp_path: Path) -> None:
    few, all_of = tmp_path / "few", tmp_path / "all"
    for folder in (few, all_of):
        shutil.copytree(run, folder)
    length = reopen(run)[1].recording.lengths[0]
    part = fit_actor(few, replace(QUICK, steps=2, most_frames=length + 1))
    whole = fit_actor(all_of, replace(QUICK, steps=2))
    same = fit_actor(few, replace(QUICK, steps=2, most_frames=length + 1)).actor.state_dict()
    assert all(value.equal(same[name]) for name, value in part.actor.state_dict().items())
    assert not all(value.equal(same[name]) for name, value in whole.actor.state_dict().items())
    with pytest.raises(UsageError, match="most_frames is negative"):
        replace(QUICK, most_frames=-1)
