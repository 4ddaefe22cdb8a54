"""Control sessions over real sockets: plans, beliefs of one's own, stop, watchdog, what is stale or superseded."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor
from websockets.sync.client import ClientConnection, connect

from analytic import AnalyticModel
from monde.agents import Strategy
from monde.client import Server as Remote
from monde.client import Session
from monde.costs import LatentDistance
from monde.errors import MondeError, ServingError
from monde.limits import BUSY_SECONDS
from monde.serving import Server
from monde.serving.pilot import Choice, Pilot, Request
from monde.serving.sensing import Sample
from monde.types import Belief, Clip, LatentGoal, PictureGoal, Rollout
from monde.wire import Act, Begin, Hello, Message, Observe, Refused, Stop, Stopped, Welcome, decode, encode

from .served import PLANNER, TOKEN, at, desk, goal, served


@contextmanager
def line(server: Server) -> Iterator[ClientConnection]:
    """A connection of its own, for what the client would never do."""
    url, headers = server.url.replace("http", "ws") + "/v1/control", {"Authorization": f"Bearer {TOKEN}"}
    with connect(url, additional_headers=headers, compression=None) as socket:
        yield socket


def say(socket: ClientConnection, message: Message) -> None:
    socket.send(encode(message))


def hear(socket: ClientConnection) -> Message:
    return decode(socket.recv(timeout=60))


def greeted(socket: ClientConnection) -> Welcome:
    say(socket, Hello())
    welcome = hear(socket)
    assert isinstance(welcome, Welcome)
    return welcome


def walk(place: np.ndarray, controls: np.ndarray) -> np.ndarray:
    """The analytic model's world."""
    return np.clip(place + 2 * controls.sum(0), 5.5, 58.5)


def test_a_goal_is_reached(server: Server) -> None:
    place = np.array([10.0, 10.0])
    with Session(server.url, TOKEN) as session:
        assert [sensor["name"] for sensor in session.sensors] == ["state"]
        assert (session.actions.block, session.actions.dt_seconds, session.safe.tolist()) == (5, 0.1, [0.0, 0.0])
        answer = session.begin(goal(40, 20), at(*place))
        for _ in range(8):
            assert not answer.safe
            assert answer.controls.shape == (15, 2)
            taken = answer.controls[:5]
            place = walk(place, taken)
            answer = session.act(at(*place), taken)
    assert np.hypot(*(place - [40, 20])) < 3


