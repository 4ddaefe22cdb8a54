"""Two bets, one bench: floors, ceilings and the four corners on bets-v1; whether the bench is fair; learning curves.

    python benchmarks/bets.py --keep DIR [--stage teach|ask|curves|fairness|all] [--corners NAME …] [--flops 4e13]

DIR keeps episodes, corners, sets and answers, so that a second call goes on; corners can be taught by several calls at
once. MONDE_SHARED_DATA names the folder of puzzles and text tasks; without it these families are left out. Each corner
is tuned over the same learning rates on questions of the train split, and taught with the same compute. Writes
results/bets.json (`accuracy/<family>/<grade>/<contestant>`, `p_holm/<family>/<pair>`, `calibration/<contestant>`,
`seconds/<contestant>`, `level/<corner>`), results/bets_curves.json (`accuracy/<corner>/<compute|episodes>/<n>`) and
results/bets_fairness.json (`text_ceiling/<family>`, `sensor_ceiling/<family>`, `blind/<check>`, `compute/<corner>`,
`tuning/<corner>`: over the mean of all four).
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from common import options, write
from monde.bets.corners.curves import GRADES as CURVED
from monde.bets.corners.curves import curves_card
from monde.bets.corners.episodes import EPISODES, record_episodes
from monde.bets.corners.four import CORNERS, Tuned, open_corner, teach_all, tuned_path
from monde.bets.corners.lessons import Lesson, Taught
from monde.bets.fairness import CHECKS, blind_accuracy
from monde.bets.files import QuestionSet, open_set
from monde.bets.leaderboard import STANDARD, STANDARD_N, STANDARD_SEED
from monde.bets.lineup import NAMES, contestant
from monde.bets.marking import Mark
from monde.bets.questions.build import MAKERS, build_set
from monde.bets.questions.draw import draws
from monde.bets.questions.families import FAMILIES
from monde.bets.running import Budget, marks_of, run_bets
from monde.bets.types import GRADES
from monde.bets.verdict import FLOORS, verdict
from monde.evaluation.statistics import wilson
from monde.scorecard import Row
from monde.store import read_json, write_json
from monde.store.typed import from_json

TRAIN_SEED, BLIND_SEED, CURVES_SEED, TRAIN_N, CURVES_N = 11, 12, 13, 24, 24
FILM_EPISODES, WALKS, EPISODES_SEED = 4000, 2000, 0
SHORTFALLS = {
    "possible-or-not": "this reader follows single discs, not two films with screens",
    "puzzles": "this reader does not read polygons",
}


def made(folder: Path, **fields: object) -> QuestionSet:
    """A set, built unless it is there."""
    return open_set(folder) if folder.exists() else build_set(folder, **fields)  # type: ignore[arg-type]


def ceiling(kind: str, name: str, marks: dict[str, tuple[Mark, ...]], least: float) -> list[Row]:
    """How often a ceiling is right in each family that it can read; a puzzle counts if it is ever solved."""
    rows = []
    for family in dict.fromkeys(mark.family for mark in marks[name] if mark.failure != "cannot-read"):
        of = [mark for mark in marks[name] if mark.family == family]
        right = sum(mark.score > 0 for mark in of)
        short = SHORTFALLS.get(family, "") if kind == "sensor_ceiling" and right / len(of) < least else ""
        rows.append(
            Row(
                metric=f"{kind}/{family}",
                value=right / len(of),
                unit="1",
                interval=wilson(right, len(of)),
                n=len(of),
                floors={"wanted": least},
                note=short,
            )
        )
    return rows


def blind(n: int) -> list[Row]:
    """What a classifier makes of options alone."""
    items = [
        maker(draw)
        for family, maker in MAKERS.items()
        if family not in ("where-will-it-be", "how-to-get-there")
        for grade in GRADES
        for draw in draws(family, grade, range(n), BLIND_SEED, "test")
    ]
    # Films are not needed, and take memory.
    questions = [replace(q, sensors={k: a for k, a in q.sensors.items() if k == "options"}) for q, _ in items]
    choices = [truth.choice for _, truth in items if truth.choice is not None]
    rows = []
    for name, features in CHECKS.items():
        accuracy, interval, chance = blind_accuracy(questions, choices, features)
        rows.append(
            Row(
                metric=f"blind/{name}",
                value=accuracy,
                unit="1",
                interval=interval,
                n=len(questions),
                floors={"chance": chance},
                note="conditional logit, five folds; no better than chance if the interval begins below it",
            )
        )
    return rows


def taught(keep: Path, corners: list[str], flops: float) -> None:
    """Episodes, and every corner that is not there yet."""
    train = made(keep / "train", n=TRAIN_N, seed=TRAIN_SEED, split="train", name="train")
    episodes = record_episodes(keep / EPISODES, films=FILM_EPISODES, walks=WALKS, seed=EPISODES_SEED)
    print(teach_all(keep, episodes, Lesson(flops=flops), corners, train, lambda name, what: tell(f"{name}: {what}")))


def tell(what: str) -> None:
    """Say what is being done."""
    print(what, flush=True)


def equal(keep: Path) -> list[Row]:
    """Compute and tuning of each corner over their means."""
    spent = {name: Taught.load(keep / name) for name in CORNERS}
    tuned = {name: from_json(Tuned, read_json(tuned_path(keep / name)).get("tuned")) for name in CORNERS}
    mean, tuning = (
        sum(values) / len(CORNERS)
        for values in ([one.total for one in spent.values()], [one.flops for one in tuned.values()])
    )
    rows = []
    for name, one in spent.items():
        note = f"{one.total:.4g} FLOPs, {one.cpu_seconds:.0f} s of processor time, usual rate x {one.lesson.rate:g}"
        rows.append(Row(metric=f"compute/{name}", value=one.total / mean, unit="1", n=1, note=note))
        note = f"{tuned[name].flops:.4g} FLOPs of three trials: {dict(tuned[name].right)}"
        rows.append(Row(metric=f"tuning/{name}", value=tuned[name].flops / tuning, unit="1", n=1, note=note))
    return rows


def levels(marks: dict[str, tuple[Mark, ...]]) -> list[Row]:
    """Each corner's level: right in easy and middle grades, over the physical families that it reads and over all."""
    rows = []
    for name in CORNERS:
        asked = [m for m in marks[name] if FAMILIES[m.family].physical and m.grade in CURVED]
        for kind, of in (("level", [m for m in asked if m.failure != "cannot-read"]), ("level_of_all", asked)):
            right, ids, n = sum(m.correct for m in of), {m.question for m in of}, len(of)
            floors = {floor: sum(m.correct for m in marks[floor] if m.question in ids) / n for floor in FLOORS}
            note = f"{len({m.family for m in of})} physical families, easy and middle grades"
            rows.append(
                Row(
                    metric=f"{kind}/{name}",
                    value=right / n,
                    unit="1",
                    interval=wilson(right, n),
                    n=n,
                    floors=floors,
                    note=note,
                )
            )
    return rows


