"""Letting an agent plan towards goals of any kind, and filming it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from monde import worlds
from monde.agents import (
    EpisodeResults,
    PlanningAgent,
    Strategy,
    fit_clip,
    fit_frames,
    frame_clip,
    resolve_goal,
    run_episodes,
)
from monde.errors import DataError, UsageError
from monde.evaluation.control import ControlConfig, score_control
from monde.evaluation.goals import is_readout_goal
from monde.evaluation.plan_config import PlanConfig
from monde.evaluation.protocol import describe_strategy, protocol_card, scorecard
from monde.evaluation.readout_plans import plan_to_readout
from monde.evaluation.run import check_world, has_camera, recorded_world
from monde.evaluation.showing import camera_of, films
from monde.evaluation.statistics import mean_interval
from monde.evaluation.told import JUDGED_BY_NOBODY, trust_rows
from monde.limits import MAX_FRAME_SIDE_PIXELS
from monde.models import JEPA, load_acting, load_model
from monde.scorecard import Row, Scorecard
from monde.store import RunFolder
from monde.training import choose_device, choose_precision
from monde.training.setup import Setup, reopen
from monde.types import Clip, FrameGoal, LatentGoal, PictureGoal, Stream


def plan_run(
    run: Path,
    strategy: Strategy,
    config: PlanConfig | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Scorecard:
    """Let an agent plan with the newest model of a run; its films go to the run's exhibits.

    With the world's own goals the score is that of `score_control`; with goals told by readouts success is what the
    readout tells. Pictures have no test of success: the score is how much nearer the last frame is to the goal than the
    first, in latent distance.

    Raises:
        UsageError: No world to act in, or a goal that cannot be understood.
        DataError: A goal frame or picture that cannot be read.
    """
    config = config or PlanConfig()
    _, setup = reopen(run)
    name = config.world or recorded_world(setup)
    if name is None:
        raise UsageError(
            f"{run} was trained on a recording of no world that can be run here",
            remedy="name a world with the same sensors and actions: --world ENV",
        )
    if setup.model.actions.unactuated:
        raise UsageError(
            f"{run} was learned without actions: it can predict, but not plan",
            remedy="train on a recording with actions, without --action-free",
        )
    check_world(setup, name)
    device = choose_device(config.device)
    model = load_model(run, device)
    model.autocast = choose_precision(config.precision, device)
    if config.goal == "env":
        control = ControlConfig(
            episodes=config.episodes,
            budget_steps=config.budget_steps,
            seed=config.seed,
            films=config.episodes if has_camera(name) else 0,
            timed_plans=min(10, config.episodes),
            abstain=config.abstain,
        )
        acting = load_acting(run, device)
        acting.autocast = model.autocast
        scored = score_control(acting, strategy, name, control, progress=progress)
        rows, results, settings, seeds = scored.rows, scored.films, scored.planner, scored.seeds
    elif is_readout_goal(config.goal):
        read = plan_to_readout(model, setup, strategy, name, config)
        rows, results, settings, seeds = read.rows, read.results, read.planner, read.seeds
    else:
        picture = goal_clip(config.goal, model, setup)
        goal = LatentGoal(resolved(model, picture).latents.expand(config.episodes, -1, -1))
        seeds = tuple(range(config.seed, config.seed + config.episodes))
        results = _act(model, strategy, name, goal, seeds, config)
        shown = picture.stream(camera_of(model).name).values[:, 0].cpu()
        if results.frames is not None:  # the goal is beside the world's frames: shown at their size, not the model's
            shown = fit_frames(shown, *results.frames.shape[-2:])
        results = replace(results, goal_frames=np.repeat(shown.numpy(), config.episodes, axis=0))
        told = [row for row in trust_rows([results], config.seed) if row.metric in JUDGED_BY_NOBODY]
        rows = (*_nearness(model, results, goal, config), *told)
        settings = describe_strategy(strategy, block=model.actions.block)
    if results is not None and results.goal_frames is not None:
        for index, film in enumerate(films(results)):
            film.save(RunFolder(run).exhibits / f"plan-{index:02d}", replace=True)
    card = protocol_card(
        world=name,
        budget_steps=config.budget_steps,
        seeds=seeds,
        planner=settings,
        data_hash=setup.recording.fingerprint,
        goal=config.goal if config.goal != "env" else "the world's own, drawn from the episode's seed",
    )
    return scorecard(f"{run.name}: plans", rows, card, (config.seed,))


def goal_clip(text: str, model: JEPA, setup: Setup) -> Clip:
    """EPISODE:FRAME of the recording, or a picture's path, as one step of the model's sensors (B = 1).

    Raises:
        UsageError: Neither.
        DataError: A picture that cannot be read.
        PlanningError: An episode or frame that the recording does not have.
    """
    episode, colon, frame = text.partition(":")
    if colon and episode.isdigit() and frame.lstrip("-").isdigit():
        goal = FrameGoal(str(setup.recording.root), int(episode), int(frame))
        clip = frame_clip(goal, setup.recording, [sensor.name for sensor in model.sensors])
        return fit_clip(clip, model.sensors)
    path = Path(text)
    if not path.is_file():
        raise UsageError(
            f"goal {text!r} cannot be understood",
            expected="env, EPISODE:FRAME of the recording, a picture's path, or a readout's target (state=40,20±3)",
            remedy="try --goal env, or --goal 0:50",
        )
    return _picture(path, model)


def resolved(model: JEPA, clip: Clip) -> LatentGoal:
    """The goal that a one-step clip shows."""
    goal = resolve_goal(model, PictureGoal(clip))
    if not isinstance(goal, LatentGoal):
        raise UsageError("this goal has no picture", got=type(goal).__name__)
    return goal


def _picture(path: Path, model: JEPA) -> Clip:
    from PIL import Image, UnidentifiedImageError

    camera = camera_of(model)
    if len(model.sensors) > 1:
        raise UsageError(
            "a picture alone is no goal for a model of several sensors",
            got=[sensor.name for sensor in model.sensors],
            remedy="give a frame of the recording: --goal EPISODE:FRAME",
        )
    try:
        with Image.open(path) as image:
            if max(image.size) > MAX_FRAME_SIDE_PIXELS:
                raise DataError(f"{path} is too large", got=image.size, expected=f"sides ≤ {MAX_FRAME_SIDE_PIXELS}")
            pixels = np.asarray(image.convert("RGB"))
    except (OSError, UnidentifiedImageError) as error:
        raise DataError(f"{path} is not a picture that can be read", got=error) from error
    frames = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None]
    fitted = fit_frames(frames, camera.shape[1], camera.shape[2])
    return Clip({camera.name: Stream.regular(fitted[None], camera.rate_hz)})


def _act(
    model: JEPA, strategy: Strategy, name: str, goal: LatentGoal, seeds: tuple[int, ...], config: PlanConfig
) -> EpisodeResults:
    world = worlds.make(name, len(seeds))
    try:
        agent = PlanningAgent(model, strategy, seed=config.seed, abstain=config.abstain)
        return run_episodes(world, agent, seeds, config.budget_steps, record_frames=True, goal=goal)
    finally:
        world.close()


@torch.no_grad()
def _nearness(model: JEPA, results: EpisodeResults, goal: LatentGoal, config: PlanConfig) -> tuple[Row, ...]:
    if results.frames is None:
        raise UsageError("nearness needs the episodes' frames", remedy="run them with record_frames=True")
    rows = np.arange(len(results.seeds))
    first = _distance(model, results.frames[:, 0], goal.latents)
    last = _distance(model, results.frames[rows, results.steps], goal.latents)
    share, interval = mean_interval(last / np.maximum(first, 1e-9), config.seed)
    mean_time = float(np.mean([s / n for s, n in zip(results.plan_seconds, results.plan_rows, strict=True)]))
    note = "latent distance of the last frame to the goal over that of the first; this goal has no test of success"
    return (
        Row(metric="goal_distance_ratio", value=share, interval=interval, n=len(rows), floors={"stay": 1.0}, note=note),
        Row(metric="plan_seconds", value=mean_time, unit="s", n=len(results.plan_seconds), note="batched, per episode"),
    )


def _distance(model: JEPA, frames: np.ndarray, goal: Tensor) -> Float[np.ndarray, " B"]:
    camera = camera_of(model)
    fitted = fit_frames(torch.from_numpy(np.ascontiguousarray(frames)), camera.shape[1], camera.shape[2])
    latents = model.encode(Clip({camera.name: Stream.regular(fitted[:, None], camera.rate_hz)})).values[:, 0]
    return (latents - goal.to(latents)).square().flatten(1).mean(1).sqrt().cpu().numpy()