def test_sessions_do_not_mix(server: Server) -> None:
    """Eight robots at once, each with a start and a goal of its own: every one arrives at its own."""
    goals = [(12.0 + 5 * n, 50.0 - 5 * n) for n in range(8)]
    ends: dict[int, np.ndarray] = {}

    def pursue(n: int) -> None:
        place = np.array([32.0, 32.0])
        with Session(server.url, TOKEN) as session:
            answer = session.begin(goal(*goals[n]), at(*place))
            for _ in range(8):
                place = walk(place, answer.controls[:5])
                answer = session.act(at(*place), answer.controls[:5])
        ends[n] = place

    threads = [threading.Thread(target=pursue, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(ends) == 8
    assert max(np.hypot(*(ends[n] - goals[n])) for n in range(8)) < 3


def _request(place: tuple[float, float], wanted: tuple[float, float]) -> Request:
    return Request(sample=Sample(at(*place), 0.0), goal=LatentGoal(torch.tensor([[wanted]])))


def test_a_decision_does_not_depend_on_who_else_is_decided_for() -> None:
    wanted = [_request((10.0, 10.0 + n), (50.0, 12.0 * n)) for n in range(4)]
    # Noise is drawn anew at every decision; a pilot of the same seed draws the same.
    together = Pilot(AnalyticModel(), Strategy(PLANNER, LatentDistance()), seed=3).decide(wanted)
    for n, request in enumerate(wanted):
        (alone,) = Pilot(AnalyticModel(), Strategy(PLANNER, LatentDistance()), seed=3).decide([request])
        np.testing.assert_allclose(alone.controls, together[n].controls, atol=1e-5)
        assert torch.equal(alone.pursuit.belief.newest, together[n].pursuit.belief.newest)


def test_who_begins_is_decided_for_together_with_who_goes_on() -> None:
    """Pictures of goals are encoded at once, and what has no plan yet shares the search of what has one."""

    def begins(pilot: Pilot, n: int) -> Request:
        wanted = PictureGoal(pilot.clip([Sample(at(50.0, 12.0 * n), 0.0)]))
        return Request(sample=Sample(at(10.0, 10.0 + n), 0.0), goal=wanted)

    def after_one(rows: list[int]) -> list[Choice]:
        """What a fresh pilot decides second, of rows of which 0 has begun with its first decision."""
        pilot = Pilot(AnalyticModel(), Strategy(PLANNER, LatentDistance()), seed=3)
        (first,) = chosen(pilot.decide([begins(pilot, 0)]))
        went = Request(sample=Sample(at(12.0, 10.0), 0.5), taken=first.controls[:5], pursuit=first.pursuit)
        return chosen(pilot.decide([went if n == 0 else begins(pilot, n) for n in rows]))

    together = after_one([1, 0, 2])
    for n, choice in zip([1, 0, 2], together, strict=True):
        (alone,) = after_one([n])
        np.testing.assert_allclose(alone.controls, choice.controls, atol=1e-5)
        assert torch.equal(alone.pursuit.goal.latents, choice.pursuit.goal.latents)
        assert choice.pursuit.goal.latents.tolist() == [[[50.0, 12.0 * n]]]


def chosen(found: list[Choice | MondeError]) -> list[Choice]:
    assert all(isinstance(each, Choice) for each in found), found
    return [each for each in found if isinstance(each, Choice)]


def test_one_that_cannot_be_decided_for_does_not_touch_the_others() -> None:
    strange = replace(_request((1.0, 1.0), (2.0, 2.0)), goal=None)
    pilot = Pilot(AnalyticModel(), Strategy(PLANNER, LatentDistance()))
    first, second, third = pilot.decide([_request((1.0, 1.0), (2.0, 2.0)), strange, _request((3.0, 3.0), (2.0, 2.0))])
    assert first.controls is not None
    assert third.controls is not None
    assert "nothing to plan for" in str(second)


class Gated(AnalyticModel):
    """Imagines only while its gate is open: planning takes as long as a test wants."""

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.entered = threading.Event(), threading.Event()
        self.gate.set()
        self.seen: list[list[float]] = []

    def begin(self, clip: Clip) -> Belief:
        self.seen.append(clip.stream("state").values[0, 0].tolist())
        return super().begin(clip)

    def imagine(self, belief: Belief, actions: Tensor, hypotheses: int = 1, beliefs: bool = False) -> Rollout:
        self.entered.set()
        assert self.gate.wait(60)
        return super().imagine(belief, actions, hypotheses, beliefs)

    def shut(self) -> None:
        self.gate.clear()
        self.entered.clear()


def gated() -> tuple[Gated, Pilot]:
    model = Gated()
    return model, Pilot(model, Strategy(PLANNER, LatentDistance()))


def test_a_stop_gets_through_while_planning() -> None:
    model, pilot = gated()
    with served(desk(pilot)) as server, line(server) as socket:
        greeted(socket)
        model.shut()
        say(socket, Begin(seq=1, goal=document(goal(40, 40)), observation=at(10, 10)))
        assert model.entered.wait(60)
        say(socket, Stop())
        stopped = hear(socket)  # while the plan is still being made
        assert isinstance(stopped, Stopped)
        assert stopped.safe.tolist() == [0.0, 0.0]
        model.gate.set()
        answer = hear(socket)
        assert isinstance(answer, Act)
        assert (answer.safe, answer.reason) == (True, "stopped: stopped by its client")
        assert not answer.controls.any()
        taken = np.zeros((5, 2), np.float32)
        say(socket, Observe(seq=2, observation=at(10, 10), taken=taken))
        assert hear(socket).safe is True  # type: ignore[union-attr]
        say(socket, Begin(seq=3, goal=document(goal(40, 40)), observation=at(10, 10)))
        assert hear(socket).safe is False  # type: ignore[union-attr]


def test_an_operators_stop_holds_until_it_is_taken_back(server: Server) -> None:
    remote = Remote(server.url, TOKEN)
    with Session(server.url, TOKEN) as session:
        assert not session.begin(goal(40, 40), at(10, 10)).safe
        remote.stop()
        try:
            answer = session.act(at(10, 10), np.zeros((5, 2), np.float32))
            assert answer.safe
            assert "stopped by an operator" in (answer.reason or "")
            assert session.begin(goal(40, 40), at(10, 10)).safe
        finally:
            remote.go()
        assert not session.begin(goal(40, 40), at(10, 10)).safe


def test_the_watchdog_answers_when_the_plan_is_late() -> None:
    model, pilot = gated()
    safe = (0.25, -0.5)
    with served(desk(pilot, safe=safe)) as server, line(server) as socket:
        greeted(socket)
        model.shut()
        say(socket, Begin(seq=1, goal=document(goal(40, 40)), observation=at(10, 10), deadline_seconds=0.1))
        late = hear(socket)
        assert isinstance(late, Act)
        assert (late.safe, late.reason) == (True, "late: no plan within the deadline")
        np.testing.assert_array_equal(late.controls, np.tile(np.float32(safe), (5, 1)))
        model.gate.set()
        taken = late.controls
        say(socket, Observe(seq=2, observation=at(12, 5), taken=taken))
        answer = hear(socket)
        assert isinstance(answer, Act)
        assert (answer.seq, answer.safe) == (2, False)


def test_superseded_observations_are_not_planned_for_but_known() -> None:
    model, pilot = gated()
    taken = np.zeros((5, 2), np.float32)
    with served(desk(pilot)) as server, line(server) as socket:
        greeted(socket)
        say(socket, Begin(seq=1, goal=document(goal(40, 40)), observation=at(10, 10)))
        hear(socket)
        model.shut()
        model.seen.clear()
        for n in range(3):
            say(socket, Observe(seq=2 + n, observation=at(20 + n, 10), taken=taken))
            if n == 0:
                assert model.entered.wait(60)
        refused = hear(socket)
        assert isinstance(refused, Refused)
        assert (refused.seq, refused.status, refused.what) == (3, 409, "a newer observation has come")
        model.gate.set()
        answers = [hear(socket), hear(socket)]
        assert [answer.seq for answer in answers] == [2, 4]  # type: ignore[union-attr]
        assert model.seen == [[20.0, 10.0], [21.0, 10.0], [22.0, 10.0]]


def test_a_stale_observation_is_not_acted_on(server: Server) -> None:
    with Session(server.url, TOKEN) as session:
        session.begin(goal(40, 40), at(10, 10))
        answer = session.act(at(10, 10), np.zeros((5, 2), np.float32), age_seconds=60.0)
        assert answer.safe
        assert answer.reason == "stale: the observation was 60 s old when it was sent"


def test_what_was_no_whole_block_begins_the_belief_anew(server: Server) -> None:
    with Session(server.url, TOKEN) as session:
        session.begin(goal(40, 40), at(10, 10))
        assert session.act(at(10, 10), np.zeros((3, 2), np.float32)).restarted
        assert not session.act(at(10, 10), np.zeros((5, 2), np.float32)).restarted


def test_busy_is_said_while_others_wait() -> None:
    """One decision is made and eight wait; the tenth robot is told so a little later, and the others are served."""
    model, pilot = gated()
    with served(desk(pilot)) as server, ExitStack() as stack:
        sockets = [stack.enter_context(line(server)) for _ in range(10)]
        for socket in sockets:
            greeted(socket)
        model.shut()
        asked = 0.0
        for n, socket in enumerate(sockets):
            asked = time.monotonic()
            say(socket, Begin(seq=1, goal=document(goal(40, 40)), observation=at(10, 10)))
            if n == 0:
                assert model.entered.wait(60)
            else:
                wait_for(lambda n=n: waiting(server) >= min(n, 8))
        refused = hear(sockets[-1])
        assert time.monotonic() - asked >= BUSY_SECONDS
        assert isinstance(refused, Refused)
        assert (refused.status, refused.what) == (503, "the server is busy")
        model.gate.set()
        assert all(isinstance(hear(socket), Act) for socket in sockets[:-1])


def waiting(server: Server) -> int:
    return len(server.desk.deciders._waiting)


def wait_for(holds: object) -> None:
    until = time.monotonic() + 60
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < until
        time.sleep(0.005)


def test_more_robots_than_there_may_be() -> None:
    with served(desk(sessions=1)) as server, Session(server.url, TOKEN) as first:
        first.begin(goal(40, 40), at(10, 10))
        with line(server) as second:
            say(second, Hello())
            refused = hear(second)
            assert isinstance(refused, Refused)
            assert (refused.status, refused.got) == (503, "1 sessions")


def test_a_session_outlives_its_connection(server: Server) -> None:
    with line(server) as socket:
        name = greeted(socket).session
        say(socket, Begin(seq=1, goal=document(goal(40, 40)), observation=at(10, 10)))
        assert isinstance(hear(socket), Act)
    with line(server) as socket:
        say(socket, Hello(session=name))
        welcome = hear(socket)
        assert isinstance(welcome, Welcome)
        assert (welcome.session, welcome.resumed) == (name, True)
        say(socket, Observe(seq=2, observation=at(11, 10), taken=np.zeros((5, 2), np.float32)))
        assert hear(socket).safe is False  # type: ignore[union-attr]


def test_a_silent_session_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("sessions", "desk"):
        monkeypatch.setattr(f"monde.serving.{module}.MAX_SESSION_IDLE_SECONDS", 0.2)
    with served(desk()) as server, line(server) as socket:
        greeted(socket)
        assert "silent" in hear(socket).reason  # type: ignore[union-attr]
        wait_for(lambda: len(server.desk.sessions) == 0)


def test_robots_are_told_that_the_server_goes() -> None:
    with served(desk()) as server, line(server) as socket:
        greeted(socket)
        server.should_exit = True
        assert hear(socket).reason == "the server is shutting down"  # type: ignore[union-attr]


def test_other_peoples_tokens_are_refused(server: Server) -> None:
    with pytest.raises(ServingError, match="no or wrong token") as error:
        Session(server.url, TOKEN + "x")
    assert error.value.status == 401


def document(value: object) -> dict[str, object]:
    from monde.store.typed import to_json

    found = to_json(value, binary=True)
    assert isinstance(found, dict)
    return found
