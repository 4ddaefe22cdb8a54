"""Heads of a laser robot: where blocks lead, scans to come, and how two scans lie to one another."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from monde.agents import PlanningAgent, observation_to_clip, record, run_episodes
from monde.costs import TimeToGoal
from monde.data import FrameCache
from monde.errors import ContractError, StoreError, TrainingError, UsageError
from monde.evaluation import PlanConfig, fit_trust, plan_run
from monde.mind import Mind
from monde.models import JEPA, PlacedModel, load_acting, load_model, nearest, place, weights_hash
from monde.planning import HybridPlanner
from monde.readouts import PAST, ScanForecast, ScanMatcher, flow, scan_inputs
from monde.recipes import RECIPES, laser_yard, strategy
from monde.spatial import scanner_motion, se2_compose
from monde.store import RunFolder
from monde.training import (
    FitActorConfig,
    FitBodyMotionConfig,
    FitScanForecastConfig,
    FitScanMatcherConfig,
    GoalShares,
    clone_recording,
    fit_actor,
    fit_body_motion,
    fit_landmarks,
    fit_levels,
    train,
)
from monde.training.setup import reopen
from monde.worlds import make
from monde.worlds.laser import SICK, YARD, LaserWorld


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the recipe, hardly trained; its motion head learns for a little longer."""
    recipe = RECIPES["laser_rooms"](tmp_path_factory.mktemp("laser"))
    assert recipe.motion is not None
    record(recipe.world, recipe.data, episodes=24, steps=30, policy=recipe.policy, seed=0, batch=24)
    train(replace(recipe.train, minutes=None, steps=3, batch=16))
    fit_body_motion(recipe.run, replace(recipe.motion, steps=150, batch=128))
    fit_actor(recipe.run, FitActorConfig(minutes=None, steps=2, frames=8, goals=GoalShares(elsewhere=0.0)))
    return recipe.run


def _acting(run: Path) -> PlacedModel:
    model = load_acting(run)
    assert isinstance(model, PlacedModel)
    return model


def test_motions_are_learned_from_odometry(run: Path) -> None:
    model = _acting(run)
    world = make("laser_rooms", 8)
    clip = observation_to_clip(world.reset(range(90, 98)), model.sensors)
    belief = model.begin(clip)
    blocks = torch.tensor([[0.2, 0.5, 0.2, 0.5], [0.9, 0.5, 0.9, 0.5]]).expand(8, 2, 4)[:, :, None]
    with torch.no_grad():
        rollout = model.imagine(belief, blocks)
    ways = place(rollout.latents)[:, :, 0, 0, 0].mean(0)
    # 0.10 and 0.45 m ahead in half a second, wherever nothing is in the way.
    assert 0.02 < ways[0] < 0.2
    assert ways[1] - ways[0] > 0.15
    # Full speed ahead brings it no farther from what is near than creeping does.
    near = nearest(rollout.latents)[:, :, 0, 0, 0].mean(0)
    assert near[1] < near[0]


def test_imagining_block_by_block_leads_to_the_same_place(run: Path) -> None:
    model = _acting(run)
    world = make("laser_rooms", 2)
    belief = model.begin(observation_to_clip(world.reset([5, 6]), model.sensors))
    actions = torch.rand(2, 3, 2, 4, generator=torch.Generator().manual_seed(0))
    whole = model.imagine(belief, actions).latents
    first = model.imagine(belief, actions[:, :, :1], beliefs=True)
    assert first.beliefs is not None
    second = model.imagine(first.beliefs, actions[:, :, 1:].flatten(0, 1)[:, None]).latents
    torch.testing.assert_close(second.reshape(2, 3, -1), whole[:, :, 0, 1].reshape(2, 3, -1), atol=1e-4, rtol=1e-3)