def ask_all(keep: Path, questions: QuestionSet, train: QuestionSet, out: Path) -> dict[str, tuple[Mark, ...]]:
    """Every contestant asked; the verdict written."""
    run = keep / f"run{len(questions)}"
    for contestant_ in (
        *(contestant(name, train) for name in NAMES),
        *(open_corner(name, keep / name) for name in CORNERS),
    ):
        print(run_bets(questions, contestant_, run, Budget(minutes=600)), flush=True)
    marks = marks_of(run, questions)
    card = verdict(questions, marks)
    card = replace(card, rows=(*levels(marks), *card.rows))
    write_json(out / "bets.json", card.to_json())
    print(card)
    return marks


def main() -> None:
    """Teach, ask, measure, write."""
    parser = options(__doc__)
    parser.add_argument("--keep", type=Path, required=True, help="folder of episodes, corners, sets and answers")
    parser.add_argument("--stage", choices=("teach", "ask", "curves", "fairness", "all"), default="all")
    parser.add_argument(
        "--corners", nargs="+", default=list(CORNERS), choices=list(CORNERS), help="taught by this call"
    )
    parser.add_argument("--flops", type=float, default=4e13, help="compute of each corner")
    parser.add_argument("--n", type=int, default=STANDARD_N, help="questions of each family and grade")
    parser.add_argument("--blind", type=int, default=60, help="questions of each family and grade for the blind")
    given = parser.parse_args()
    torch.set_num_threads(1)
    keep, every = given.keep, given.stage == "all"
    if every or given.stage == "teach":
        taught(keep, given.corners, given.flops)
    train = made(keep / "train", n=TRAIN_N, seed=TRAIN_SEED, split="train", name="train")
    if every or given.stage == "curves":
        asked = made(keep / "asked", n=CURVES_N, seed=CURVES_SEED, grades=CURVED, name="curves")
        card = curves_card(keep, asked, tell)
        write_json(given.out / "bets_curves.json", card.to_json())
        print(card)
    if not (every or given.stage in ("ask", "fairness")):
        return
    questions = made(keep / f"set{given.n}", n=given.n, seed=STANDARD_SEED, name=STANDARD)
    marks = ask_all(keep, questions, train, given.out)
    if not (every or given.stage == "fairness"):
        return
    replayed = verdict(questions, marks_of(keep / f"run{len(questions)}", questions)).rows
    same = float(np.mean([a == b for a, b in zip(verdict(questions, marks).rows, replayed, strict=True)]))
    note = "figures equal when judged again"
    rows = [
        *ceiling("text_ceiling", "text-simulator", marks, 0.99),
        *ceiling("sensor_ceiling", "sensor-readout", marks, 0.9),
        *blind(given.blind),
        *equal(keep),
        Row(metric="replay/equal", value=same, unit="1", n=len(replayed), note=note),
    ]
    protocol = {"set": STANDARD, "content_hash": questions.content_hash, "n": given.n, "blind": given.blind}
    write("bets_fairness", rows, protocol, [STANDARD_SEED, TRAIN_SEED, BLIND_SEED, EPISODES_SEED], given.out)


if __name__ == "__main__":
    main()
