"""What a remembering model knows of physics: minimal pairs in the plane and in space, held-out objects.

    python benchmarks/physics.py --keep DIR [--spaces 2d 3d] [--minutes 27] [--films 8_000] [--sets 100]
        [--grades easy hidden long-hidden]

Records possible films, trains by the recipe `monde.recipes.physics` (both skipped where DIR holds them), and scores
pairs of the test split: pairwise accuracy and AUROC of single films for each principle and grade, beside the untrained
network, copy-last and a linear pixel predictor, and an untrained network that is given nothing, no object files either
(`untrained_memory/<space>/…`, of size "memory"). Scores are kept in the run folder, and made again where pairs,
surprise or checkpoint differ. Beside them, what shortcuts score on these pairs, at the grade where they tell most
(`shortcut/<check>/<principle>`, in space `shortcut/<check>/3d/<principle>`): `scenes.py` measures that on 400 sets of
every case, seed 0, and nothing is measured again here. Writes results/physics.json.
"""

from dataclasses import replace
from pathlib import Path

from common import RESULTS, options, write
from monde.evaluation.physics import judging, score_pairs, score_physics, surprise
from monde.models import load_model
from monde.models.config import Size
from monde.recipes import PhysicsRecipe, physics
from monde.scorecard import Row, Scorecard
from monde.store import RunFolder, load_artefact, read_json
from monde.store.typed import to_json
from monde.training.setup import prepare, reopen, untrained_floor
from monde.worlds.scenes import GRADES, principles
from scenes import FILES

CONTROL: Size = "memory"
"""The size of the untrained network that is given nothing."""

CHECKS = ("frame", "frame_set", "motion_sum", "motion_max")
"""Shortcuts that are looked at; see `monde.evaluation.physics.shortcuts`."""

LEAST_SETS = 400
"""Sets that a shortcut must have been looked at on."""


def shortcut_rows(space: str) -> list[Row]:
    """What each shortcut scores on each principle: of its grades, the one that is furthest from chance."""
    file = f"{FILES[space]}.json"
    card = Scorecard.from_json(read_json(RESULTS / file))
    prefix = "" if space == "2d" else f"{space}/"
    rows = []
    for check in CHECKS:
        for principle in principles():
            graded = {grade: card[f"shortcut/{check}/{prefix}{principle.name}/{grade}"] for grade in GRADES}
            if min(row.n for row in graded.values()) < LEAST_SETS:
                raise SystemExit(f"{file} is of fewer than {LEAST_SETS} sets: run scenes.py --spaces {space} first")
            grade, row = max(graded.items(), key=lambda held: abs(held[1].value - 0.5))
            note = f"{grade}, the grade furthest from chance; {row.note}; pairs of the same split, by {file}"
            rows.append(replace(row, metric=f"shortcut/{check}/{prefix}{principle.name}", note=note))
    return rows


def scored(recipe: PhysicsRecipe, grades: tuple[str, ...]) -> Scorecard:
    """The scorecard of one space; recording, run and scores are made where they are not there yet."""
    pairs = replace(recipe.pairs, grades=grades)
    recipe.record()
    recipe.learn()
    run = RunFolder(recipe.run)
    if run.physics.exists():
        card = Scorecard.from_json(read_json(run.physics))
        judged = to_json(judging(load_model(recipe.run)))
        same = {"pairs": to_json(pairs), "surprise": judged, "checkpoint": run.latest().name}
        if same.items() <= card.protocol.items():
            return card
    return score_physics(recipe.run, pairs)


def given_nothing(recipe: PhysicsRecipe, grades: tuple[str, ...]) -> tuple[Row, ...]:
    """What an untrained network of size "memory" scores on the same pairs, by the same surprise.

    The untrained twin has the recipe's object files and dynamics that begin as constant velocity. This one has neither:
    what it scores is what these pairs and this surprise give away to a network that knows nothing.
    """
    pairs, seed = replace(recipe.pairs, grades=grades), recipe.seed
    train, _ = reopen(recipe.run)
    blank = untrained_floor(prepare(replace(train, size=CONTROL)), seed)
    file = recipe.run.parent / f"untrained-{CONTROL}.json"
    protocol = {"pairs": to_json(pairs), "surprise": to_json(judging(blank)), "size": CONTROL, "seed": seed}
    if file.exists():
        card = Scorecard.from_json(read_json(file))
        if card.protocol == protocol:
            return card.rows
    found = score_pairs({"": lambda films, rate_hz: surprise(blank, films, rate_hz).of_film}, pairs)
    rows = tuple(
        replace(row, metric=f"untrained_{CONTROL}/{row.metric.removeprefix('pairwise/')}", floors={"chance": 0.5})
        for row in found
        if row.metric.startswith("pairwise/")
    )
    write(file.stem, rows, protocol, (seed,), file.parent)
    return rows


def trained(recipe: PhysicsRecipe) -> dict[str, float | str]:
    """What a run was trained with: optimiser steps, minutes of one core, and the commit that it was begun at."""
    run = RunFolder(recipe.run)
    meta = load_artefact(run.latest()).meta
    return {
        "steps": int(str(meta["step"])),
        "minutes": round(float(str(meta["seconds"])) / 60, 1),
        "begun_at": str(run.read_config()["commit"]),
    }


def main() -> None:
    """Measure and write physics.json."""
    parser = options(__doc__)
    parser.add_argument("--keep", type=Path, required=True, help="recordings and runs, made once")
    parser.add_argument("--spaces", nargs="+", default=["2d", "3d"], choices=["2d", "3d"])
    parser.add_argument("--minutes", type=float, default=27.0, help="of training, each")
    parser.add_argument("--films", type=int, default=8_000, help="recorded, each")
    parser.add_argument("--sets", type=int, default=100, help="of four films, of each principle and grade")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--grades", nargs="+", default=list(GRADES), choices=GRADES, help="judged")
    given = parser.parse_args()
    given.grades = list(dict.fromkeys(given.grades))
    # First of all, so that missing ones are told before hours have passed.
    shortcuts = [row for space in given.spaces for row in shortcut_rows(space)]
    recipes = {
        space: physics(
            given.keep / f"physics-{space}-{given.seed}",
            space=space,
            minutes=given.minutes,
            films=given.films,
            sets=given.sets,
            seed=given.seed,
        )
        for space in given.spaces
    }
    grades = tuple(given.grades)
    cards = {space: scored(recipe, grades) for space, recipe in recipes.items()}
    rows = [row for card in cards.values() for row in card.rows]
    rows += [row for recipe in recipes.values() for row in given_nothing(recipe, grades)]
    protocol = {
        "training": "possible films of all principles, split train",
        "trained": {space: trained(recipe) for space, recipe in recipes.items()},
        "training_of_dynamics_alone": "all but ten steps of it, looking at the films included",
        "films": given.films,
        "sets": given.sets,
        "grades": given.grades,
        "split": "test",
        "commits": {space: card.commit for space, card in cards.items()},
        "untrained_memory": f"size {CONTROL}, seed {given.seed}, running statistics those of training windows",
        "shortcuts": "scenes.json and scenes_3d.json, 400 sets of seed 0, split test: the first sets of them are these",
        "surprise": "mean over frames of the log likelihood given the last frame less that given all that was seen "
        "(of each thing's sight given the frame's other things), plus the latter's excess over what was expected, 1 to "
        "5 steps of 0.2 s ahead",
    }
    write("physics", [*rows, *shortcuts], protocol, (given.seed,), given.out)


if __name__ == "__main__":
    main()
