"""Which physical quantities a model's belief tells: R² (area under the ROC curve for contact), beside its floors.

    python benchmarks/quantities.py --run RUN --keep DIR [--films 3600]

RUN: a trained run of size "things" or "memory" that reads one camera and no actions. Films of all kinds are recorded
anew into DIR (seed 11: the model has seen none of them); readouts are fitted on three quarters and judged on the rest.
Floors: the same readout of an untrained network's belief, and of the last four frames averaged down to 8 × 8 colours.
Writes results/quantities.json.
"""

from pathlib import Path

import numpy as np

from common import options, write
from monde.agents import record_scenes
from monde.data import open_recording
from monde.evaluation.physics import untrained_twin
from monde.evaluation.physics.quantities import QuantitiesConfig, score_quantities
from monde.models import load_model, weights_hash

SEED = 11


def main() -> None:
    """Measure and write."""
    parser = options(__doc__)
    parser.add_argument("--run", type=Path, required=True, help="the trained run")
    parser.add_argument("--keep", type=Path, required=True, help="where the films are recorded, once")
    parser.add_argument("--films", type=int, default=3600)
    given = parser.parse_args()
    record_scenes("all", given.keep, films=given.films, seed=SEED)
    model = load_model(given.run).eval()
    order = np.random.default_rng(SEED).permutation(given.films).tolist()
    cut = 3 * given.films // 4
    config = QuantitiesConfig()
    found = score_quantities(
        model, untrained_twin(model, 0), open_recording(given.keep), order[:cut], order[cut:], config
    )
    protocol = {
        "films": f"kind all, seed {SEED}, split train: {cut} to fit readouts on, {given.films - cut} to judge",
        "model": weights_hash(given.run),
        "config": str(config),
        "missing": dict(found.missing),
    }
    write("quantities", found.rows, protocol, (SEED,), given.out)


if __name__ == "__main__":
    main()
