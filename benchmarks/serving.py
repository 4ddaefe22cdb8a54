"""A trained TwoRoom run behind a server: closed loops over WebSocket with environments in other processes.

    python benchmarks/serving.py --keep DIR [--episodes 200] [--seed 0]
        [--only loop,sessions,overload,killed,memory,mcp]

DIR as of planning.py. The server is `monde serve`, on one core; environments run in processes of their own, on the
other where there are two. A decision is one answer: an observation goes in, a block of five control steps comes out,
and the environment carries it out before it asks again.

    loop      decisions a second of one robot, time of a decision as its client measures it (from asking to having the
              answer); success on n episodes beside the same episodes in one process.
    sessions  eight robots at once: decisions a second of the slowest, time of a decision over all.
    overload  four times as many robots as that: 32, of which every one asks again as soon as it is refused or answered;
              the accepted answers' time beside that of eight, and the share refused.
    killed    the server is killed in mid-episode and started again: the client goes on and reaches its goal.
    memory    the server's anonymous memory after 10,000 decisions beside that after 1,000.
    mcp       100 times three courses compared over MCP by the SDK's own client (cases as of reasoning.py).
"""

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from common import options, write
from monde.agents import PlanningAgent, run_episodes
from monde.client import Server, Session, run_episode
from monde.errors import ServingError
from monde.evaluation.starts import draw_starts
from monde.evaluation.statistics import wilson
from monde.mind import Mind
from monde.scorecard import Row
from monde.worlds import make
from planning import prepare
from reasoning_cases import Compared, compared, scenes
from serving_robots import (
    BLOCK,
    BUDGET,
    CLIENT_CORES,
    FIRST_SEED,
    SERVER_CORES,
    TOKEN,
    TwoRoomBody,
    flood,
    play,
)

SESSIONS, OVERLOAD = 8, 4
DECISIONS, SETTLED = 10_000, 1_000
DEADLINE_SECONDS = 2.0
"""Of the server: late answers are to be timed, not replaced."""


def main() -> None:
    """Serve, play, write."""
    parser = options(__doc__)
    parser.add_argument("--keep", type=Path, required=True, help="folder of recordings and runs")
    parser.add_argument("--episodes", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=20.0, help="of the loads")
    parser.add_argument("--cases", type=int, default=100, help="of comparisons over MCP")
    parser.add_argument("--only", default="loop,sessions,overload,killed,memory,mcp")
    given = parser.parse_args()
    torch.set_num_threads(1)
    run = prepare("tworoom", given.seed, given.keep)
    Mind(run, device="cpu")  # what the run is asked for the first time is learned now, not while it is timed
    wanted, rows = given.only.split(","), []
    for name, measure in MEASURES.items():
        if name in wanted:
            rows += measure(run, given)
    protocol = {
        "world": "tworoom",
        "budget_steps": BUDGET,
        "block": BLOCK,
        "sessions": SESSIONS,
        "overload": OVERLOAD,
        "deadline_seconds": DEADLINE_SECONDS,
        "cores_of_the_server": sorted(SERVER_CORES),
        "cores_of_the_clients": sorted(CLIENT_CORES),
        "decision": "observation sent to block received, measured by the client",
    }
    write("serving", rows, protocol, (given.seed,), given.out)


def loop_rows(run: Path, given: argparse.Namespace) -> list[Row]:
    """One robot, and the same episodes in one process."""
    seeds, _ = draw_starts(lambda batch: make("tworoom", batch), given.episodes, given.seed, 50)
    with server(run) as url:
        (played,) = play(url, [list(seeds)])
    inside = in_process(run, seeds, given.seed)
    n, reached = len(seeds), sum(played.success)
    seconds = np.array(played.seconds)
    note = f"one robot, n decisions of {n} episodes; {played.safe} answers were the safe action"
    return [
        Row(metric="closed_loop_hz", value=played.hz, unit="Hz", n=len(seconds), note=note),
        Row(metric="step_seconds_p50", value=float(np.quantile(seconds, 0.5)), unit="s", n=len(seconds), note=note),
        Row(metric="step_seconds_p99", value=float(np.quantile(seconds, 0.99)), unit="s", n=len(seconds), note=note),
        Row(
            metric="success",
            value=reached / n,
            interval=wilson(reached, n),
            n=n,
            floors={"in_process": inside},
            note="over the network; beside it the same episodes in one process",
        ),
        Row(
            metric="success_difference_points",
            value=100 * (reached / n - inside),
            unit="points",
            n=n,
            note="over the network less in one process",
        ),
    ]


