"""The client closes the loop: with a Gymnasium environment, with a robot class, across a server that dies."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import gymnasium
import numpy as np
import pytest

from monde.client import (
    Done,
    EpisodeLog,
    GoalPicture,
    GymnasiumBody,
    Limits,
    RobotBody,
    Seen,
    Session,
    Wiring,
    run_episode,
)
from monde.errors import ServingError
from monde.serving import Server
from tests.serving.served import TOKEN, desk, goal, served


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with served(desk()) as held:
        yield held


@pytest.fixture
def session(server: Server) -> Iterator[Session]:
    with Session(server.url, TOKEN, patient=True) as held:
        yield held


def test_the_client_needs_no_torch() -> None:
    code = "import sys, monde.client; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0


class Plane(gymnasium.Env[np.ndarray, np.ndarray]):
    """The analytic model's world: a place that actions move."""

    def __init__(self, goal: tuple[float, float] = (40.0, 20.0)) -> None:
        self.observation_space = gymnasium.spaces.Box(0, 64, (2,), np.float32)
        self.action_space = gymnasium.spaces.Box(-1, 1, (2,), np.float32)
        self.goal = np.array(goal)

    def reset(self, *, seed: int | None = None, options: dict[str, object] | None = None):  # type: ignore[no-untyped-def]
        super().reset(seed=seed)
        self.place = np.array([10.0, 10.0])
        return self.place.astype(np.float32), {}

    def step(self, action: np.ndarray):  # type: ignore[no-untyped-def]
        assert self.action_space.contains(action)
        self.place = np.clip(self.place + 2 * action, 5.5, 58.5)
        reached = bool(np.hypot(*(self.place - self.goal)) < 3)
        return self.place.astype(np.float32), 0.0, reached, False, {}


