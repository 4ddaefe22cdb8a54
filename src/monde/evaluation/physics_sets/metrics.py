"""The metrics of each set as its paper defines them: pure functions from items and surprises (or answers) to rows.

Surprise is one number a film (see `reduced`): the higher, the less plausible. Rows are fractions of 1.
"""

from collections.abc import Mapping, Sequence

from monde.errors import ContractError, DataError, unknown_name
from monde.evaluation.physics_sets.comparing import (
    Trial,
    Trials,
    area_error,
    beats,
    grouped,
    judged,
    pair_trials,
    rows_of,
)
from monde.evaluation.physics_sets.items import Item
from monde.scorecard import Row

_PAIRWISE = "the impossible film of a pair surprises more (Garrido et al., arXiv 2502.11831, Section 2)"


def intphys_rows(items: Sequence[Item], surprise: Mapping[str, float], seed: int = 0) -> list[Row]:
    """IntPhys (arXiv 1803.07616): relative error (Equation 1), absolute error (Equation 2), and pairwise accuracy.

    - `relative_error`: the share of quadruplets whose possible movies are together at least as surprising as the
      impossible ones; a tie is half an error, as the challenge corrected it in 2020.
    - `absolute_error`: 1 − area under the ROC curve over all films of a block, with a bootstrap over quadruplets.
    - `pairwise_accuracy` (arXiv 2502.11831): where films have pairs (see `match_movies`).

    Each by block, by visibility where the set states it, and by both.

    Raises:
        DataError: Labels are withheld, or nothing could be judged.
        ContractError: A surprise that is not finite or belongs to no film.
    """
    quadruplets = _quadruplets(items, surprise)
    note = "a quadruplet is wrong where its impossible movies surprise less in sum (arXiv 1803.07616, Equation 1)"
    rows = rows_of("intphys/relative_error", quadruplets, 0.5, note, "quadruplets")
    complete = [item for item in judged(items, surprise) if item.group not in quadruplets.left_out]
    parts: dict[str, list[Item]] = {"all": complete}
    for item in complete:
        grades = [f"{key}={grade}" for key, grade in item.conditions.items()]
        for name in (item.principle, *grades, *(f"{item.principle}/{grade}" for grade in grades)):
            parts.setdefault(name, []).append(item)
    told = f"1 − area under the ROC curve (arXiv 1803.07616, Equation 2); {quadruplets.note('quadruplets')}".rstrip(
        "; "
    )
    for name, films in parts.items():
        value, interval = area_error(films, surprise, seed)
        rows.append(
            Row(
                metric=f"intphys/absolute_error/{name}",
                value=value,
                interval=interval,
                n=len(films),
                floors={"chance": 0.5},
                note=told,
            )
        )
    pairs = pair_trials(items, surprise)
    return rows + (rows_of("intphys/pairwise_accuracy", pairs, 0.5, _PAIRWISE, "pairs") if pairs.judged else [])


def intphys2_rows(items: Sequence[Item], surprise: Mapping[str, float]) -> list[Row]:
    """IntPhys 2 (arXiv 2506.09849, Appendix D): pairwise accuracy over all pairs, by condition, difficulty and camera.

    A scene is two pairs. Whether the paper's total is over pairs ("all") or the mean over conditions ("mean") could not
    be read in a stored source, so both are given.

    Raises:
        DataError: Labels are withheld (HeldOut), or nothing could be judged.
        ContractError: A surprise that is not finite or belongs to no film.
    """
    note = "the impossible film of a pair surprises more (arXiv 2506.09849, Appendix D)"
    return rows_of("intphys2/pairwise_accuracy", pair_trials(items, surprise), 0.5, note, "pairs")


def grasp_rows(items: Sequence[Item], surprise: Mapping[str, float]) -> list[Row]:
    """GRASP, Level 2 by surprise: pairwise accuracy by test, and its mean over tests (arXiv 2502.11831, Section 2).

    Raises:
        DataError: There is no Level 2, or nothing could be judged.
        ContractError: A surprise that is not finite or belongs to no film.
    """
    second = [item for item in items if item.question is None]
    if not second:
        raise DataError(
            "there is no Level 2 of GRASP to score by surprise",
            got=f"{len(items)} questions of Level 1",
            remedy="grasp_answer_rows(items, answers) scores Level 1",
        )
    questions = {item.id for item in items if item.question}
    told = {name: value for name, value in surprise.items() if name not in questions}
    return rows_of("grasp/pairwise_accuracy", pair_trials(second, told), 0.5, _PAIRWISE, "pairs")


def grasp_answer_rows(items: Sequence[Item], answers: Mapping[str, str]) -> list[Row]:
    """GRASP by answers, as its makers score language models (arXiv 2311.09048): accuracy by test.

    Level 2 asks of each film whether it is plausible ("yes" or "no"), and is also given for possible and impossible
    films alone; Level 1 asks which of an item's candidates is seen. Any other answer is wrong.

    Raises:
        DataError: No item has an answer.
        ContractError: An answer to an item that is not in the set.
    """
    rows: list[Row] = []
    right: dict[str, list[Trial]] = {"level2": [], "level2_possible": [], "level2_impossible": [], "level1": []}
    unanswered: dict[str, list[str]] = {name: [] for name in right}
    _check_answers(items, answers)
    for item in items:
        kind = "level1" if item.question else "level2"
        kinds = [kind] if item.question else [kind, f"level2_{'possible' if item.possible else 'impossible'}"]
        truth = item.question.answer if item.question else "yes" if item.possible else "no"
        for name in kinds:
            if item.id in answers:
                correct = answers[item.id].strip().lower() == truth.lower()
                right[name].append(Trial(value=float(correct), principle=item.principle, conditions={}))
            else:
                unanswered[name].append(item.id)
    chances = {name: _chance(items) if name == "level1" else 0.5 for name in right if right[name]}
    for name, chance in chances.items():
        trials = Trials(tuple(right[name]), tuple(unanswered[name]))
        rows += rows_of(f"grasp/accuracy/{name}", trials, chance, "answers that are right (arXiv 2311.09048)", "films")
    return rows


