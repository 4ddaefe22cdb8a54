"""Scenes: films a second, and what shortcuts score on minimal pairs, per principle and grade.

python benchmarks/scenes.py [--sets 400] [--seconds 10]

One process, one thread. Frames are counted simulated and drawn, per second of processor time: what else the machine
does changes that little. Of matched designs no shortcut may differ from chance
(0.5, within its interval over sets); of context-swapped ones the scores here are floors that a model has to exceed.
"""

import time

from common import options, row, write
from monde.evaluation.physics import Features, ShortcutScore, features, shortcut_scores
from monde.scorecard import Row
from monde.worlds.scenes import GRADES, SceneConfig, free_films, make_pairs, principles

ROUNDS = 5
FILMS = 16
CHUNK = 16
"""Sets in memory at once."""


def frames_per_second(seconds: float) -> list[float]:
    """Frames simulated and drawn a second of processor time, in each of several rounds of different films."""
    config, rates, seed = SceneConfig(), [], 0
    free_films(config, range(FILMS))  # imports pymunk and fills caches
    for _ in range(ROUNDS):
        start, frames = time.process_time(), 0
        while time.process_time() - start < seconds / ROUNDS:
            frames += sum(len(film.rgb) for film in free_films(config, range(seed, seed + FILMS)))
            seed += FILMS
        rates.append(frames / (time.process_time() - start))
    return rates


def shortcuts(principle: str, grade: str, sets: int) -> tuple[ShortcutScore, ...]:
    """What shortcuts score on test pairs, made and looked at a few at a time."""
    seen: list[Features] = []
    for first in range(0, sets, CHUNK):
        seen.append(features(make_pairs(principle, grade, min(CHUNK, sets - first), 0, first=first)))
    return shortcut_scores(seen)


def main() -> None:
    """Measure and write scenes.json."""
    parser = options(__doc__)
    parser.add_argument("--sets", type=int, default=400, help="sets (two possible, two impossible films) of each row")
    parser.add_argument("--seconds", type=float, default=10.0, help="of timing")
    parser.add_argument("--note", default="", help="kept beside the timing")
    given = parser.parse_args()
    rows = [row("frames_per_second/2d", frames_per_second(given.seconds), "1/s", given.note)]
    for principle in principles():
        for grade in GRADES:
            design = principle.designs[grade]
            for score in shortcuts(principle.name, grade, given.sets):
                rows.append(
                    Row(
                        metric=f"shortcut/{score.check}/{principle.name}/{grade}",
                        value=score.accuracy,
                        interval=score.interval,
                        n=score.n,
                        floors={"chance": 0.5},
                        note=design,
                    )
                )
            print(principle.name, grade, design, *(f"{r.value:.3f}" for r in rows[-4:]), flush=True)
    protocol = {
        "sets": given.sets,
        "split": "test",
        "side_pixels": 64,
        "config": str(SceneConfig()),
        "threads": 1,
        "clock": "processor time",
    }
    write("scenes", rows, protocol, (0,), given.out)


if __name__ == "__main__":
    main()
