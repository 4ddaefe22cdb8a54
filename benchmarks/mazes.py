"""How fast mazes are stepped and drawn: control steps a second of all rows together, beside physics alone.

    python benchmarks/mazes.py

Processor time of one process with one thread, not wall time: other work on the machine does not count.
"""

import time
from collections.abc import Callable

import numpy as np

from common import options, row, write
from monde.scorecard import Row
from monde.worlds import MAZES, MazeConfig, MazeWorld

ROWS = 50
REPEATS = 5
STEPS = {"point": 60, "ball": 60, "ant": 8}


def main() -> None:
    """Measure all mazes and write mazes.json."""
    arguments = options(__doc__).parse_args()
    rows = [measured for name in MAZES for measured in _measure(name)]
    write("mazes", rows, {"rows": ROWS, "repeats": REPEATS, "clock": "processor time"}, [0], arguments.out)


def _measure(name: str) -> list[Row]:
    world = MazeWorld(MazeConfig(maze=name), batch=ROWS)
    spec, generator = world.actions, np.random.default_rng(0)
    world.reset(range(ROWS))
    steps = STEPS[world.kind.body]
    controls = generator.uniform(spec.low, spec.high, (steps, ROWS, spec.dim)).astype(np.float32)

    def drawn() -> None:
        for control in controls:
            world.step(control)

    def alone() -> None:
        states = world._states
        for control in controls:
            states = world._simulator.step(states, control.astype(np.float64))

    floors = {"physics alone": float(np.mean(_rates(alone, steps)))}
    note = f"{ROWS} rows side by side, physics, state and picture"
    return [row(f"steps_per_second/{name}", _rates(drawn, steps), "1/s", note, floors)]


def _rates(run: Callable[[], None], steps: int) -> list[float]:
    run()
    rates = []
    for _ in range(REPEATS):
        began = time.process_time()
        run()
        rates.append(ROWS * steps / (time.process_time() - began))
    return rates


if __name__ == "__main__":
    main()