def session_rows(run: Path, given: argparse.Namespace) -> list[Row]:
    """Eight robots at once."""
    with server(run) as url:
        played = play(url, [[]] * SESSIONS, given.seconds, first_seed=given.seed)
    seconds = np.concatenate([each.seconds for each in played])
    note = f"{SESSIONS} robots for {given.seconds:g} s; {sum(each.safe for each in played)} answers were safe"
    return [
        Row(metric="sessions8_min_hz", value=min(each.hz for each in played), unit="Hz", n=SESSIONS, note=note),
        Row(
            metric="sessions8_p99_seconds", value=float(np.quantile(seconds, 0.99)), unit="s", n=len(seconds), note=note
        ),
    ]


def overload_rows(run: Path, given: argparse.Namespace) -> list[Row]:
    """As many robots as the server was made for, and four times as many."""
    found = {}
    for robots in (SESSIONS, OVERLOAD * SESSIONS):
        with server(run, "--sessions", str(OVERLOAD * SESSIONS)) as url:
            found[robots] = flood(url, robots, given.seconds)
    (baseline, _), (accepted, refused) = found[SESSIONS], found[OVERLOAD * SESSIONS]
    usual, loaded = float(np.quantile(baseline, 0.99)), float(np.quantile(accepted, 0.99))
    note = f"{OVERLOAD * SESSIONS} robots that ask again at once, beside {SESSIONS}, {given.seconds:g} s each"
    return [
        Row(
            metric="overload_p99_ratio",
            value=loaded / usual,
            unit="1",
            n=len(accepted),
            note=f"{note}; accepted answers: {loaded:.4f} s and {usual:.4f} s",
        ),
        Row(
            metric="overload_refused",
            value=refused / (refused + len(accepted)),
            n=refused + len(accepted),
            note=f"{note}; refused with 429 or 503",
        ),
    ]


def killed_rows(run: Path, given: argparse.Namespace) -> list[Row]:
    """Kill the server after ten control steps of an episode, start another on its port: the client finishes."""
    tries, reached, renewed = 10, 0, 0
    for number in range(tries):
        process, url = start(run)
        try:
            body = TwoRoomBody()
            goal = body.begin(FIRST_SEED + number)
            with Session(url, TOKEN, patient=True, deadline_seconds=5.0) as session:

                def kill(step: int, url: str = url) -> None:
                    nonlocal process
                    if step == 2 * BLOCK:
                        process.send_signal(signal.SIGKILL)
                        process.wait()
                        process, _ = start(run, "--port", url.rpartition(":")[2])

                body.at_step = kill
                reached += run_episode(session, body, goal, steps=BUDGET).ended
                renewed += session.reconnections
        finally:
            end(process)
    note = f"killed after {2 * BLOCK} control steps and started again; {renewed} reconnections"
    return [
        Row(metric="killed_finished", value=reached / tries, interval=wilson(reached, tries), n=tries, note=note),
    ]


def memory_rows(run: Path, given: argparse.Namespace) -> list[Row]:
    """Anonymous memory of the server over many decisions."""
    process, url = start(run)
    try:
        (settling,) = play(url, [[]], decisions=SETTLED)
        before = anonymous_of(process.pid)
        (played,) = play(url, [[]], decisions=DECISIONS)
        after = anonymous_of(process.pid)
    finally:
        end(process)
    note = f"after {DECISIONS:,} decisions, over what it was after {len(settling.seconds):,}: {before:,} bytes"
    return [Row(metric="memory_growth_bytes", value=after - before, unit="bytes", n=len(played.seconds), note=note)]


def mcp_rows(run: Path, given: argparse.Namespace) -> list[Row]:
    """Three courses ranked over MCP, by the SDK's own client over standard input and output."""
    pool = scenes(FIRST_SEED + 100_000 * given.seed)
    cases = list(islice(compared(pool, np.random.default_rng(given.seed)), given.cases))
    right, best = asyncio.run(ask_over_mcp(run, pool.start_frames, pool.goal_frames, cases))
    n = len(cases)
    note = "three courses of five blocks whose ends differ by 2 control steps or more; "
    return [
        Row(metric="mcp_compare", value=right / n, interval=wilson(right, n), n=n, note=note + "the whole order"),
        Row(
            metric="mcp_compare_best", value=best / n, interval=wilson(best, n), n=n, note=note + "the best named first"
        ),
    ]


