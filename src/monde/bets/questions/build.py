"""`build_set`: questions of some families and grades, fresh by seed, written as one set."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from monde.bets.files import QuestionSet, write_set
from monde.bets.questions.acting import how_to_get_there, what_if, which_goal
from monde.bets.questions.draw import Draw, Made, draws
from monde.bets.questions.families import FAMILIES
from monde.bets.questions.home import Home
from monde.bets.questions.moving import hidden_things, what_happens_next, where_will_it_be, why
from monde.bets.questions.pairs import possible_or_not
from monde.bets.questions.puzzles import Puzzles
from monde.bets.questions.relations import spatial_relations
from monde.bets.types import GRADES, Grade
from monde.errors import UsageError, unknown_name
from monde.limits import MAX_BETS_QUESTIONS
from monde.store.typed import to_json
from monde.worlds.minimal_pairs.variety import split_of

SHARED_DATA = "MONDE_SHARED_DATA"
"""Environment variable: the folder that holds `phyre-tasks` and `text-spatial`."""

FOLDERS = {"puzzles": "phyre-tasks", "stepgame": "text-spatial", "bbh": "text-spatial", "planbench": "text-spatial"}
"""Families that need data of others, and its folder."""

MAKERS: Mapping[str, Callable[[Draw], Made]] = {
    "what-happens-next": what_happens_next,
    "where-will-it-be": where_will_it_be,
    "possible-or-not": possible_or_not,
    "what-if": what_if,
    "why": why,
    "which-goal": which_goal,
    "how-to-get-there": how_to_get_there,
    "spatial-relations": spatial_relations,
    "hidden-things": hidden_things,
}


def build_set(
    out: Path,
    *,
    name: str = "bets",
    n: int = 100,
    seed: int = 0,
    families: Sequence[str] = (),
    grades: Sequence[str] = (),
    split: str = "test",
    shared: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> QuestionSet:
    """Draw `n` questions of each family and grade and write them; equal arguments give equal questions.

    A question depends on family, grade, split, seed and its number alone: more of them begin with the same ones.

    Args:
        out: Folder to write; it must not exist.
        name: Of the set.
        n: Questions of each family and grade.
        seed: At least 0.
        families: Some of `FAMILIES`; by default all for which there is data.
        grades: Some of easy, middle, hard; by default all.
        split: test, or train: to fit contestants on.
        shared: Folder of `phyre-tasks` and `text-spatial`; by default what MONDE_SHARED_DATA names.
        progress: Called with (questions drawn, questions wanted).

    Raises:
        UsageError: An unknown name, numbers out of limits, or an extra that is not installed.
        DataError: Data of a family that was asked for is missing.
        StoreError: `out` exists, or the disk refuses.
    """
    part = split_of(split)
    if n < 1 or seed < 0:
        raise UsageError("no such set can be built", got=f"n={n}, seed={seed}", expected="n ≥ 1, seed ≥ 0")
    root = shared if shared is not None else _shared()
    chosen = [_family(name) for name in families] or [
        known for known in FAMILIES if known not in FOLDERS or (root is not None and (root / FOLDERS[known]).is_dir())
    ]
    levels = [_grade(name) for name in grades] or list(GRADES)
    wanted = n * len(chosen) * len(levels)
    if wanted > MAX_BETS_QUESTIONS:
        raise UsageError("so many questions make no set", got=wanted, expected=f"at most {MAX_BETS_QUESTIONS}")
    if out.exists():
        raise UsageError(f"{out} exists already", remedy="choose another folder, or remove it first")
    items: list[Made] = []
    for family in chosen:
        maker = _maker(family, root, seed)
        for grade in levels:
            for draw in draws(family, grade, range(n), seed, part):
                items.append(maker(draw))
                if progress is not None:
                    progress(len(items), wanted)
    told = {family: to_json(FAMILIES[family]) for family in chosen}
    return write_set(out, items, name=name, seed=seed, split=part, families=told)


def _maker(family: str, root: Path | None, seed: int) -> Callable[[Draw], Made]:
    if family in MAKERS:
        return MAKERS[family]
    if root is None:
        raise UsageError(
            f"the questions of {family!r} need data of others",
            got=f"{SHARED_DATA} is not set",
            remedy=f"set it to the folder that holds {FOLDERS[family]}, or leave this family out",
        )
    folder = root / FOLDERS[family]
    if family == "puzzles":
        return Puzzles(folder, seed).make
    home = Home(folder)
    return {"stepgame": home.stepgame, "bbh": home.bbh, "planbench": home.planbench}[family]


def _shared() -> Path | None:
    named = os.environ.get(SHARED_DATA)
    return Path(named) if named else None


def _family(name: str) -> str:
    if name not in FAMILIES:
        raise unknown_name("family of questions", name, list(FAMILIES))
    return name


def _grade(name: str) -> Grade:
    for grade in GRADES:
        if grade == name:
            return grade
    raise unknown_name("grade", name, list(GRADES))
