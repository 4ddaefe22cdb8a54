"""Groups of episodes, and the worker processes that may roll them."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from multiprocessing.synchronize import Event

import numpy as np

from monde.agents.policies import HOLD_STEPS, make_policy
from monde.agents.rollout import roll
from monde.data import EpisodeData
from monde.errors import WorldError
from monde.protocols import World
from monde.worlds import make


@dataclass(frozen=True, kw_only=True)
class Group:
    """One group of episodes of a recording: all that its content depends on.

    Args:
        world: Name of the world.
        policy: Name of the policy.
        seed: Seed of the recording.
        steps: Control steps of an episode.
        batch: Episodes in a group.
        index: Which group, from 0.
    """

    world: str
    policy: str
    seed: int
    steps: int
    batch: int
    index: int

    def at(self, index: int) -> "Group":
        """Another group of the same recording."""
        return replace(self, index=index)

    def source(self) -> dict[str, object]:
        """What a dataset of these groups says of its origin; only an equal recording may continue it."""
        return {
            "world": self.world,
            "policy": self.policy,
            "hold": HOLD_STEPS if self.policy == "random" else 1,
            "seed": self.seed,
            "steps": self.steps,
            "batch": self.batch,
        }

    @property
    def episodes(self) -> range:
        """Indices of its episodes."""
        return range(self.index * self.batch, (self.index + 1) * self.batch)

    def world_seeds(self) -> list[int]:
        """One 32-bit seed per episode (some simulators take no larger), from the recording's seed and the episode."""
        # The spawn key keeps these apart from the generators of the policy, which share the form [seed, index].
        sequences = (np.random.SeedSequence([self.seed, episode], spawn_key=(1,)) for episode in self.episodes)
        return [int(sequence.generate_state(1)[0]) for sequence in sequences]

    def __str__(self) -> str:
        return f"group {self.index} (episodes {self.episodes[0]} to {self.episodes[-1]})"


def roll_group(world: World, group: Group) -> list[EpisodeData]:
    """All episodes of one group, in `world` (whose batch is the group's). Raises as `monde.agents.rollout.roll`."""
    return roll(
        world,
        make_policy(group.policy, world),
        seeds=group.world_seeds(),
        steps=group.steps,
        generator=np.random.default_rng([group.seed, group.index]),
        first_episode=group.episodes[0],
        stop=lambda: _stop is not None and _stop.is_set(),
    )


def rolled_by_workers(plan: Group, indices: Sequence[int], workers: int) -> Generator[list[EpisodeData], None, None]:
    """The groups `indices` of the recording `plan`, in order, rolled by `workers` processes.

    Raises:
        WorldError: As `roll_group`; or a worker died (named by its group).
    """
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    pool = ProcessPoolExecutor(workers, context, _begin_worker, (stop,))
    waiting: deque[Future[list[_Parts]]] = deque()
    ahead = iter(indices)
    awaited = plan
    try:
        for index in indices:
            awaited = plan.at(index)
            # One group more than workers: they do not idle while one is written, and memory stays bounded.
            waiting.extend(pool.submit(_roll_in_worker, plan.at(i)) for i in islice(ahead, workers + 1 - len(waiting)))
            yield [
                EpisodeData(values, times, actions, valid=valid, age_seconds=ages)
                for values, times, actions, valid, ages in waiting.popleft().result()
            ]
    except BrokenProcessPool as error:
        raise WorldError(
            f"a worker process died before {awaited} was recorded",
            got=error,
            expected="workers that live until their group is done",
            remedy="run the same command again: the groups before it are kept. If it happens again, use fewer workers "
            "(memory), or workers = 0 to see the fault itself",
        ) from error
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)


_Parts = tuple[dict[str, np.ndarray], np.ndarray, np.ndarray | None, dict[str, np.ndarray], dict[str, np.ndarray]]
"""An episode as it crosses processes: a frozen mapping cannot be pickled."""

_stop: Event | None = None
"""In a worker: set by the parent when nobody waits for the result any more."""


def _begin_worker(stop: Event) -> None:
    global _stop
    _stop = stop
    # Ctrl-C reaches the whole process group; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:

        def follow() -> None:
            # A parent that was killed cannot end its workers: without this they would wait for work for ever.
            parent.join()
            os._exit(1)

        threading.Thread(target=follow, daemon=True).start()


@lru_cache(maxsize=1)
def _worker_world(name: str, batch: int) -> World:
    return make(name, batch, imports=True)


def _roll_in_worker(group: Group) -> list[_Parts]:
    episodes = roll_group(_worker_world(group.world, group.batch), group)
    return [
        (episode.arrays, episode.times_seconds, episode.actions, dict(episode.valid), dict(episode.age_seconds))
        for episode in episodes
    ]
