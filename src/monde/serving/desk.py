"""What one server serves: a run's pilot, its sessions, and the questions that may be asked of it."""

import asyncio
import logging
import threading
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, Shaped

from monde.agents import GoalFinder, Strategy
from monde.errors import MondeError, UsageError
from monde.limits import MAX_DECISION_BATCH, MAX_SESSION_IDLE_SECONDS
from monde.mind import Answer, AnyGoal, GoalPicture, Mind, Request
from monde.mind.faculties import Faculties, Progress
from monde.mind.judging import wanted
from monde.serving import pilot as piloting
from monde.serving.asking import Ask, Thinker
from monde.serving.config import ServeConfig
from monde.serving.deciders import Deciders
from monde.serving.goals import Resolve, shown
from monde.serving.metrics import Metrics
from monde.serving.pilot import Pilot
from monde.serving.sensing import Sample
from monde.serving.sessions import Sessions
from monde.types import ActionSpec, Goal, PictureGoal, Sensor

LOG = logging.getLogger("monde.serving")


@dataclass(kw_only=True)
class Desk:
    """A server's state.

    Args:
        name: Of the run.
        pilot: Decides.
        config: How it is served.
        mind: Answers questions.
        resolve: Makes goals of what clients send.
    """

    name: str
    pilot: Pilot
    config: ServeConfig
    mind: Ask
    resolve: Resolve

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
        for rows in range(1, min(self.config.sessions, MAX_DECISION_BATCH) + 1):
            begin = piloting.Request(sample=blank, goal=PictureGoal(clip))
            for _ in range(3):
                begun = self.pilot.decide([begin] * rows)[0]
                if isinstance(begun, MondeError):
                    raise begun
                going = piloting.Request(sample=blank, taken=block, pursuit=begun.pursuit)
                self.pilot.decide([going] * rows)

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


def open_desk(
    run: Path,
    config: ServeConfig,
    planner: str = "auto",
    device: str = "auto",
    progress: Progress | None = None,
) -> Desk:
    """Everything that serving a run needs, loaded: its mind, and hands that share the mind's model.

    Raises:
        StoreError: Not a run, or altered.
        UsageError: A planner that the run has nothing for, an unusable safe action.
        PlanningError: A run that was learned without actions.
    """
    mind = Mind(run, planner=planner, device=device, progress=progress)
    held = mind.faculties
    # Graphs of CUDA cannot be captured while another thread computes: there, one thinks or acts at a time.
    turn = threading.Lock() if held.model.device.type == "cuda" else nullcontext()
    familiarity = None if held.knowledge is None else held.knowledge.familiarity
    pilot = Pilot(held.model, finding(held), config.seed, familiarity=familiarity, turn=turn)

    def ask(request: Request) -> Answer:
        with turn:
            return mind.ask(request)

    def resolve(goal: AnyGoal) -> Goal:
        if isinstance(goal, GoalPicture):
            return shown(goal, held.model)
        with turn:
            return wanted(held, mind.beliefs, goal)

    return Desk(name=run.resolve().name, pilot=pilot, config=config, mind=ask, resolve=resolve)


def finding(held: Faculties) -> Strategy:
    """A run's strategy, with what finds the way to goals that readouts tell, where the run has it."""
    found = held.strategy
    if found.actor is None or held.distance is None or held.knowledge is None:
        return found
    readouts = {name: known.readout for name, known in held.knowledge.readouts.items()}
    finder = GoalFinder(bank=held.bank(), readouts=readouts, actor=found.actor, distance=held.distance)
    return replace(found, finder=finder)


def safe_control(actions: ActionSpec, declared: tuple[float, ...] | None) -> Float32[np.ndarray, " dim"]:
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


def _blank(sensor: Sensor) -> Shaped[np.ndarray, "..."]:
    return np.zeros(sensor.shape, np.uint8 if sensor.kind == "rgb" else np.float32)
