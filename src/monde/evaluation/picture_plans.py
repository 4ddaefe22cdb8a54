"""Planning to goals that are shown: a frame of the recording, or a picture."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float64

from monde import worlds
from monde.agents import (
    EpisodeResults,
    PlanningAgent,
    Strategy,
    device_of,
    fit_clip,
    fit_frames,
    frame_clip,
    observation_to_clip,
    resolve_goal,
    run_episodes,
)
from monde.data.pictures import read_picture
from monde.errors import UsageError
from monde.evaluation.goals import fit_readouts, readable_states
from monde.evaluation.keeping_out import Watch, kept_out, parse_volume
from monde.evaluation.plan_config import PlanConfig, PlannedEpisodes
from monde.evaluation.protocol import describe_strategy
from monde.evaluation.showing import camera_of, filmed
from monde.evaluation.statistics import mean_interval
from monde.evaluation.told import JUDGED_BY_NOBODY, trust_rows, way_rows
from monde.models import JEPA
from monde.protocols import Observation
from monde.scorecard import Row
from monde.training.setup import Setup
from monde.types import Clip, FrameGoal, LatentGoal, PictureGoal, Stream


def plan_to_picture(model: JEPA, setup: Setup, strategy: Strategy, name: str, config: PlanConfig) -> PlannedEpisodes:
    """Plan to what a frame or picture shows. Nothing tells of success: scored is how near it the episodes end.

    Raises:
        UsageError: A goal, or a volume to keep out of, that cannot be understood.
        DataError: A picture that cannot be read.
    """
    picture = goal_clip(config.goal, model, setup)
    goal = LatentGoal(resolved(model, picture).latents.expand(config.episodes, -1, -1))
    seeds = tuple(range(config.seed, config.seed + config.episodes))
    states = readable_states(setup)
    volumes = tuple(parse_volume(text, states) for text in config.keep_out)
    if volumes:
        _, readouts = fit_readouts(model, setup, tuple({volume.name for volume in volumes}))
        strategy = kept_out(strategy, volumes, readouts)
    nearness = _Nearness(model, goal)
    watch = Watch(volumes, nearness)
    world = worlds.make(name, len(seeds))
    try:
        agent = PlanningAgent(model, strategy, seed=config.seed, abstain=config.abstain)
        results = run_episodes(world, agent, seeds, config.budget_steps, filmed(world.sensors), goal, watch)
    finally:
        world.close()
    told = [row for row in trust_rows([results], config.seed) if row.metric in JUDGED_BY_NOBODY]
    return PlannedEpisodes(
        rows=(*nearness.rows(results, config), *told, *way_rows([results]), *watch.rows()),
        results=_beside_goal(results, picture, setup, config),
        planner=describe_strategy(strategy, block=model.actions.block),
        seeds=seeds,
    )


def goal_clip(text: str, model: JEPA, setup: Setup) -> Clip:
    """EPISODE:FRAME of the recording, or a picture's path, as one step of the model's sensors (B = 1).

    Raises:
        UsageError: Neither.
        DataError: A picture that cannot be read.
        PlanningError: An episode or frame that the recording does not have.
    """
    goal = _frame_goal(text, setup)
    if goal is not None:
        clip = frame_clip(goal, setup.recording, [sensor.name for sensor in model.sensors])
        return fit_clip(clip, model.sensors)
    path = Path(text)
    if not path.is_file():
        raise UsageError(
            f"goal {text!r} cannot be understood",
            expected="env, EPISODE:FRAME of the recording, a picture's path, a readout's target (state=40,20±3), "
            "or a point (object@camera=40,22±0.03)",
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
    camera = camera_of(model)
    if len(model.sensors) > 1:
        raise UsageError(
            "a picture alone is no goal for a model of several sensors",
            got=[sensor.name for sensor in model.sensors],
            remedy="give a frame of the recording: --goal EPISODE:FRAME",
        )
    frames = torch.from_numpy(read_picture(path))[None]
    fitted = fit_frames(frames, camera.shape[1], camera.shape[2])
    return Clip({camera.name: Stream.regular(fitted[None], camera.rate_hz)})


def _frame_goal(text: str, setup: Setup) -> FrameGoal | None:
    episode, colon, frame = text.partition(":")
    if colon and episode.isdigit() and frame.lstrip("-").isdigit():
        return FrameGoal(str(setup.recording.root), int(episode), int(frame))
    return None


def _beside_goal(results: EpisodeResults, picture: Clip, setup: Setup, config: PlanConfig) -> EpisodeResults:
    """The episodes with the goal's picture, at the size of the world's frames; without films where nothing shows it."""
    if results.frames is None:
        return results
    camera = next((sensor for sensor in setup.recording.sensors if sensor.kind == "rgb"), None)
    frame = _frame_goal(config.goal, setup)
    if camera is not None and camera.name in picture.streams:
        shown = picture.stream(camera.name).values[:, 0].cpu()
    elif camera is not None and frame is not None:
        shown = frame_clip(frame, setup.recording, [camera.name]).stream(camera.name).values[:, 0]
    else:
        return replace(results, frames=None, goal_frames=None)
    shown = fit_frames(shown, *results.frames.shape[-2:])
    return replace(results, goal_frames=np.repeat(shown.numpy(), config.episodes, axis=0))


@dataclass
class _Nearness:
    """Latent distance to the goal of everything that is shown on the way. As a judge: nobody arrives."""

    model: JEPA
    goal: LatentGoal
    distances: list[Float64[np.ndarray, " B"]] = field(default_factory=list)

    @torch.no_grad()
    def __call__(self, observation: Observation) -> Bool[np.ndarray, " B"]:
        clip = observation_to_clip(observation, self.model.sensors, device_of(self.model))
        latents = self.model.encode(clip).values[:, 0]
        gap = (latents - self.goal.latents.to(latents)).square().flatten(1).mean(1).sqrt()
        self.distances.append(gap.double().cpu().numpy())
        return np.zeros(observation.batch, dtype=np.bool_)

    def rows(self, results: EpisodeResults, config: PlanConfig) -> tuple[Row, ...]:
        """How near the episodes end, and how long a plan took."""
        first, last = self.distances[0], np.stack(self.distances)[results.steps, np.arange(len(results.seeds))]
        share, interval = mean_interval(last / np.maximum(first, 1e-9), config.seed)
        n, floors = len(last), {"stay": 1.0}
        note = "latent distance of the last frame to the goal over that of the first; this goal has no test of success"
        near = Row(metric="goal_distance_ratio", value=share, interval=interval, n=n, floors=floors, note=note)
        times = [s / rows for s, rows in zip(results.plan_seconds, results.plan_rows, strict=True)]
        if not times:
            return (near,)
        mean = float(np.mean(times))
        return near, Row(metric="plan_seconds", value=mean, unit="s", n=len(times), note="batched, per episode")