def test_nothing_depends_on_where_odometry_began(run: Path) -> None:
    model, way = _acting(run), strategy("auto", run, device="cpu")
    assert way.actor is not None
    belief = model.begin(observation_to_clip(make("laser_rooms", 1).reset([5]), model.sensors))
    here = belief.newest[:, 0, -5:-1].detach().numpy().astype(np.float64)
    goal = np.array([[2.0, 1.0]])
    there = here.copy()
    there[:, :2], turn = [[7.0, -3.0]], 2.0
    there[:, 2:] = [[np.cos(turn), np.sin(turn)]]
    rotated = goal @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) + [[7.0, -3.0]]
    moved = belief.newest.detach().clone()
    moved[:, 0, -5:-1] = torch.from_numpy(there).float()
    proposals = [
        way.actor.mode(latents, model.goal_at(torch.from_numpy(wanted).float()).latents)
        for latents, wanted in ((belief.newest, goal), (moved, rotated))
    ]
    torch.testing.assert_close(proposals[0], proposals[1], atol=1e-4, rtol=1e-3)


def test_the_planner_keeps_clear_and_closes_the_loop(run: Path) -> None:
    way = strategy("auto", run, device="cpu")
    assert isinstance(way.planner, HybridPlanner)
    assert way.planner.config.horizon == 2
    assert "Clearance" in repr(way.cost)
    assert "TimeToGoal" in repr(way.cost)
    assert isinstance(strategy("hybrid", run, cost="time", device="cpu").cost, type(way.cost))
    assert not isinstance(way.cost, TimeToGoal)
    result = run_episodes(make("laser_rooms", 2), PlanningAgent(_acting(run), way, seed=0), [1, 2], 4)
    assert result.steps.tolist() == [4, 4]


