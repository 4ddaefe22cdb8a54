"""Recording generated scenes as a dataset: films of possible physics that nobody acts in."""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from monde.agents.recording import RecordingSummary
from monde.agents.scenes_telling import OBJECT_NAMES, OBJECT_NAMES_3D, SCENE_NAMES_3D, episode_of, sensors_of
from monde.data import RecordingWriter, storage_for
from monde.errors import UsageError, unknown_name
from monde.limits import MAX_EPISODES
from monde.store.typed import to_json
from monde.worlds import scenes3d
from monde.worlds.scenes import SceneConfig, SceneFilm, films_of, object_slots
from monde.worlds.scenes.kinds import check_kind
from monde.worlds.scenes3d import SceneConfig3D, SceneFilm3D

__all__ = ["OBJECT_NAMES", "OBJECT_NAMES_3D", "SCENE_NAMES_3D", "record_scenes"]

GROUP = 32
"""Films that are drawn, and then written, at a time."""


def record_scenes(
    kind: str,
    out: Path | str,
    *,
    films: int,
    seed: int = 0,
    config: SceneConfig | SceneConfig3D | None = None,
    store: str = "auto",
    space: str = "2d",
    sensors: Sequence[str] = ("top", "state"),
    progress: Callable[[int, int], None] | None = None,
) -> RecordingSummary:
    """Record `films` films of possible physics into the dataset at `out`, or what is missing of them.

    A film depends on kind, seed, config and its own number alone, so that a recording which was stopped and resumed
    equals one made in a single call. Sensors: `top` (RGB), `state` (`OBJECT_NAMES` of each object as "object1_x_px",
    and the film's gravity in px/s²; in space `OBJECT_NAMES_3D` and `SCENE_NAMES_3D`), and in space `depth` (m). There
    are no actions.

    Args:
        kind: "free" for rooms without a script, the name of a principle for its possible films (easy, hidden and
            long-hidden in turn), "scripted" for all principles in turn, "all" for every other film free besides, or (in
            the plane) "hidden" for one object each, out of sight for 0.5 to 2 s.
        out: Folder of the dataset; new, or written by this function with equal arguments (`films` may differ).
        films: Films (episodes) that the dataset shall hold.
        seed: At least 0.
        config: Of free scenes; its split is that of all.
        store: As `monde.record` takes it.
        space: 2d, or 3d (MuJoCo).
        sensors: What is recorded.
        progress: Called with (films in the dataset, `films`) at the start and after each group.

    Raises:
        UsageError: An unknown kind or storage, numbers out of limits, or pymunk (mujoco, a
            renderer) is not installed.
        DataError: `out` holds something else, or was recorded with other arguments.
        StoreError: The disk is full or read-only.
    """
    began, folder = time.monotonic(), Path(out)
    chosen = _config(config, space)
    check_kind(kind, space)
    for name, value, low in (("films", films, 1), ("seed", seed, 0)):
        if not low <= value <= (MAX_EPISODES if name == "films" else 2**63):
            raise UsageError(f"{name} is out of limits", got=value, expected=f"at least {low}")
    told = sensors_of(chosen, object_slots(kind, chosen.objects[1]), sensors)
    source: dict[str, object] = {"scenes": kind, "seed": seed, "config": to_json(chosen)}
    if space != "2d":
        source["space"] = space
    make = _maker(kind, chosen, seed)
    tell = progress or (lambda done, asked: None)
    frames = 0
    with closing(
        RecordingWriter(folder, sensors=told, actions=None, source=source, frames=storage_for(folder, told, store))
    ) as writer:
        first = writer.episodes_written
        tell(first, films)
        while writer.episodes_written < films:
            done = writer.episodes_written
            numbers = range(done, min(films, (done // GROUP + 1) * GROUP))
            episodes = [episode_of(made, told) for made in make(numbers)]
            writer.append(episodes)
            frames += sum(episode.steps for episode in episodes)
            tell(writer.episodes_written, films)
        return RecordingSummary(
            root=folder,
            world=f"scenes/{kind}" if space == "2d" else f"scenes/{space}/{kind}",
            policy="none",
            episodes=writer.episodes_written,
            new_episodes=writer.episodes_written - first,
            new_frames=frames,
            seconds=time.monotonic() - began,
        )


def _maker(
    kind: str, config: SceneConfig | SceneConfig3D, seed: int
) -> Callable[[Sequence[int]], Sequence[SceneFilm | SceneFilm3D]]:
    if isinstance(config, SceneConfig3D):
        return lambda numbers: scenes3d.films_of(kind, config, seed, numbers)
    return lambda numbers: films_of(kind, config, seed, numbers)


def _config(given: SceneConfig | SceneConfig3D | None, space: str) -> SceneConfig | SceneConfig3D:
    kinds_of_config: dict[str, type[SceneConfig] | type[SceneConfig3D]] = {"2d": SceneConfig, "3d": SceneConfig3D}
    if space not in kinds_of_config:
        raise unknown_name("space", space, list(kinds_of_config))
    wanted = kinds_of_config[space]
    if given is None:
        return wanted()
    if not isinstance(given, wanted):
        got = f"{type(given).__name__} with space={space!r}"
        raise UsageError("the config is not of this space", got=got, expected=wanted.__name__)
    return given