def test_a_gymnasium_environment(session: Session) -> None:
    body = GymnasiumBody(Plane(), session)
    body.reset(seed=0)
    episode = run_episode(session, body, goal(40, 20), steps=60)
    assert episode.ended
    assert episode.steps < 60
    assert episode.safe == {}
    assert len(episode.seconds) == episode.answers == -(-episode.steps // 5)


def test_a_gymnasium_environment_in_another_process(server: Server) -> None:
    """The whole client in a process of its own, which knows the server's address and nothing of the model."""
    code = f"""
import sys
sys.path += {sys.path!r}
from tests.client.test_client import Plane
from tests.serving.served import goal
from monde.client import GymnasiumBody, Session, run_episode
with Session({server.url!r}, {TOKEN!r}, patient=True) as session:
    body = GymnasiumBody(Plane(), session)
    body.reset(seed=0)
    sys.exit(0 if run_episode(session, body, goal(40, 20), steps=60).ended else 1)
"""
    assert subprocess.run([sys.executable, "-c", code], timeout=120, check=False).returncode == 0


class Arm:
    """A robot class as LeRobot's: joints in degrees, and it moves no further than 2 degrees an action."""

    def __init__(self) -> None:
        self.joints = {"pan": 100.0, "lift": 100.0}
        self.sent: list[dict[str, float]] = []

    def get_observation(self) -> dict[str, object]:
        return {**{f"{name}.pos": value for name, value in self.joints.items()}, "front": np.zeros((4, 4, 3), np.uint8)}

    def send_action(self, action: Mapping[str, float]) -> dict[str, float]:
        self.sent.append(dict(action))
        done = {name: float(np.clip(value, -15, 15)) for name, value in action.items()}
        for name, value in done.items():
            self.joints[name.removesuffix(".vel")] += value
        return done


WIRING = Wiring(actions=("pan.vel", "lift.vel"), states={"state": ("pan.pos", "lift.pos")}, scale=(20.0, 20.0))


class InTens(RobotBody):
    """The arm's joints in tens of degrees, as the model's world is."""

    def observe(self) -> Seen:
        seen = super().observe()
        return Seen({"state": seen.values["state"] / 10}, seen.age_seconds)


def test_a_robot(session: Session) -> None:
    arm = Arm()
    body = InTens(arm, session, WIRING)
    episode = run_episode(session, body, goal(40, 20), steps=60, limits=Limits(most_change=(0.5, 0.5)))
    assert episode.steps == 60
    assert np.hypot(arm.joints["pan"] / 10 - 40, arm.joints["lift"] / 10 - 20) < 6
    # Scaled into the robot's units, no change larger than was allowed, and at rest in the end.
    steps = np.array([[action["pan.vel"], action["lift.vel"]] for action in arm.sent])
    assert np.abs(steps).max() > 10
    assert np.abs(steps).max() <= 20
    assert steps[-1].tolist() == [0.0, 0.0]
    done = np.clip(steps, -15, 15)
    assert np.abs(steps[1:-1] - done[:-2]).max() <= 10 + 1e-4


def test_a_dry_run_moves_nothing(session: Session, tmp_path: Path) -> None:
    arm, log = Arm(), EpisodeLog(tmp_path / "log", session)
    body = InTens(arm, session, WIRING)
    run_episode(session, body, goal(40, 20), steps=10, dry_run=True, log=log)
    assert arm.sent == [{"pan.vel": 0.0, "lift.vel": 0.0}]
    with np.load(log.save()) as held:
        assert held["actions"].shape == (10, 2)
        assert np.abs(held["actions"]).max() > 0  # what would have been done


def test_no_log_is_written_over(session: Session, tmp_path: Path) -> None:
    log = EpisodeLog(tmp_path, session)
    for _ in range(3):
        run_episode(session, InTens(Arm(), session, WIRING), goal(40, 20), steps=2, dry_run=True, log=log)
        last = log.save()
    kept = last.read_bytes()
    (tmp_path / "episode-000001.npz").unlink()
    run_episode(session, InTens(Arm(), session, WIRING), goal(40, 20), steps=2, dry_run=True, log=log)
    assert log.save().name == "episode-000003.npz"
    assert last.read_bytes() == kept


def test_whatever_happens_the_robot_comes_to_rest(session: Session) -> None:
    class Broken(InTens):
        def apply(self, control: np.ndarray) -> Done:
            if len(arm.sent) == 7:
                raise KeyboardInterrupt
            return super().apply(control)

        def rest(self, safe: np.ndarray) -> None:
            rested.append(safe.tolist())

    arm, rested = Arm(), []
    with pytest.raises(KeyboardInterrupt):
        run_episode(session, Broken(arm, session, WIRING), goal(40, 20), steps=60)
    assert rested == [[0.0, 0.0]]


def test_a_robot_that_holds_where_it_is(session: Session) -> None:
    arm = Arm()
    body = InTens(arm, session, WIRING, safe=lambda seen: {"pan.vel": -1.0, "lift.vel": float(str(seen["lift.pos"]))})
    body.observe()
    body.rest(session.safe)
    assert arm.sent == [{"pan.vel": -1.0, "lift.vel": 100.0}]


@pytest.mark.parametrize(
    ("wiring", "says"),
    [
        (Wiring(actions=("pan.vel",)), "wired to nothing"),
        (Wiring(actions=("a", "b"), scale=(1.0,)), "another width"),
        (Wiring(actions=("a", "b"), scale=(1.0, 0.0)), "zero"),
    ],
)
def test_wrong_wiring_is_refused_before_anything_moves(session: Session, wiring: Wiring, says: str) -> None:
    with pytest.raises(ServingError, match=says):
        RobotBody(Arm(), session, wiring)


def test_what_the_robot_does_not_show_is_named(session: Session) -> None:
    body = RobotBody(Arm(), session, Wiring(actions=("pan.vel", "lift.vel"), states={"state": ("pan.pos", "lft.pos")}))
    with pytest.raises(ServingError, match=r"does not show 'lft\.pos'"):
        body.observe()


def test_limits(session: Session) -> None:
    limits = Limits(low=(-0.5, -0.5), high=(0.5, 0.2), most_change=(0.1, 1.0))
    bounded = limits.bound(session.actions, np.float32([1, 1]), np.float32([0, 0]))
    np.testing.assert_allclose(bounded, [0.1, 0.2])
    np.testing.assert_allclose(Limits().bound(session.actions, np.float32([3, -3]), None), [1, -1])
    with pytest.raises(ServingError, match="no action"):
        limits.bound(session.actions, np.float32([np.nan, 0]), None)
    with pytest.raises(ServingError, match="allow nothing"):
        Limits(low=(1.0,), high=(0.0,))


SERVE = """
import sys
sys.path += {path!r}
from tests.serving.served import desk
from monde.serving import Server
Server(desk(port={port}), lambda url: print(url, flush=True)).run()
"""


def start(port: int) -> "tuple[subprocess.Popen[str], str]":
    """A server in a process of its own, and its address once it listens."""
    code = SERVE.format(path=sys.path, port=port)
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout as told:
        return process, told.readline().strip()


def test_the_server_dies_in_mid_episode_and_the_client_finishes() -> None:
    process, url = start(0)
    started: list[subprocess.Popen[str]] = []

    def restart() -> None:
        started.append(start(int(url.rpartition(":")[2]))[0])

    class Watched(Plane):
        count = 0

        def step(self, action: np.ndarray):  # type: ignore[no-untyped-def]
            self.count += 1
            if self.count == 7:
                os.kill(process.pid, signal.SIGKILL)
                process.wait(30)
                threading.Thread(target=restart, daemon=True).start()
            return super().step(action)

    try:
        with Session(url, TOKEN, patient=True, deadline_seconds=30.0) as session:
            body = GymnasiumBody(Watched(), session)
            body.reset(seed=0)
            episode = run_episode(session, body, goal(40, 20), steps=80)
            assert session.reconnections == 1
        assert episode.ended
        assert episode.safe == {}
    finally:
        for each in (process, *started):
            each.kill()
            each.wait(30)


def test_a_robot_gets_the_safe_action_while_the_server_is_away() -> None:
    with served(desk()) as server:
        session = Session(server.url, TOKEN, reconnect_seconds=60.0)
        session.begin(goal(40, 20), {"state": np.float32([10, 10])})
    with session:
        answer = session.act({"state": np.float32([10, 10])}, np.zeros((5, 2), np.float32))
        assert answer.safe
        assert (answer.reason or "").startswith("away")


def test_a_stop_ends_its_episode_and_not_the_next(session: Session) -> None:
    seen, done = {"state": np.float32([10, 10])}, np.zeros((5, 2), np.float32)
    session.begin(goal(40, 20), seen)
    session.stop()
    assert (session.act(seen, done).reason or "").startswith("stopped")
    again = [session.begin(goal(40, 20), seen), session.act(seen, done)]
    assert not any((answer.reason or "").startswith("stopped") for answer in again)


def test_no_server_is_said() -> None:
    with pytest.raises(ServingError, match="no server answers") as error:
        Session("http://127.0.0.1:9", TOKEN, reconnect_seconds=0.1)
    assert error.value.status == 503


def test_a_log_is_of_one_model(session: Session, tmp_path: Path) -> None:
    log = EpisodeLog(tmp_path, session)
    with pytest.raises(ServingError, match="nothing to save"):
        log.save()
    (tmp_path / "log.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ServingError, match="other sensors"):
        EpisodeLog(tmp_path, session)


def test_goals_are_what_a_session_says(session: Session) -> None:
    with pytest.raises(ServingError, match="does not hold the sensors"):
        session.begin(GoalPicture(sensors={"top": np.zeros((3, 4, 4), np.uint8)}), {"state": np.float32([1, 1])})
