"""A mind over HTTP and MCP answers as in its own process; words name nothing but its own recording."""

import asyncio
import base64
import io
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from PIL import Image

from monde.client import GoalFrame, GoalPicture, Session
from monde.client import Server as Remote
from monde.data import open_recording
from monde.errors import ServingError
from monde.mind import (
    VERBS,
    CompareAnswer,
    CompareRequest,
    Course,
    GoalReadout,
    Mind,
    Observed,
    PerceiveAnswer,
    PerceiveRequest,
    PlanRequest,
    SurpriseRequest,
    spoken,
)
from monde.serving import ServeConfig, Server, open_desk
from monde.serving.mcp import make_server
from tests.serving.served import TOKEN, served


@pytest.fixture(scope="module")
def server(run: Path, mind: Mind) -> Iterator[Server]:
    config = ServeConfig(token=TOKEN, port=0, deadline_seconds=30.0, stale_seconds=60.0)
    with served(open_desk(run, config, device="cpu")) as held:
        yield held


@pytest.fixture(scope="module")
def frames(mind: Mind) -> np.ndarray:
    recording = open_recording(Path(str(mind.faculties.data)))
    return recording.read(0, 0, 21, ["top"]).stream("top").values[0].numpy()


COURSES = tuple(
    Course(name=name, controls=np.tile(np.float32([step]), (10, 1)))
    for name, step in (("left", (-1.0, 0.0)), ("right", (1.0, 0.0)), ("wait", (0.0, 0.0)))
)


def test_verbs_over_http(server: Server, mind: Mind, frames: np.ndarray) -> None:
    remote = Remote(server.url, TOKEN)
    seen = Observed(sensors={"top": frames[:1]})
    there = remote.ask("perceive", PerceiveRequest(observed=seen))
    assert isinstance(there, PerceiveAnswer)
    here = mind.perceive(PerceiveRequest(observed=seen))
    goal = GoalPicture(sensors={"top": frames[20]})
    answers = [
        asked(CompareRequest(belief=belief, courses=COURSES, goal=goal))
        for asked, belief in ((lambda r: remote.ask("compare", r), there.belief), (mind.compare, here.belief))
    ]
    first, second = answers
    assert isinstance(first, CompareAnswer)
    assert isinstance(second, CompareAnswer)
    assert [each.course for each in first.outcomes] == [each.course for each in second.outcomes]
    np.testing.assert_allclose([o.cost for o in first.outcomes], [o.cost for o in second.outcomes], rtol=1e-4)


def test_what_is_wrong_with_a_question_is_said(server: Server, frames: np.ndarray) -> None:
    remote = Remote(server.url, TOKEN)
    with pytest.raises(ServingError, match="belief") as error:
        remote.ask(
            "plan",
            {
                "belief": {"type": "BeliefHandle", "id": "nothing", "time_seconds": 0.0},
                "goal": {"type": "GoalFrame", "episode": 0, "frame": 1},
            },
        )
    assert error.value.status == 422
    with pytest.raises(ServingError, match="plan"):
        remote.ask("plan", {"belief": 3})
    with pytest.raises(ServingError, match="no such verb"):
        remote.ask("dream", {})
    belief = remote.ask("perceive", PerceiveRequest(observed=Observed(sensors={"top": frames[:1]})))
    assert isinstance(belief, PerceiveAnswer)
    with pytest.raises(ServingError, match="no state called"):
        remote.ask("plan", PlanRequest(belief=belief.belief, goal=GoalReadout(text="nothing=1±1")))


def test_control_with_goals_of_every_kind(server: Server, frames: np.ndarray) -> None:
    with Session(server.url, TOKEN) as session:
        for goal in (
            GoalPicture(sensors={"top": frames[20]}),
            GoalFrame(episode=0, frame=-1),
            GoalReadout(text="state.x>20,state.y>20"),
        ):
            answer = session.begin(goal, {"top": frames[0]})
            assert not answer.safe, goal
            assert session.act({"top": frames[5]}, answer.controls[:5]).controls.shape == (5, 2)
        with pytest.raises(ServingError, match="does not exist"):
            session.begin(GoalFrame(episode=999, frame=0), {"top": frames[0]})