def inflevel_rows(items: Sequence[Item], surprise: Mapping[str, float]) -> list[Row]:
    """InfLevel-Lab (TMLR 2022): accuracy over quadruplets, and pairwise accuracy (arXiv 2502.11831, Section 2).

    `accuracy` is its makers' own: of the four comparisons of a real with a magic film in a quadruplet, the share in
    which the magic one surprises more, ties counted half; incomplete quadruplets are left out. Its interval is over
    quadruplets, whose four comparisons share films. Both by category, with the mean over categories.

    Raises:
        DataError: Nothing could be judged.
        ContractError: A surprise that is not finite or belongs to no film.
    """
    scored = grouped(judged(items, surprise), by_pair=False)
    trials, left_out = [], []
    for name in grouped(items, by_pair=False):
        real = [item for item in scored.get(name, []) if item.possible]
        magic = [item for item in scored.get(name, []) if not item.possible]
        if len(real) != 2 or len(magic) != 2:
            left_out.append(name)
            continue
        wins = [beats(surprise[other.id], surprise[one.id]) for one in real for other in magic]
        trials.append(Trial(value=sum(wins) / 4, principle=real[0].principle, conditions=real[0].conditions))
    pairs = pair_trials(items, surprise)
    rows = rows_of("inflevel/pairwise_accuracy", pairs, 0.5, _PAIRWISE, "pairs")
    if not trials:
        return rows
    note = "four comparisons of a real with a magic film in a quadruplet (Weihs et al., TMLR 2022, evaluator)"
    return [*rows_of("inflevel/accuracy", Trials(tuple(trials), tuple(left_out)), 0.5, note, "quadruplets"), *rows]


def mvp_rows(items: Sequence[Item], answers: Mapping[str, str]) -> list[Row]:
    """Minimal Video Pairs (arXiv 2506.09987): paired accuracy, and that of single questions, by subset.

    Args:
        items: Of the set.
        answers: The candidate that was chosen, in its own words, by item. Any other text is a wrong answer.

    A pair counts only where both its questions are answered rightly; chance is a quarter. Pairs of which a film is
    missing or unanswered are left out.

    Raises:
        DataError: No pair is answered.
        ContractError: An answer to an item that is not in the set.
    """
    _check_answers(items, answers)
    right = {item.id: _is_right(item, answers[item.id]) for item in items if item.id in answers}
    single = Trials(
        tuple(Trial(value=float(right[i.id]), principle=i.principle, conditions={}) for i in items if i.id in right),
        tuple(item.id for item in items if item.id not in right),
    )
    trials, left_out = [], []
    for name, two in grouped(items, by_pair=True).items():
        if len(two) == 2 and all(item.id in right for item in two):
            value = float(all(right[item.id] for item in two))
            trials.append(Trial(value=value, principle=two[0].principle, conditions={}))
        else:
            left_out.append(name)
    pairs = Trials(tuple(trials), tuple(left_out))
    note = "both questions of a pair answered rightly (arXiv 2506.09987)"
    return [
        *rows_of("mvp/paired_accuracy", pairs, 0.25, note, "pairs"),
        *rows_of("mvp/accuracy", single, 0.5, "questions answered rightly (arXiv 2506.09987)", "questions"),
    ]


def _quadruplets(items: Sequence[Item], surprise: Mapping[str, float]) -> Trials:
    """Errors over quadruplets; those that are not two possible and two impossible films with surprises are left out."""
    scored = grouped(judged(items, surprise), by_pair=False)
    trials, left_out = [], []
    for name in grouped(items, by_pair=False):
        films = scored.get(name, [])
        sums = {kind: [surprise[item.id] for item in films if item.possible is kind] for kind in (True, False)}
        if len(sums[True]) != 2 or len(sums[False]) != 2:
            left_out.append(name)
            continue
        value = 1 - beats(sum(sums[False]), sum(sums[True]))
        one = films[0]
        trials.append(Trial(value=value, principle=one.principle, conditions=one.conditions, tie=value == 0.5))
    return Trials(tuple(trials), tuple(left_out))


def _check_answers(items: Sequence[Item], answers: Mapping[str, str]) -> None:
    known = {item.id for item in items}
    for name in answers:
        if name not in known:
            raise unknown_name("item", name, sorted(known)[:5], ContractError)
    if not answers:
        raise DataError("no film has an answer", got="0 answers", expected="one of an item's candidates by its id")


def _is_right(item: Item, answer: str) -> bool:
    return item.question is not None and answer.strip() == item.question.answer


def _chance(items: Sequence[Item]) -> float:
    """Of guessing Level 1: the mean over its questions."""
    shares = [1 / len(item.question.candidates) for item in items if item.question]
    return sum(shares) / len(shares)
