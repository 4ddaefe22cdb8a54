"""Where is a hidden object? Error in its diameters, and skill over constant velocity, by seconds out of sight.

    python benchmarks/hidden.py --run RUN [--films 80] [--fit 200]

RUN: a trained run that reads one camera and no actions, of size "things" or "memory" (films of the plane at 20 Hz).
Nothing of it is trained here: readouts of position are fitted on its frozen beliefs on `--fit` films of each event and
time, of the objects of the training split, and judged on `--films` films of each, of the objects of the test split. It
is what `monde physics RUN --hidden` does, which leaves hidden.json in RUN; here it goes into results/hidden.json as
well. Every film with an event behind its screen counts in `error_diameters/<seconds>`.
"""

import time
from pathlib import Path

import torch

from common import options, write
from monde.evaluation.physics import HiddenFilmsConfig, score_hidden_run


def told(stage: str, done: int, wanted: int) -> None:
    """A line now and then."""
    print(stage, done, "of", wanted, flush=True)


def main() -> None:
    """Measure and write."""
    parser = options(__doc__)
    parser.add_argument("--run", type=Path, required=True, help="the trained run")
    parser.add_argument("--films", type=int, default=80, help="judged films of each event and time")
    parser.add_argument("--fit", type=int, default=200, help="films of each that readouts are fitted on")
    given = parser.parse_args()
    torch.set_num_threads(1)
    began = time.monotonic()
    score = score_hidden_run(given.run, HiddenFilmsConfig(judged=given.films, fit=given.fit), told)
    write("hidden", score.rows, score.protocol, score.seeds, given.out)
    print(f"{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