def test_pictures_of_other_sizes_are_brought_to_the_models(server: Server, frames: np.ndarray) -> None:
    large = np.repeat(np.repeat(frames[0], 2, 1), 3, 2)
    with Session(server.url, TOKEN) as session:
        assert session.begin(GoalPicture(sensors={"top": frames[20]}), {"top": large}).resized == ("top",)
        with pytest.raises(ServingError, match="another shape"):
            session.begin(GoalPicture(sensors={"top": frames[20]}), {"top": frames[0][:1]})


def test_a_goal_out_of_distribution_is_said(server: Server, frames: np.ndarray) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (3, 64, 64), dtype=np.uint8)
    with Session(server.url, TOKEN) as session:
        warning = session.begin(GoalPicture(sensors={"top": noise}), {"top": frames[0]}).warning
        assert warning is not None
        assert warning.startswith("out of distribution: the goal's picture")
        assert session.begin(GoalPicture(sensors={"top": frames[20]}), {"top": frames[0]}).warning is None


def test_a_robot_abstains_where_that_is_asked(run: Path, frames: np.ndarray) -> None:
    config = ServeConfig(token=TOKEN, port=0, deadline_seconds=30.0, stale_seconds=60.0, abstain=True)
    noise = np.random.default_rng(0).integers(0, 255, (3, 64, 64), dtype=np.uint8)
    with served(open_desk(run, config, device="cpu")) as held, Session(held.url, TOKEN) as session:
        answer = session.begin(GoalPicture(sensors={"top": noise}), {"top": frames[0]})
        assert answer.safe
        assert (answer.reason or "").startswith("given up: out of distribution")
        assert session.act({"top": frames[0]}, answer.controls).safe
        assert not session.begin(GoalPicture(sensors={"top": frames[20]}), {"top": frames[0]}).safe


def png(frame: np.ndarray) -> str:
    held = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(frame.transpose(1, 2, 0))).save(held, "PNG")
    return base64.b64encode(held.getvalue()).decode()


async def think(client: Client, mind: Mind, frames: np.ndarray) -> None:
    """A clip is perceived, three courses are compared, and one is looked at."""
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert set(tools) == {"about", *VERBS}
    assert "What if?" in (tools["imagine"].description or "")
    about = (await client.call_tool("about", {})).structured_content
    assert about is not None
    assert (about["actions"]["control_steps_in_a_block"], about["readouts"]) == (5, ["state"])
    seen = {"sensors": {"top": {"pngs": [png(frame) for frame in frames[:11:5]]}}, "controls": [[0.5, 0.5]] * 10}
    perceived = (await client.call_tool("perceive", {"observed": seen})).structured_content
    assert perceived is not None
    courses = [{"name": each.name, "controls": each.controls.tolist()} for each in COURSES]
    goal = {"type": "GoalPicture", "sensors": {"top": {"png": png(frames[20])}}}
    asked = {"belief": perceived["belief"], "courses": courses, "goal": goal}
    compared = (await client.call_tool("compare", asked)).structured_content
    assert compared is not None
    shown = Observed(sensors={"top": frames[:11:5]}, controls=np.full((10, 2), 0.5, np.float32))
    belief = mind.perceive(PerceiveRequest(observed=shown)).belief
    wanted = GoalPicture(sensors={"top": frames[20]})
    expected = mind.compare(CompareRequest(belief=belief, courses=COURSES, goal=wanted))
    assert [each["course"] for each in compared["outcomes"]] == [each.course for each in expected.outcomes]
    words = {"belief": perceived["belief"]["id"], "courses": ["right=1,0*10"], "frames": True, "readouts": ["*"]}
    imagined = await client.call_tool("imagine", words)
    kinds = [part.type for part in imagined.content]
    assert kinds == ["text", "image", "image"]  # two blocks
    assert imagined.structured_content is not None
    assert imagined.structured_content["futures"][0]["frames"] == "images 1 to 2: moments 0, 1 of 2"
    assert len(imagined.structured_content["futures"][0]["readings"][0]["values"]) == 2
    with Image.open(io.BytesIO(base64.b64decode(imagined.content[1].data))) as picture:  # type: ignore[union-attr]
        assert picture.size == (64, 64)
    spoken_surprise = await client.call_tool("surprise", {"observed": "0:0-20", "grid": 0})
    assert spoken_surprise.structured_content is not None
    assert len(spoken_surprise.structured_content["curve"]) == 5


