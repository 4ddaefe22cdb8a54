"""Robots that ask a server: each in a process of its own, or many threads that only ask."""

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

import numpy as np
import torch

from monde.client import Done, GoalPicture, Seen, Session, run_episode
from monde.worlds import make

TOKEN = "benchmarks-token-of-this-machine"
BUDGET, BLOCK = 100, 5
FIRST_SEED = 9_000_000
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORES, CLIENT_CORES = {CORES[0]}, set(CORES[1:]) or {CORES[0]}


@dataclass(frozen=True)
class Played:
    """What one client saw: successes, seconds of each decision, when it began and ended, how many answers were safe."""

    success: list[bool]
    seconds: list[float]
    began: float
    ended: float
    safe: int
    reconnections: int

    @property
    def hz(self) -> float:
        """Decisions a second."""
        return len(self.seconds) / (self.ended - self.began)


class TwoRoomBody:
    """TwoRoom as a body; the world is the environment, in this process."""

    def __init__(self) -> None:
        self.world = make("tworoom", 1)
        self.steps = 0
        self.at_step: Callable[[int], None] = lambda step: None

    def begin(self, seed: int) -> GoalPicture:
        """Start an episode; its goal."""
        self.seen, self.steps = self.world.reset([seed]), 0
        goal = self.world.goal()
        if goal is None:
            raise RuntimeError("tworoom has goals")
        return GoalPicture(sensors={"top": goal.values["top"][0]})

    def observe(self) -> Seen:
        """The camera."""
        return Seen({"top": self.seen.values["top"][0]})

    def apply(self, control: np.ndarray) -> Done:
        """One control step."""
        self.seen = self.world.step(control[None]).observation
        self.steps += 1
        self.at_step(self.steps)
        return Done(control, bool(self.world.success()[0]))

    def rest(self, safe: np.ndarray) -> None:
        """Nothing moves by itself."""


def play(
    url: str,
    seeds: Sequence[Sequence[int]],
    seconds: float = 0.0,
    decisions: int = 0,
    first_seed: int = 0,
) -> list[Played]:
    """Robots in processes of their own, each with the episodes of its seeds, or as many as fit into time or count."""
    context = multiprocessing.get_context("spawn")
    found: Queue[Played] = context.Queue()
    ready = context.Barrier(len(seeds))
    robots = [
        context.Process(
            target=robot, args=(url, each, seconds, decisions, FIRST_SEED + 1000 * (number + first_seed), ready, found)
        )
        for number, each in enumerate(seeds)
    ]
    for process in robots:
        process.start()
    played = [found.get(timeout=3600) for _ in robots]
    for process in robots:
        process.join()
    return played


def robot(
    url: str, seeds: Sequence[int], seconds: float, decisions: int, first: int, ready: Barrier, found: "Queue[Played]"
) -> None:
    """One robot's process."""
    os.sched_setaffinity(0, CLIENT_CORES)
    torch.set_num_threads(1)
    body, safe = TwoRoomBody(), 0
    success: list[bool] = []
    times: list[float] = []
    with Session(url, TOKEN, patient=True) as session:
        ready.wait()
        began = time.monotonic()
        todo: Iterator[int] = iter(seeds) if len(seeds) else iter(range(first, first + 10**6))
        for seed in todo:
            episode = run_episode(session, body, body.begin(seed), steps=BUDGET)
            success.append(episode.ended)
            times += episode.seconds
            safe += sum(episode.safe.values())
            over = (seconds and time.monotonic() - began > seconds) or (decisions and len(times) >= decisions)
            if not len(seeds) and over:
                break
        found.put(Played(success, times, began, time.monotonic(), safe, session.reconnections))


def flood(url: str, robots: int, seconds: float) -> tuple[list[float], int]:
    """Robots that only ask: seconds of the accepted answers, and how many were refused."""
    context = multiprocessing.get_context("spawn")
    found: Queue[tuple[list[float], int]] = context.Queue()
    ready = context.Barrier(robots_processes(robots))
    crowd = [
        context.Process(target=crowded, args=(url, share, seconds, ready, found))
        for share in np.array_split(np.arange(robots), robots_processes(robots))
    ]
    for process in crowd:
        process.start()
    parts = [found.get(timeout=600) for _ in crowd]
    for process in crowd:
        process.join()
    return [second for part, _ in parts for second in part], sum(refused for _, refused in parts)


def robots_processes(robots: int) -> int:
    """Processes that so many robots are spread over."""
    return min(robots, 4)


def crowded(
    url: str, share: np.ndarray, seconds: float, ready: Barrier, found: "Queue[tuple[list[float], int]]"
) -> None:
    """Several robots of one process, each in a thread."""
    os.sched_setaffinity(0, CLIENT_CORES)
    body = TwoRoomBody()
    goals = [body.begin(FIRST_SEED + int(number)) for number in share]
    seen = body.observe().values
    times: list[float] = []
    refused = [0]

    def ask(goal: GoalPicture) -> None:
        with Session(url, TOKEN, patient=True, deadline_seconds=2.0) as session:
            until = time.monotonic() + seconds
            answer = session.begin(goal, seen)
            while time.monotonic() < until:
                if answer.safe and (answer.reason or "").startswith("busy"):
                    refused[0] += 1
                    time.sleep(0.005)
                else:
                    times.append(answer.seconds)
                answer = session.act(seen, np.zeros((BLOCK, 2), np.float32))

    threads = [threading.Thread(target=ask, args=(goal,)) for goal in goals]
    ready.wait()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found.put((times, refused[0]))
