"""What one server serves: a run's pilot, its sessions, and the questions that may be asked of it."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Shaped

from monde.data import open_recording
from monde.errors import MondeError, ServingError, UsageError
from monde.limits import MAX_SESSION_IDLE_SECONDS
from monde.mind import Mind
from monde.models import load_model
from monde.protocols import Recording
from monde.recipes import strategy
from monde.serving.asking import Ask, Thinker
from monde.serving.config import ServeConfig
from monde.serving.deciders import Deciders
from monde.serving.goals import FrameOf
from monde.serving.metrics import Metrics
from monde.serving.pilot import Pilot, Request
from monde.serving.sensing import Sample
from monde.serving.sessions import Sessions
from monde.store import RunFolder
from monde.training import choose_device, choose_precision
from monde.types import ActionSpec, PictureGoal, Sensor

LOG = logging.getLogger("monde.serving")


@dataclass(kw_only=True)
class Desk:
    """A server's state.

    Args:
        name: Of the run.
        pilot: Decides.
        config: How it is served.
        mind: Answers questions.
        frame_of: Frames of the run's recording, or none where it is not here.
    """

    name: str
    pilot: Pilot
    config: ServeConfig
    mind: Ask
    frame_of: FrameOf | None = None

    def __post_init__(self) -> None:
        actions = self.pilot.model.actions
        self.safe = safe_control(actions, self.config.safe)
        self.deadline_seconds = self.config.deadline_seconds or actions.dt_seconds
        self.stale_seconds = self.config.stale_seconds or actions.block_seconds
        self.abstain = self.config.abstain
        self.metrics = Metrics()
        self.thinker = Thinker(self.mind, self.metrics)
        self.deciders = Deciders(self.pilot, self.metrics)
        self.sessions = Sessions(self.config.sessions, self.safe, self.metrics)
        self.ready = False

    async def run(self) -> None:
        """Warm up, then decide and sweep until cancelled."""
        await asyncio.get_running_loop().run_in_executor(None, self.warm_up)
        self.ready = True
        async with asyncio.TaskGroup() as group:
            group.create_task(self.deciders.run())
            group.create_task(self._sweep())

    def failed(self, error: BaseException | None) -> None:
        """What runs beside the routes has ended: nothing can be decided any more, and readiness says so."""
        self.ready = False
        if error is not None:
            LOG.critical("deciding has ended", exc_info=error)

    def warm_up(self) -> None:
        """Decide for nobody, for one and for several: the first decision of each size takes far longer than others."""
        blank = Sample({sensor.name: _blank(sensor) for sensor in self.pilot.model.sensors}, 0.0)
        clip = self.pilot.clip([blank])
        block = np.tile(self.safe, (self.pilot.model.actions.block, 1))
        for rows in (1, 2, 4, 8):
            begin = Request(sample=blank, goal=PictureGoal(clip))
            for _ in range(3):
                begun = self.pilot.decide([begin] * rows)[0]
                if isinstance(begun, MondeError):
                    raise begun
                self.pilot.decide([Request(sample=blank, taken=block, pursuit=begun.pursuit)] * rows)

    def close(self) -> None:
        """Let both threads end after what they are at."""
        self.deciders.close()
        self.thinker.close()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(MAX_SESSION_IDLE_SECONDS / 10)
            for session in await self.sessions.sweep():
                LOG.info("a session was silent for too long and is forgotten: %d s", MAX_SESSION_IDLE_SECONDS)
                if session.course is not None:
                    self.deciders.forget(session.course)


def open_desk(run: Path, config: ServeConfig, planner: str = "auto", device: str = "auto") -> Desk:
    """Everything that serving a run needs, loaded.

    Raises:
        StoreError: Not a run, or altered.
        UsageError: A planner that the run has nothing for, an unusable safe action.
        PlanningError: A run that was learned without actions.
    """
    place = choose_device(device)
    model = load_model(run, place)
    model.autocast = choose_precision("auto", place)
    pilot = Pilot(model, strategy(planner, run, device=device), config.seed)
    return Desk(
        name=run.resolve().name,
        pilot=pilot,
        config=config,
        mind=mind_of(run),
        frame_of=_frames(run, model.sensors),
    )


def mind_of(run: Path) -> Ask:
    """The mind of a run, by verb; it has a model of its own, so that thinking and acting do not meet in one."""
    mind = Mind(run)

    def ask(verb: str, request: object) -> object:
        return getattr(mind, verb)(request)

    return ask


def safe_control(actions: ActionSpec, declared: tuple[float, ...] | None) -> Float[np.ndarray, " dim"]:
    """The declared safe control step.

    Raises:
        UsageError: Of another width, or out of bounds.
    """
    safe = np.array(actions.rest if declared is None else declared, dtype=np.float32)
    if safe.shape != (actions.dim,):
        raise UsageError("--safe has another width than an action", got=len(safe), expected=f"{actions.dim} numbers")
    try:
        actions.with_block(1).check(torch.from_numpy(safe))
    except MondeError as error:
        raise UsageError("--safe is no action", got=error.got, expected=error.expected) from error
    return safe


def _frames(run: Path, sensors: tuple[Sensor, ...]) -> FrameOf | None:
    train = RunFolder(run).read_config().get("train")
    data = train.get("data") if isinstance(train, Mapping) else None
    try:
        recording: Recording | None = open_recording(str(data)) if isinstance(data, str) else None
    except MondeError as error:
        LOG.warning("the recording of the run is not here, so its frames cannot be goals: %s", error)
        recording = None
    if recording is None:
        return None
    held = recording

    def frame(episode: int, step: int) -> Mapping[str, Shaped[np.ndarray, "..."]]:
        if episode >= len(held.lengths) or not -held.lengths[episode] <= step < held.lengths[episode]:
            raise ServingError("the recording has no such frame", status=404, got=f"episode {episode}, step {step}")
        step %= held.lengths[episode]
        clip = held.read(episode, step, step + 1, [sensor.name for sensor in sensors])
        return {sensor.name: clip.stream(sensor.name).values[0, 0].numpy() for sensor in sensors}

    return frame


def _blank(sensor: Sensor) -> Shaped[np.ndarray, "..."]:
    return np.zeros(sensor.shape, np.uint8 if sensor.kind == "rgb" else np.float32)