REFUSED = [
    ("plan", {"belief": "b", "goal": "/etc/passwd"}, "never opened"),
    ("plan", {"belief": "b", "goal": "http://127.0.0.1/goal.png"}, "never opened"),
    ("plan", {"belief": "b", "goal": "file:///etc/passwd"}, "never opened"),
    ("perceive", {"observed": "/etc/passwd"}, "never opened"),
    ("perceive", {"observed": {"sensors": {"top": {"png": "no base64!"}}}}, "cannot be read"),
    ("perceive", {"observed": {"sensors": {"top": {"png": base64.b64encode(b"GIF89a").decode()}}}}, "cannot be read"),
    ("perceive", {"observed": {"sensors": {"top": {"dtype": "uint8", "shape": [2**31], "base64": "AAAA"}}}}, "shape"),
    ("imagine", {"belief": "b", "courses": ["right=1,0*10"]}, "b"),
    ("imagine", {"belief": "b", "courses": ["right=1,0,3*10"]}, "does not fit the actions"),
    ("dream", {}, "no such tool"),
]


async def misuse(client: Client) -> None:
    for tool, arguments, says in REFUSED:
        result = await client.call_tool(tool, arguments)
        assert result.is_error, (tool, arguments)
        assert says in result.content[0].text, (tool, arguments)  # type: ignore[union-attr]


def test_tools_in_one_process(mind: Mind, frames: np.ndarray) -> None:
    async def run() -> None:
        async with Client(make_server(mind)) as client:
            await think(client, mind, frames)
            await misuse(client)

    asyncio.run(run())


def test_tools_over_standard_input_and_output(run: Path, mind: Mind, frames: np.ndarray) -> None:
    words = ["-m", "monde", "mcp", str(run), "--device", "cpu"]
    command = StdioServerParameters(command=sys.executable, args=words, env=dict(os.environ))

    async def ask() -> None:
        async with Client(command) as client:
            await think(client, mind, frames)

    asyncio.run(ask())


def test_tools_over_http_need_the_token(mind: Mind, frames: np.ndarray) -> None:
    import httpx2
    import uvicorn

    from monde.serving.mcp import http_app

    server = uvicorn.Server(uvicorn.Config(http_app(mind, TOKEN), port=0, log_config=None, log_level="info"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
    url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/mcp"

    async def ask() -> None:
        async with httpx2.AsyncClient() as plain:
            assert (await plain.post(url, json={})).status_code == 401
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=60) as known,
            Client(streamable_http_client(url, http_client=known)) as client,
        ):
            await think(client, mind, frames)

    try:
        asyncio.run(ask())
    finally:
        server.should_exit = True
        thread.join(30)


def test_words_say_what_requests_say(mind: Mind) -> None:
    from monde.serving.tools import read_arguments

    recording = mind.faculties.recording()
    by_words = read_arguments("surprise", {"observed": "1:0-10"}, mind)
    plainly = SurpriseRequest(observed=spoken.observed("1:0-10", mind.faculties.model, recording))
    assert isinstance(by_words, SurpriseRequest)
    assert replace(by_words, observed=plainly.observed) == plainly
    np.testing.assert_array_equal(by_words.observed.controls, plainly.observed.controls)
