"""What a remembering model knows of physics: minimal pairs in the plane and in space, held-out objects.

    python benchmarks/physics.py --keep DIR [--spaces 2d 3d] [--minutes 26] [--films 14_000] [--sets 100]

Records possible films, trains by the recipe `monde.recipes.physics` (both skipped where DIR holds them), and scores
pairs of the test split: pairwise accuracy and AUROC of single films for each principle and grade, beside the untrained
network, copy-last and a linear pixel predictor. What shortcuts score on these pairs is in scenes.json and
scenes_3d.json. Writes results/physics.json.
"""

from pathlib import Path

from common import options, write
from monde.evaluation.physics import score_physics
from monde.recipes import physics
from monde.scorecard import Row


def scored(space: str, keep: Path, minutes: float, films: int, sets: int, seed: int) -> tuple[Row, ...]:
    """Rows of one space; its recording and run are made where they are not there yet."""
    recipe = physics(keep / f"physics-{space}-{seed}", space=space, minutes=minutes, films=films, sets=sets, seed=seed)
    recipe.record()
    recipe.learn()
    return score_physics(recipe.run, recipe.pairs).rows


def main() -> None:
    """Measure and write physics.json."""
    parser = options(__doc__)
    parser.add_argument("--keep", type=Path, required=True, help="recordings and runs, made once")
    parser.add_argument("--spaces", nargs="+", default=["2d", "3d"], choices=["2d", "3d"])
    parser.add_argument("--minutes", type=float, default=26.0, help="of training, each")
    parser.add_argument("--films", type=int, default=14_000, help="recorded, each")
    parser.add_argument("--sets", type=int, default=100, help="of four films, of each principle and grade")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    rows = [
        row
        for space in given.spaces
        for row in scored(space, given.keep, given.minutes, given.films, given.sets, given.seed)
    ]
    protocol = {
        "training": "possible films of all principles, split train",
        "training_minutes": given.minutes,
        "training_of_dynamics_alone": "the last half of it",
        "films": given.films,
        "sets": given.sets,
        "split": "test",
        "surprise": "mean over frames of the log ratio of errors, from all that was seen and from the last frame, "
        "3, 4 and 6 steps of 0.2 s ahead",
    }
    write("physics", rows, protocol, (given.seed,), given.out)


if __name__ == "__main__":
    main()
