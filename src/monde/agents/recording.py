"""Recording a world into a dataset, many environments at once; stopped at any moment, it resumes without loss."""

import math
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from monde.agents.groups import Group, roll_group, rolled_by_workers
from monde.agents.policies import make_policy
from monde.data import RecordingWriter, storage_for
from monde.errors import UsageError
from monde.limits import MAX_EPISODE_STEPS, MAX_RECORDING_GROUP_BYTES, MAX_RECORDING_WORKERS
from monde.protocols import Intermittent, World
from monde.worlds import make

DEFAULT_BATCH = 64
"""Episodes of a group, for worlds that step a whole batch in one call."""

GYMNASIUM_BATCH = 8
"""Episodes of a group of a Gymnasium world: a group is rolled whole, and these environments step one after another."""


@dataclass(frozen=True, kw_only=True)
class RecordingSummary:
    """What a call of `record` did.

    Args:
        root: Folder of the dataset.
        world: Name of the world.
        policy: Name of the policy.
        episodes: Episodes in the dataset now.
        new_episodes: Of these, added by this call; 0 if all that was asked for was there already.
        new_frames: Moments added by this call.
        seconds: Wall time of this call.
    """

    root: Path
    world: str
    policy: str
    episodes: int
    new_episodes: int
    new_frames: int
    seconds: float

    @property
    def frames_per_second(self) -> float:
        """Moments recorded per second of this call; 0 if nothing was to be done."""
        return self.new_frames / self.seconds if self.new_frames and self.seconds > 0 else 0.0

    def __str__(self) -> str:
        if not self.new_episodes:
            return f"{self.root} holds {self.episodes} episodes of {self.world} already: nothing to do"
        added = f"{self.new_episodes} episodes, {self.new_frames} frames in {self.seconds:.1f} s"
        return f"{self.root}: recorded {added} ({self.frames_per_second:.0f} frames/s); it holds {self.episodes} now"


def record(
    world_name: str,
    out: Path | str,
    *,
    episodes: int,
    steps: int,
    policy: str = "random",
    seed: int = 0,
    batch: int | None = None,
    workers: int = 0,
    store: str = "auto",
    progress: Callable[[int, int], None] | None = None,
) -> RecordingSummary:
    """Record `episodes` episodes of a world into the dataset at `out`, or what is missing of them.

    Episodes are made in groups of `batch`. World seeds come from (seed, episode), the policy's randomness from
    (seed, group), and a group is always rolled whole, so that a recording that was stopped, resumed or extended equals
    one made in a single call, whatever `workers` is. (A policy of the user's must keep to this itself: no state that
    outlives an episode, no randomness but the generator's.) Each group is durable before the next is written; Ctrl-C
    leaves a dataset that loads.

    Args:
        world_name: As `monde.worlds.make` takes it. Typed by the user: "gym:module:ID" imports the module.
        out: Folder of the dataset; new, or written by this function with equal arguments (`episodes` and `workers`
            may differ).
        episodes: Episodes that the dataset shall hold.
        steps: Control steps of an episode, unless the environment ends it before; one moment (frame) more.
        policy: As `monde.agents.policies.make_policy` takes it.
        seed: At least 0.
        batch: Episodes of a group; by default 64, and 8 for "gym:" worlds.
        workers: Processes that roll groups; 0: this one. Of use for worlds that are slow to step.
        store: How camera frames are stored: "images" (lossless), "video" (H.264), or "auto": video for cameras above
            128 px a side.
        progress: Called with (episodes in the dataset, `episodes`) at the start and after each group.

    Raises:
        UsageError: An unknown world, policy or storage, a number out of limits, or a user's policy that does not
            return actions.
        WorldError: An environment raised (naming episode, seed and step), the policy's actions were refused, or a
            worker died (naming the group). Groups before it are kept.
        DataError: `out` holds something else, or was recorded with other arguments.
        StoreError: The disk is full or read-only.
    """
    began, folder = time.monotonic(), Path(out)
    default = GYMNASIUM_BATCH if world_name.startswith("gym:") else DEFAULT_BATCH
    group_size = default if batch is None else batch
    _check_numbers(episodes=episodes, steps=steps, seed=seed, batch=group_size, workers=workers)
    plan = Group(world=world_name, policy=policy, seed=seed, steps=steps, batch=group_size, index=0)
    with closing(make(world_name, group_size if workers == 0 else 1, imports=True)) as world:
        make_policy(policy, world)  # whatever is wrong with it is told before a folder is made
        _check_memory(world, plan)
        frames = storage_for(folder, world.sensors, store)
        with closing(
            RecordingWriter(
                folder,
                sensors=world.sensors,
                actions=world.actions,
                source=plan.source(),
                frames=frames,
                gaps=world.gaps if isinstance(world, Intermittent) else (),
                aged=world.aged if isinstance(world, Intermittent) else (),
            )
        ) as writer:
            first = writer.episodes_written
            moments = _fill(writer, world, plan, episodes, workers, progress or (lambda done, asked: None))
            return RecordingSummary(
                root=folder,
                world=world_name,
                policy=policy,
                episodes=writer.episodes_written,
                new_episodes=writer.episodes_written - first,
                new_frames=moments,
                seconds=time.monotonic() - began,
            )


def _fill(
    writer: RecordingWriter,
    world: World,
    plan: Group,
    episodes: int,
    workers: int,
    progress: Callable[[int, int], None],
) -> int:
    """Record what is missing, group by group; the number of moments added."""
    first, size, frames = writer.episodes_written, plan.batch, 0
    progress(first, episodes)
    todo = range(first // size, math.ceil(episodes / size)) if first < episodes else range(0)
    parallel = workers > 0 and len(todo) > 0
    rolled = rolled_by_workers(plan, todo, workers) if parallel else (roll_group(world, plan.at(g)) for g in todo)
    with closing(rolled):
        for index, group in zip(todo, rolled, strict=True):
            missing = group[writer.episodes_written - index * size : episodes - index * size]
            writer.append(missing)
            frames += sum(episode.steps for episode in missing)
            progress(writer.episodes_written, episodes)
    return frames


def _check_numbers(*, episodes: int, steps: int, seed: int, batch: int, workers: int) -> None:
    limits = {
        "episodes": (episodes, 1, None),
        "steps": (steps, 1, MAX_EPISODE_STEPS - 1),
        "seed": (seed, 0, None),
        "batch": (batch, 1, None),
        "workers": (workers, 0, MAX_RECORDING_WORKERS),
    }
    for name, (value, low, high) in limits.items():
        if value < low or (high is not None and value > high):
            expected = f"at least {low}" if high is None else f"{low} to {high}"
            raise UsageError(f"{name} is out of limits", got=value, expected=expected)


def _check_memory(world: World, plan: Group) -> None:
    """A group is held in memory until it is written (with workers, about two groups for each of them)."""
    moment = sum(math.prod(sensor.shape) * (1 if sensor.kind == "rgb" else 4) for sensor in world.sensors)
    wanted = plan.batch * (plan.steps + 1) * (moment + 8 + 4 * world.actions.dim)
    if wanted > MAX_RECORDING_GROUP_BYTES:
        fits = max(1, plan.batch * MAX_RECORDING_GROUP_BYTES // wanted)
        raise UsageError(
            "a group of episodes is too large to be held in memory",
            got=f"{wanted / 2**20:.0f} MiB for {plan.batch} episodes of {plan.steps} steps",
            expected=f"at most {MAX_RECORDING_GROUP_BYTES / 2**20:.0f} MiB",
            remedy=f"choose a batch of at most {fits}, or fewer steps",
        )
