"""Where is a hidden object? Error in its diameters, and skill over constant velocity, by seconds out of sight.

    python benchmarks/hidden.py --run RUN [--films 80] [--fit 200]

RUN: a trained run that reads one camera and no actions, of size "memory" (its films are 64 px at 20 Hz). Nothing of it
is trained here: readouts of position are fitted on its frozen beliefs on `--fit` films of each event and time, of the
objects of the training split, and judged on `--films` films of each, of the objects of the test split. Writes
results/hidden.json; every film with an event behind its screen counts in `error_diameters/<seconds>`.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from common import options, write
from monde.evaluation.physics.hidden import HiddenConfig, score_hidden
from monde.models import JEPA, load_model, untrained, weights_hash
from monde.readouts.mlp import MLPReadoutConfig
from monde.store import RunFolder
from monde.types import Clip, Stream
from monde.worlds.scenes import EVENTS, HIDDEN_SECONDS, HiddenFilm, hidden_films

FIT_SEED, JUDGED_SEED = 71, 72
GROUP = 32
"""Films in memory at once."""


def films(split: str, n: int, seed: int) -> Iterator[HiddenFilm]:
    """n films of every event and time out of sight."""
    for seconds in HIDDEN_SECONDS:
        for event in EVENTS:
            for first in range(0, n, GROUP):
                yield from hidden_films(event, seconds, range(first, min(n, first + GROUP)), seed, split=split)
            print(split, event, seconds, flush=True)


def untrained_twin(model: JEPA, seed: int) -> JEPA:
    """The same network with its first weights, its running statistics those of films that readouts are fitted on."""
    clips = []
    for seconds in HIDDEN_SECONDS:
        shown = [
            made.film.rgb[::8]
            for event in EVENTS
            for made in hidden_films(event, seconds, range(8), FIT_SEED, split="train")
        ]
        frames = torch.from_numpy(np.concatenate(shown))[:, None]
        times, valid = torch.zeros(len(frames), 1, dtype=torch.float64), torch.ones(len(frames), 1, dtype=torch.bool)
        clips.append(Clip({model.sensors[0].name: Stream(frames, times, valid)}))
    return untrained(model.config, seed, clips)


def main() -> None:
    """Measure and write."""
    parser = options(__doc__)
    parser.add_argument("--run", type=Path, required=True, help="the trained run")
    parser.add_argument("--films", type=int, default=80, help="judged films of each event and time")
    parser.add_argument("--fit", type=int, default=200, help="films of each that readouts are fitted on")
    given = parser.parse_args()
    torch.set_num_threads(1)
    began = time.monotonic()
    document = RunFolder(given.run).read_config()
    model, config = load_model(given.run, torch.device("cpu")), HiddenConfig()
    blank = untrained_twin(model, config.seed)
    rows = score_hidden(
        model, blank, films("train", given.fit, FIT_SEED), films("test", given.films, JUDGED_SEED), config
    )
    protocol = {
        "world": "scenes/hidden",
        "model": {"weights": weights_hash(given.run), "step_seconds": model.actions.block_seconds},
        "run": {key: document.get(key) for key in ("data", "train", "commit")},
        "fit": f"{given.fit} films of each of {', '.join(EVENTS)} and time; seed {FIT_SEED}; split train",
        "judged": f"{given.films} films of each; seed {JUDGED_SEED}; split test",
        "readout": str(MLPReadoutConfig(seed=config.seed)),
        "context_steps": config.context,
        "skill": "1 - median error / median error of constant velocity",
    }
    write("hidden", rows, protocol, (config.seed,), given.out)
    print(f"{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
