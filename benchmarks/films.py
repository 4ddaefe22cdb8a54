"""Films without actions: two fixed cameras, each learned from its beginning and judged on its end.

For each film a model is trained on its first part alone (what comes of time), with a gap before the held-out end,
and must find the true frame 0.5 and 1 s ahead among the other frames of its stretch of film. Writes films.json.

    python benchmarks/films.py [--minutes 1.5]
"""

import os
import tempfile
from dataclasses import replace
from pathlib import Path

from common import bars, half, options, write
from monde.data import Windows
from monde.evaluation.imagining import PredictionConfig
from monde.evaluation.latents import EpisodeClips
from monde.evaluation.prediction import score_prediction
from monde.models import load_model
from monde.scorecard import Row
from monde.training import TrainConfig, finish_training
from monde.training.setup import reopen

DATA = Path(os.environ.get("MONDE_SHARED_DATA", "../shared/data")) / "intel-sample-videos"
FILMS = ("bottle-detection", "car-detection")
STEP_SECONDS, HORIZONS, SEED, STEPS = 0.25, {"0.5s": 2, "1s": 4}, 0, 16


def judged(film: str, run: Path) -> list[Row]:
    """Retrieval on the held-out end of one film."""
    _, setup = reopen(run)
    model = load_model(run)
    actions = model.actions
    learned, held_out = (
        EpisodeClips(Windows(setup.cache, part, setup.train.sensors, STEPS, actions), STEPS * actions.block // 4)
        for part in (setup.split.train, setup.split.held_out)
    )
    config = PredictionConfig(context=3, horizon=max(HORIZONS.values()), report=tuple(HORIZONS.values()), starts=6)
    found = {row.metric: row for row in score_prediction(model, learned, held_out, (), {}, config, seed=SEED)}
    rows = []
    for label, blocks in HORIZONS.items():
        for metric in ("retrieval_top1", "retrieval_rank"):
            row = found[f"prediction/{metric}/{blocks * actions.block_seconds:g}s"]
            rows.append(replace(row, metric=f"{metric}/{film}/{label}"))
    return rows


def main() -> None:
    """Train and judge each film; write films.json and films.svg."""
    parser = options(__doc__)
    parser.add_argument("--minutes", type=float, default=1.5, help="of training, per film")
    parser.add_argument("--shift", type=float, default=0.1)
    given = parser.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="monde-films-") as folder:
        for film in FILMS:
            config = TrainConfig(
                data=str((DATA / f"{film}.mp4").resolve()),
                run=f"{folder}/{film}",
                minutes=given.minutes,
                step_seconds=STEP_SECONDS,
                window=6,
                batch=64,
                held_out=0.2,
                shift=given.shift,
                seed=SEED,
            )
            finish_training(config)
            rows += judged(film, Path(config.run))
    protocol = {"minutes": given.minutes, "held_out": "the last fifth of each film, after a gap of one window"}
    card = write("films", rows, protocol, [SEED], given.out)
    panels = []
    for film in FILMS:
        shown = {label: half(card, f"retrieval_top1/{film}/{label}") for label in HORIZONS}
        floors = {f"copy-last\n{n}": (card[f"retrieval_top1/{film}/{n}"].floors["copy_last"], 0.0) for n in HORIZONS}
        panels.append((f"{film}: retrieval top-1", shown | floors, None))
    bars(panels, given.out / "films.svg")


if __name__ == "__main__":
    main()
