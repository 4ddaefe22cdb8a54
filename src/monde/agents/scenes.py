"""Recording generated scenes as a dataset: films of possible physics that nobody acts in."""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from monde.agents.recording import RecordingSummary
from monde.data import EpisodeData, RecordingWriter, storage_for
from monde.errors import UsageError, unknown_name
from monde.limits import MAX_EPISODES
from monde.store.typed import to_json
from monde.types import Sensor
from monde.worlds.scenes import SceneConfig, SceneFilm, films_of, kinds, object_slots

GROUP = 32
"""Films that are drawn, and then written, at a time."""

OBJECT_NAMES = (
    "present",
    "x_px",
    "y_px",
    "vx_px_s",
    "vy_px_s",
    "cos",
    "sin",
    "spin_rad_s",
    "radius_px",
    "mass",
    "friction",
    "restitution",
    "touches_object",
    "touches_surroundings",
    "visible",
    "depth_order",
)
"""What the `state` sensor tells of each object; 0 throughout of one that a film does not have."""


def record_scenes(
    kind: str,
    out: Path | str,
    *,
    films: int,
    seed: int = 0,
    config: SceneConfig | None = None,
    store: str = "auto",
    progress: Callable[[int, int], None] | None = None,
) -> RecordingSummary:
    """Record `films` films of possible physics into the dataset at `out`, or what is missing of them.

    A film depends on kind, seed, config and its own number alone, so that a recording which was stopped and resumed
    equals one made in a single call. Sensors: `top` (RGB) and `state` (`OBJECT_NAMES` of each object as "object1_x_px",
    and the film's gravity in px/s²). There are no actions.

    Args:
        kind: "free" for rooms without a script, the name of a principle for its possible films (easy, hidden and
            long-hidden in turn), or "all" for all of these in turn, half of them free.
        out: Folder of the dataset; new, or written by this function with equal arguments (`films` may differ).
        films: Films (episodes) that the dataset shall hold.
        seed: At least 0.
        config: Of free scenes; its split is that of all.
        store: As `monde.record` takes it.
        progress: Called with (films in the dataset, `films`) at the start and after each group.

    Raises:
        UsageError: An unknown kind or storage, numbers out of limits, or pymunk is not installed.
        DataError: `out` holds something else, or was recorded with other arguments.
        StoreError: The disk is full or read-only.
    """
    began, folder = time.monotonic(), Path(out)
    chosen = config or SceneConfig()
    if kind not in kinds():
        raise unknown_name("kind of scenes", kind, list(kinds()))
    for name, value, low in (("films", films, 1), ("seed", seed, 0)):
        if not low <= value <= (MAX_EPISODES if name == "films" else 2**63):
            raise UsageError(f"{name} is out of limits", got=value, expected=f"at least {low}")
    sensors = _sensors(chosen, object_slots(kind, chosen))
    source: dict[str, object] = {"scenes": kind, "seed": seed, "config": to_json(chosen)}
    tell = progress or (lambda done, asked: None)
    frames = 0
    with closing(
        RecordingWriter(
            folder, sensors=sensors, actions=None, source=source, frames=storage_for(folder, sensors, store)
        )
    ) as writer:
        first = writer.episodes_written
        tell(first, films)
        while writer.episodes_written < films:
            done = writer.episodes_written
            numbers = range(done, min(films, (done // GROUP + 1) * GROUP))
            episodes = [_episode(made, sensors) for made in films_of(kind, chosen, seed, numbers)]
            writer.append(episodes)
            frames += sum(episode.steps for episode in episodes)
            tell(writer.episodes_written, films)
        return RecordingSummary(
            root=folder,
            world=f"scenes/{kind}",
            policy="none",
            episodes=writer.episodes_written,
            new_episodes=writer.episodes_written - first,
            new_frames=frames,
            seconds=time.monotonic() - began,
        )


def _sensors(config: SceneConfig, objects: int) -> tuple[Sensor, ...]:
    names = [f"object{k + 1}_{name}" for k in range(objects) for name in OBJECT_NAMES]
    side = config.side_pixels
    return (
        Sensor(name="top", kind="rgb", shape=(3, side, side), rate_hz=config.rate_hz),
        Sensor(
            name="state",
            kind="state",
            shape=(len(names) + 1,),
            rate_hz=config.rate_hz,
            names=(*names, "gravity_px_s2"),
        ),
    )


def _episode(made: SceneFilm, sensors: Sequence[Sensor]) -> EpisodeData:
    width = sensors[1].shape[0]
    state = np.zeros((len(made.times_seconds), width), dtype=np.float32)
    told = _told(made)
    state[:, : told.shape[1]] = told
    state[:, -1] = made.gravity
    return EpisodeData({"top": made.rgb, "state": state}, made.times_seconds, None)


def _told(made: SceneFilm) -> Float32[np.ndarray, "T n"]:
    """[T, K × names], as `OBJECT_NAMES`."""
    T, K = made.visible.shape
    fixed = (made.radius, made.mass, made.friction, made.restitution)
    radius, mass, friction, restitution = (np.broadcast_to(values, (T, K)) for values in fixed)
    columns = (
        made.present,
        made.position[..., 0],
        made.position[..., 1],
        made.velocity[..., 0],
        made.velocity[..., 1],
        np.cos(made.angle),
        np.sin(made.angle),
        made.spin,
        radius,
        mass,
        friction,
        restitution,
        made.contacts[..., :-1].any(axis=-1),
        made.contacts[..., -1],
        made.visible,
        np.broadcast_to(made.depth_order, (T, K)),
    )
    stacked = np.stack([np.asarray(column, dtype=np.float32) for column in columns], axis=-1)
    return (stacked * made.present[..., None]).reshape(T, -1).astype(np.float32)
