"""Scenes: films a second, and what shortcuts score on minimal pairs, per principle and grade.

python benchmarks/scenes.py [--sets 400] [--seconds 10] [--spaces 2d 3d]

One process; pin it to one core. Frames are counted simulated and drawn, per second of processor time (of all threads):
what else the machine does changes that little. In space, colours alone and colours, depth, segmentation and visible
fractions are timed apart. Of matched designs no shortcut may differ from chance
(0.5, within its interval over sets); of context-swapped ones the scores here are floors that a model has to exceed.
"""

import time
from collections.abc import Callable

from common import options, row, write
from monde.evaluation.physics import Features, ShortcutScore, features, shortcut_scores
from monde.scorecard import Row
from monde.worlds import scenes3d
from monde.worlds.scenes import GRADES, SceneConfig, free_films, make_pairs, principles
from monde.worlds.scenes3d import engine
from monde.worlds.scenes3d.free import shoot
from monde.worlds.scenes3d.render import render

ROUNDS = 5
FILMS = 16
FILES = {"2d": "scenes", "3d": "scenes_3d"}
"""Result file of each space, so that either can be measured anew without the other."""

CHUNK = 16
"""Sets in memory at once."""


def frames_per_second(seconds: float, frames_of: Callable[[range], int]) -> list[float]:
    """Frames simulated and drawn a second of processor time, in each of several rounds of different films."""
    rates, seed = [], 0
    frames_of(range(FILMS))  # imports the engine and fills caches
    for _ in range(ROUNDS):
        start, frames = time.process_time(), 0
        while time.process_time() - start < seconds / ROUNDS:
            frames += frames_of(range(seed, seed + FILMS))
            seed += FILMS
        rates.append(frames / (time.process_time() - start))
    return rates


def plane(seeds: range) -> int:
    """Frames of films in the plane: colours, segmentation, visible fractions."""
    return sum(len(film.rgb) for film in free_films(SceneConfig(), seeds))


def space(seeds: range) -> int:
    """Frames of films in space, colours alone."""
    return sum(len(render(shoot(scenes3d.SceneConfig3D(), seed).take).rgb) for seed in seeds)


def space_all(seeds: range) -> int:
    """Frames of films in space with depth, segmentation and visible fractions."""
    return sum(len(film.rgb) for film in scenes3d.free_films(scenes3d.SceneConfig3D(), seeds))


TIMED = {
    "2d": {"frames_per_second/2d": plane},
    "3d": {"frames_per_second/3d": space, "frames_per_second/3d_rgbd_segmentation": space_all},
}


def shortcuts(principle: str, grade: str, sets: int, dimensions: str) -> tuple[ShortcutScore, ...]:
    """What shortcuts score on test pairs, made and looked at a few at a time."""
    seen: list[Features] = []
    for first in range(0, sets, CHUNK):
        pairs = make_pairs(principle, grade, min(CHUNK, sets - first), 0, first=first, space=dimensions)
        seen.append(features(pairs))
    return shortcut_scores(seen)


def shortcut_rows(dimensions: str, sets: int) -> list[Row]:
    """What shortcuts score on every principle and grade."""
    rows = []
    of_space = "" if dimensions == "2d" else f"{dimensions}/"
    for principle in principles():
        for grade in GRADES:
            design = principle.designs[grade]
            for score in shortcuts(principle.name, grade, sets, dimensions):
                rows.append(
                    Row(
                        metric=f"shortcut/{score.check}/{of_space}{principle.name}/{grade}",
                        value=score.accuracy,
                        interval=score.interval,
                        n=score.n,
                        floors={"chance": 0.5},
                        note=design,
                    )
                )
            print(dimensions, principle.name, grade, design, *(f"{r.value:.3f}" for r in rows[-4:]), flush=True)
    return rows


def main() -> None:
    """Measure and write a file for each space."""
    parser = options(__doc__)
    parser.add_argument("--sets", type=int, default=400, help="sets (two possible, two impossible films) of each row")
    parser.add_argument("--seconds", type=float, default=10.0, help="of timing")
    parser.add_argument("--note", default="", help="kept beside the timing")
    parser.add_argument("--spaces", nargs="+", choices=list(TIMED), default=list(TIMED))
    given = parser.parse_args()
    for dimensions in given.spaces:
        rows = []
        for metric, frames_of in TIMED[dimensions].items():
            rows.append(row(metric, frames_per_second(given.seconds, frames_of), "1/s", given.note))
            print(rows[-1].metric, f"{rows[-1].value:.0f}", flush=True)
        rows += shortcut_rows(dimensions, given.sets)
        write(FILES[dimensions], rows, protocol(dimensions, given.sets), (0,), given.out)


def protocol(dimensions: str, sets: int) -> dict[str, object]:
    """How it was measured."""
    of_space: dict[str, object] = {"config": str(SceneConfig())}
    if dimensions == "3d":
        of_space = {"config": str(scenes3d.SceneConfig3D()), "renderer": str(engine.backend())}
    common = {"sets": sets, "split": "test", "side_pixels": 64}
    return {**common, **of_space, "threads": 1, "clock": "processor time"}


if __name__ == "__main__":
    main()