def test_a_pose_that_is_not_finite_reaches_no_motion_head(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, setup = reopen(run)
    row, values = int(setup.cache.offsets[setup.split.train[0]]) + 5, FrameCache.values

    def spoilt(cache: FrameCache, name: str) -> np.ndarray:
        found = values(cache, name)
        if name == "odometry":
            found = found.copy()
            found[row, 0] = np.nan
        return found

    monkeypatch.setattr(FrameCache, "values", spoilt)
    with pytest.raises(TrainingError, match="the loss is not finite"):
        fit_body_motion(run, FitBodyMotionConfig(steps=1, batch=1))
    assert RunFolder(run).motion.exists()


def test_a_run_without_a_pose_or_with_other_weights_is_refused(run: Path, tmp_path: Path) -> None:
    assert isinstance(load_model(run), JEPA)
    record("tworoom", tmp_path / "rooms", episodes=4, steps=20, seed=0, batch=4)
    recipe = RECIPES["tworoom"](tmp_path)
    train(replace(recipe.train, data=str(tmp_path / "rooms"), minutes=None, steps=2, batch=4))
    with pytest.raises(UsageError, match="how the body moved"):
        fit_body_motion(recipe.run, FitBodyMotionConfig(steps=2))
    (recipe.run / "motion").symlink_to(RunFolder(run).motion)
    with pytest.raises(StoreError, match="another model"):
        load_acting(recipe.run)


@pytest.mark.parametrize(
    ("what", "use"),
    [
        ("trust", lambda run: fit_trust(run, strategy("auto", run, device="cpu"))),
        ("a graph of landmarks", fit_landmarks),
        ("a level of time", fit_levels),
        ("cloning", clone_recording),
        ("asking", Mind),
        (
            "planning towards '0:3'",
            lambda run: plan_run(run, strategy("auto", run), PlanConfig(goal="0:3", episodes=1)),
        ),
    ],
)
def test_what_knows_no_place_yet_says_so(run: Path, what: str, use: Callable[[Path], object]) -> None:
    with pytest.raises(UsageError, match=f"{what} is not there yet for runs that know how actions move the body"):
        use(run)


def test_a_body_whose_pose_is_missing_is_not_at_the_origin(run: Path) -> None:
    model = _acting(run)
    clip = observation_to_clip(make("laser_rooms", 1).reset([3]), model.sensors)
    pose, scan = next(s.name for s in model.sensors if s.kind == "pose"), model.motion.config.scan
    gone = {name: replace(clip.stream(name), valid=torch.zeros(1, 1, dtype=torch.bool)) for name in (pose, scan)}
    with pytest.raises(ContractError, match="nobody knows where the body is"):
        model.begin(replace(clip, streams={**clip.streams, pose: gone[pose]}))
    # Where nothing was measured nothing is known to be clear.
    unseen = model.begin(replace(clip, streams={**clip.streams, scan: gone[scan]}))
    assert nearest(unseen.newest).item() == 0.0
    assert nearest(model.begin(clip).newest).item() > 0.0


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of outdoor scans, hardly trained."""
    recipe = laser_yard(tmp_path_factory.mktemp("yard"))
    small = replace(
        recipe,
        episodes=6,
        steps=16,
        train=replace(recipe.train, steps=2, batch=8, held_out=0.2),
        matcher=FitScanMatcherConfig(steps=60, batch=16),
        forecast=FitScanForecastConfig(steps=3, batch=4, most=24, width=8),
    )
    record(small.world, small.data, episodes=6, steps=16, policy="scripted", seed=0, batch=6)
    small.learn()
    return small.run


def test_a_forecast_is_made_of_what_was_seen_or_may_stand_there(yard: Path) -> None:
    head = ScanForecast.load(RunFolder(yard).readouts / "scan_forecast", weights_hash(yard))
    world = LaserWorld(YARD, batch=3)
    observation = world.reset([1, 2, 3])
    scans, poses = [observation.values["scan"]], [observation.values["odometry"]]
    for _ in range(8):
        observation = world.step(np.tile([1.5, 0.2], (3, 1))).observation
        scans.append(observation.values["scan"])
        poses.append(observation.values["odometry"])
    inputs = scan_inputs(
        np.stack(scans[:5], 1).astype(np.float64), np.stack(poses, 1).astype(np.float64), SICK.geometry, SICK.ahead_m
    )
    assert inputs.warped.shape == (3, PAST, 361)
    latents = torch.zeros(3, 1, head.config.features)
    torch.testing.assert_close(head(latents, inputs).exp().sum(1), torch.ones(3, 361))
    told, candidates = head.read(latents, inputs), head.candidates(inputs)
    assert ((told[:, None] - candidates).abs().amin(1) == 0).all()
    # What is certain is told: all weight on one candidate.
    came = torch.from_numpy(scans[-1]).float()
    assert head.likelihood(latents, inputs, came).shape == (3, 361)


def test_a_short_fit_finds_most_of_a_motion_and_is_saved(yard: Path) -> None:
    world = LaserWorld(YARD, batch=8)
    before = world.reset(range(20, 28)).values
    after = world.step(np.tile([1.5, 0.3], (8, 1))).observation.values
    true = scanner_motion(before["state"][:, :3].astype(np.float64), after["state"][:, :3].astype(np.float64),
                          SICK.ahead_m)  # fmt: skip
    guess = se2_compose(true, np.tile([0.05, -0.05, 0.02], (8, 1)))
    loaded = ScanMatcher.load(RunFolder(yard).readouts / "scan_matcher", weights_hash(yard))
    scans = (before["scan"].astype(np.float64), after["scan"].astype(np.float64))
    found = loaded.match(*scans, SICK.geometry, guess)
    assert np.median(np.abs(found - true)[:, :2]) < 0.5 * 0.05
    assert np.median(np.abs(found - true)[:, 2]) < 0.5 * 0.02
    assert loaded(flow(*scans, SICK.geometry, guess)).shape == (8, 3)
    with pytest.raises(StoreError, match="another model"):
        ScanMatcher.load(RunFolder(yard).readouts / "scan_matcher", "of something else")
