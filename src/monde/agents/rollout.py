"""Rolling a policy through a batch of environments, into episodes."""

from collections.abc import Callable, Sequence

import numpy as np

from monde.data import EpisodeData
from monde.errors import WorldError
from monde.protocols import Intermittent, Policy, World
from monde.worlds import RowError


class Stopped(Exception):  # noqa: N818 - not an error: somebody asked for it
    """A rollout was asked to stop before its end."""


def roll(
    world: World,
    policy: Policy,
    *,
    seeds: Sequence[int],
    steps: int,
    generator: np.random.Generator,
    first_episode: int = 0,
    stop: Callable[[], bool] = lambda: False,
) -> list[EpisodeData]:
    """One episode per row: from reset to `steps` control steps, or to where the environment ended it.

    Args:
        world: The environments.
        policy: What acts; fresh, if it remembers anything.
        seeds: [B] one per row.
        steps: Most control steps; an episode has one moment more than control steps.
        generator: Randomness of the policy.
        first_episode: Episode index of row 0, for messages.
        stop: Asked at every step; true ends the rollout with `Stopped`.

    Raises:
        WorldError: An environment raised (names episode, row, seed and step), or the policy's actions were refused.
        UsageError: A user's policy returned something other than actions.
        Stopped: `stop` said so.
    """
    B = world.batch
    values = {
        sensor.name: np.empty((B, steps + 1, *sensor.shape), dtype=np.uint8 if sensor.kind == "rgb" else np.float32)
        for sensor in world.sensors
    }
    told = world if isinstance(world, Intermittent) else None
    valid = {name: np.ones((B, steps + 1), dtype=np.bool_) for name in (told.gaps if told else ())}
    ages = {name: np.zeros((B, steps + 1)) for name in (told.aged if told else ())}
    times = np.empty((B, steps + 1))
    controls = np.empty((B, steps, world.actions.dim), dtype=np.float32)
    moments = np.full(B, steps + 1)
    try:
        observation = world.reset(seeds)
        running = np.ones(B, dtype=np.bool_)
        for step in range(steps + 1):
            for name, buffer in values.items():
                buffer[:, step] = observation.values[name]
            for said, shown in ((valid, observation.valid), (ages, observation.age_seconds)):
                for name in said.keys() & shown.keys():
                    said[name][:, step] = shown[name]
            times[:, step] = observation.times_seconds
            if step == steps or not running.any():
                break
            if stop():
                raise Stopped
            controls[:, step] = policy(observation, world.actions, generator)
            transition = world.step(controls[:, step])
            moments = np.where(running & transition.ended, step + 2, moments)
            running &= ~transition.ended
            observation = transition.observation
    except RowError as error:
        raise WorldError(
            f"episode {first_episode + error.row} failed at step {error.step}: {error.what}",
            got=error.got,
            expected=error.expected,
            remedy=error.remedy,
        ) from error
    return [
        EpisodeData(
            values={name: buffer[row, :T] for name, buffer in values.items()},
            times_seconds=times[row, :T],
            actions=controls[row, : T - 1],
            valid={name: rows[row, :T] for name, rows in valid.items()},
            age_seconds={name: rows[row, :T] for name, rows in ages.items()},
        )
        for row, T in enumerate(moments.tolist())
    ]
