"""Levels of time: on a maze that is known, and end to end on a real, barely trained run."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mazes import BLOCK, MazeModel, walks
from monde.cli import main
from monde.errors import DataError, StoreError, UsageError
from monde.planning import LevelGuide
from monde.recipes import strategy
from monde.store import RunFolder, read_json, remove_artefact
from monde.training import FitActorConfig, FitLevelsConfig, TrainConfig, fit_actor, fit_levels, train
from monde.training.far.levels import fit_level
from monde.training.frame_latents import FrameLatents, LevelFrames, sequence
from monde.types import LatentGoal

HEADS = FitActorConfig(minutes=None, steps=40, frames=16, goals_each=4, recorded=4, hidden=64, depth=2, device="cpu")
QUICK = FitLevelsConfig(span=3, steps=60, minutes=None, batch=64, hidden=64, heads=HEADS, device="cpu")


@pytest.fixture(scope="module")
def data() -> FrameLatents:
    return walks()


def test_a_macro_action_is_a_code_of_the_blocks_that_were_taken(data: FrameLatents) -> None:
    frames = torch.tensor([0, 7])
    acted = sequence(data, frames, 4)
    assert acted.shape == (2, 4 * BLOCK * 2)
    torch.testing.assert_close(acted[1], data.controls[7 : 7 + 4 * BLOCK].flatten())
    config = replace(QUICK, span=4, steps=400, batch=256)
    level, (error, still, nats) = fit_level(data, MazeModel().actions, config)
    # It predicts 8 control steps at once far better than standing still, from four numbers of limited information.
    assert error < 0.2 * still
    assert 0.5 < nats < 20
    assert level.actions.dt_seconds == pytest.approx(4 * BLOCK * 0.1)
    assert level.actions.width == 4
    seen = LevelFrames.above(data, level)
    assert seen.block == 4 * BLOCK
    codes = seen.blocks(frames)
    level.actions.check(codes)
    outcomes = seen.outcomes(level, frames, codes[:, None])
    torch.testing.assert_close(outcomes[:, 0], level.predict(data.latents[frames], codes))
    # A third level takes the macro-actions of the second for its blocks.
    third, _ = fit_level(seen, level.actions, replace(config, span=2, steps=20))
    assert third.actions.dt_seconds == pytest.approx(8 * BLOCK * 0.1)
    assert sequence(seen, frames, 2).shape == (2, 8)
    same, _ = fit_level(data, MazeModel().actions, replace(config, steps=20))
    again, _ = fit_level(data, MazeModel().actions, replace(config, steps=20))
    assert all(torch.equal(a, b) for a, b in zip(same.parameters(), again.parameters(), strict=True))
    with pytest.raises(DataError, match="as long as one macro-action"):
        fit_level(data, MazeModel().actions, replace(config, span=100))


def test_levels_are_fitted_kept_and_hand_down_sub_goals(recording: Path, tmp_path: Path) -> None:
    run = tmp_path / "levels"
    train(TrainConfig(data=str(recording), run=str(run), steps=20, batch=32, frame=32, device="cpu"))
    fit_actor(run, HEADS)
    with pytest.raises(UsageError, match="needs a level of time"):
        strategy("hierarchical", run, device="cpu")
    told: list[float] = []
    levels = fit_levels(run, replace(QUICK, levels=3, span=2), lambda done, whole, found: told.append(done))
    assert len(levels) == 2
    assert told == sorted(told)
    led = strategy("hierarchical", run, device="cpu")
    assert isinstance(led.guide, LevelGuide)
    assert isinstance(led.guide.above, LevelGuide)
    assert led.guide.strategy.span_blocks == 2
    assert led.guide.above.strategy.span_blocks == 4
    words = ["plan", str(run), "--planner", "hierarchical", "--episodes", "2", "--budget", "20", "--json"]
    assert main([*words, str(tmp_path / "plan.json")]) == 0
    protocol = read_json(tmp_path / "plan.json")["protocol"]
    assert isinstance(protocol, dict)
    assert protocol["planner"]["guide"] == "hierarchical"
    assert protocol["planner"]["above"]["span_blocks"] == 4
    _rows_are_independent(led.guide)
    # One whose level below was fitted anew is refused, and one that was left half written does not count.
    folder = RunFolder(run)
    kept = tmp_path / "third"
    folder.level(3).rename(kept)
    fit_levels(run, replace(QUICK, span=2, seed=1))
    kept.rename(folder.level(3))
    with pytest.raises(StoreError, match="another model, or on other data"):
        strategy("hierarchical", run, device="cpu")
    remove_artefact(folder.level(3) / "temporal_distance")
    assert folder.levels() == [2]
    # Fitting fewer levels, which is what that error tells one to do, removes those above them.
    assert main(["far", str(run), "--landmarks", "0", "--levels", "2", "--minutes", "0.01"]) == 0
    assert not folder.level(3).exists()
    for name in ("auto", "hierarchical"):
        plan = ["plan", str(run), "--planner", name, "--episodes", "2", "--budget", "10"]
        assert main(plan) == 0
    # One that was fitted on another model is refused too.
    other = tmp_path / "other"
    train(TrainConfig(data=str(recording), run=str(other), steps=2, batch=32, frame=32, seed=5, device="cpu"))
    fit_actor(other, HEADS)
    RunFolder(run).level(2).parent.rename(RunFolder(other).level(2).parent)
    with pytest.raises(StoreError, match="another model, or on other data"):
        strategy("hierarchical", other, device="cpu")


def _rows_are_independent(guide: LevelGuide) -> None:
    latents = torch.randn(3, 1, guide.strategy.dynamics.config.latent)  # type: ignore[attr-defined]
    from monde.dynamics.time_level import belief_of

    belief, goal = belief_of(latents, torch.zeros(3, dtype=torch.float64)), LatentGoal(latents.flip(0))
    together = guide.begin(3).lead(belief, goal, torch.arange(3), torch.Generator().manual_seed(0))
    alone = guide.begin(3).lead(
        belief.rows(torch.tensor([2])),
        LatentGoal(goal.latents[2:]),
        torch.tensor([2]),
        torch.Generator().manual_seed(0),
    )
    # Search adds to what a batch rounds otherwise (2e-5 was seen); another row is further off than that.
    torch.testing.assert_close(together.goal.latents[2], alone.goal.latents[0], atol=5e-4, rtol=0)
    assert (together.goal.latents[:2] - alone.goal.latents[0]).abs().amax(dim=(-2, -1)).min() > 5e-3
    assert together.by == ("hierarchical",) * 3


def test_settings_are_checked() -> None:
    with pytest.raises(UsageError, match="so many levels"):
        FitLevelsConfig(levels=1)
    with pytest.raises(UsageError, match="needs an end"):
        FitLevelsConfig(minutes=None)
    with pytest.raises(UsageError, match="empty size"):
        FitLevelsConfig(span=1)