async def ask_over_mcp(run: Path, starts: np.ndarray, goals: np.ndarray, cases: Sequence[Compared]) -> tuple[int, int]:
    """Whole orders and best courses that are right."""
    from mcp import Client, StdioServerParameters

    command = [sys.executable, "-m", "monde", "mcp", str(run), "--device", "cpu", "--quiet"]
    right = best = 0
    async with Client(StdioServerParameters(command=command[0], args=command[1:], env=dict(os.environ))) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        if not {"perceive", "compare"} <= names:
            raise RuntimeError(f"the server lacks tools: {sorted(names)}")
        for case in cases:
            seen: dict[str, object] = {"observed": {"sensors": {"top": {"pngs": [png(starts[case.scene])]}}}}
            belief = (await called(client, "perceive", seen))["belief"]
            courses = [{"name": str(n), "controls": course.tolist()} for n, course in enumerate(case.courses)]
            goal = {"type": "GoalPicture", "sensors": {"top": {"png": png(goals[case.scene])}}}
            answer = await called(client, "compare", {"belief": belief, "courses": courses, "goal": goal})
            outcomes = answer["outcomes"]
            if not isinstance(outcomes, list):
                raise RuntimeError("no outcomes")
            order = [int(outcome["course"]) for outcome in outcomes]
            right += order == np.argsort(case.left).tolist()
            best += order[0] == int(np.argmin(case.left))
    return right, best


async def called(client: "object", tool: str, arguments: dict[str, object]) -> dict[str, object]:
    """The structured answer of one tool."""
    result = await client.call_tool(tool, arguments)  # type: ignore[attr-defined]
    if result.is_error or not isinstance(result.structured_content, dict):
        raise RuntimeError(f"{tool}: {result.content}")
    return result.structured_content


def png(frame: np.ndarray) -> str:
    """A picture as a language model's host would send it."""
    import base64
    import io

    from PIL import Image

    held = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(frame.transpose(1, 2, 0))).save(held, "PNG")
    return base64.b64encode(held.getvalue()).decode()


MEASURES: dict[str, Callable[[Path, argparse.Namespace], list[Row]]] = {
    "loop": loop_rows,
    "sessions": session_rows,
    "overload": overload_rows,
    "killed": killed_rows,
    "memory": memory_rows,
    "mcp": mcp_rows,
}


def in_process(run: Path, seeds: Sequence[int], seed: int) -> float:
    """Success of the same episodes in one process, one after the other, with the model and strategy that is served."""
    held = Mind(run, device="cpu").faculties
    world, agent = make("tworoom", 1), PlanningAgent(held.model, held.strategy, seed=seed)
    return float(np.mean([run_episodes(world, agent, [each], BUDGET).success[0] for each in seeds]))


@contextmanager
def server(run: Path, *words: str) -> Iterator[str]:
    """`monde serve` of a run, ready; its address."""
    process, url = start(run, *words)
    try:
        yield url
    finally:
        end(process)


def start(run: Path, *words: str) -> "tuple[subprocess.Popen[str], str]":
    """A server's process, once it is ready, and its address."""
    port = () if "--port" in words else ("--port", "0")
    command = [
        sys.executable,
        "-m",
        "monde",
        "serve",
        str(run),
        "--device",
        "cpu",
        "--deadline",
        str(DEADLINE_SECONDS),
        *port,
        *words,
    ]
    log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - it lives as long as the process
    process = subprocess.Popen(
        command,
        env=os.environ | {"MONDE_TOKEN": TOKEN, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=log,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, SERVER_CORES),
    )
    until = time.monotonic() + 300
    while time.monotonic() < until and process.poll() is None:
        log.seek(0)
        found = [word.rstrip(";") for word in log.read().split() if word.startswith("http://")]
        if found and Server(found[0], TOKEN, 5.0).ready():
            return process, found[0]
        time.sleep(0.05)
    end(process)
    log.seek(0)
    raise RuntimeError(f"the server did not become ready: {log.read()[-2000:]}")


def end(process: "subprocess.Popen[str]") -> None:
    """Ask a server to end, and wait for it."""
    process.terminate()
    process.wait(60)


def anonymous_of(pid: int) -> int:
    """Anonymous memory of a process, in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise ServingError("the process does not tell its memory", got=json.dumps(pid))


if __name__ == "__main__":
    main()
