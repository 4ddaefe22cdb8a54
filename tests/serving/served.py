"""A served model for tests: `AnalyticModel`, whose plans can be checked by hand, behind a real server in a thread."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from analytic import AnalyticModel
from monde.agents import Strategy
from monde.client import Server as Remote
from monde.costs import LatentDistance
from monde.errors import UsageError
from monde.mind import Answer, GoalPicture, Request
from monde.planning import CEMConfig, CEMPlanner
from monde.serving import Desk, ServeConfig, Server
from monde.serving.goals import pictures_only
from monde.serving.pilot import Pilot

TOKEN = "a-token-that-nobody-guesses"
PLANNER = CEMPlanner(CEMConfig(horizon=3, samples=32, rounds=3, elites=6))


def no_mind(request: Request) -> Answer:
    """Answers nothing: the analytic model has no run."""
    raise UsageError("there is no run behind this server", got=type(request).__name__)


def desk(pilot: Pilot | None = None, **settings: object) -> Desk:
    """A desk of the analytic model; answers may take long, as tests share their processor."""
    pilot = pilot or Pilot(AnalyticModel(), Strategy(PLANNER, LatentDistance()))
    config = replace(ServeConfig(token=TOKEN, port=0, deadline_seconds=20.0, stale_seconds=30.0), **settings)  # type: ignore[arg-type]
    return Desk(name="analytic", pilot=pilot, config=config, mind=no_mind, resolve=pictures_only(pilot.model))


@contextmanager
def served(held: Desk, token: str = TOKEN) -> Iterator[Server]:
    """It, listening on a free port, ready."""
    server = Server(held)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    remote = Remote(server.url, token, 30)
    until = time.monotonic() + 60
    while not remote.ready():
        assert time.monotonic() < until, "the server did not become ready"
        time.sleep(0.02)
    try:
        yield server
    finally:
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive()


def at(x: float, y: float) -> dict[str, np.ndarray]:
    """What the sensors show at a place."""
    return {"state": np.array([x, y], np.float32)}


def goal(x: float, y: float) -> GoalPicture:
    """Be there."""
    return GoalPicture(sensors=at(x, y))
