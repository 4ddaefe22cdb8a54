"""The verdict: statistics against known values, the run from end to end, and fairness on a small scale."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from monde.bets.files import QuestionSet, open_set
from monde.bets.leaderboard import check_leaderboard
from monde.bets.lineup import contestant
from monde.bets.marking import mark
from monde.bets.questions.build import build_set
from monde.bets.running import marks_of
from monde.bets.types import GUESSED, Answer, Truth
from monde.bets.verdict import UNREAD, holm, mcnemar, verdict
from monde.cli import main
from monde.errors import ContractError, DataError, StoreError, UsageError


def test_mcnemar_and_holm_are_the_textbooks() -> None:
    a = np.array([True] * 9 + [False] * 2 + [True] * 20)
    b = np.array([False] * 9 + [True] * 2 + [True] * 20)
    # Two-sided binomial of 2 or fewer, or 9 or more, of 11: 2 (1 + 11 + 55) / 2^11.
    assert mcnemar(a, b) == pytest.approx(2 * 67 / 2**11)
    assert mcnemar(a, a) == 1.0
    with pytest.raises(ContractError, match="line up"):
        mcnemar(a, b[:-1])
    # Holm's own order: the smallest times 4, then 3, 2, 1, never falling.
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005}) == pytest.approx(
        {"d": 0.02, "a": 0.03, "c": 0.06, "b": 0.06}
    )


def test_marks_follow_the_truth(few_set: QuestionSet) -> None:
    question = few_set.question(0)
    truth = few_set.truths()[question.id]
    assert truth.choice is not None
    assert mark(question, truth, Answer(question=question.id, choice=truth.choice)).correct
    assert not mark(question, truth, Answer(question=question.id, choice=(truth.choice + 1) % 4)).correct
    assert mark(question, truth, None).failure == "budget"
    refused = mark(question, truth, Answer(question=question.id, failure="refused", raw="no"))
    assert (refused.correct, refused.score, refused.failure) == (False, 0.0, "refused")
    with pytest.raises(ContractError, match="another question"):
        mark(question, truth, Answer(question="x", choice=0))
    planned = few_set.question(4)
    plan = Answer(question=planned.id, plan=((1.0, 0.0, 1.0),))
    with pytest.raises(ContractError, match="nobody judges"):
        mark(planned, Truth(id=planned.id, judge={"world": "moon"}), plan)


def test_taught_floors_and_ceilings_need_a_training_set(few_set: QuestionSet, tmp_path: Path) -> None:
    for training in (None, few_set):
        with pytest.raises(UsageError, match="training set"):
            contestant("majority", training)
    with pytest.raises(UsageError, match="unknown contestant"):
        contestant("minority")
    training = build_set(tmp_path / "t", n=1, families=("what-if",), grades=("easy",), split="train")
    with pytest.raises(DataError, match="no room"):
        contestant("sensor-readout", training)


def test_the_sensors_suffice(small_set: QuestionSet, tmp_path: Path) -> None:
    families = ("what-happens-next", "hidden-things")
    training = build_set(tmp_path / "train", n=3, families=families, grades=("easy", "middle"), split="train")
    readout, truths = contestant("sensor-readout", training), small_set.truths()
    shortfalls = ("possible-or-not", "why")
    asked = [q for q in small_set.questions() if q.family not in shortfalls]
    right = [mark(q, truths[q.id], readout.answer(q)).correct for q in asked]
    assert len(right) == 42
    assert np.mean(right) >= 0.9


def test_from_questions_to_the_page(
    tmp_path: Path, few_set: QuestionSet, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MONDE_SHARED_DATA", raising=False)
    build = ["bets", "build", "set", "--n", "2", "--grades", "easy", "--families", "what-if", "where-will-it-be"]
    assert main([*build, "--quiet"]) == 0
    assert main([*build, "--quiet"]) == 2
    assert main(["bets", "build", "train", "--n", "4", "--split", "train", *build[5:], "--quiet"]) == 0
    run = ["bets", "run", "set", "--out", "run", "--training", "train", "--quiet"]
    who = ["--contestants", "random", "majority", "copy-last", "text-simulator"]
    assert main([*run, *who]) == 0
    assert main([*run, *who, "--json", "again.json"]) == 0
    again = json.loads(Path("again.json").read_text(encoding="utf-8"))
    assert [one["new"] for one in again["contestants"]] == [0, 0, 0, 0]
    assert main(["bets", "report", "run", "--questions", "set", "--json", "card.json", "--quiet"]) == 0
    page = Path("run/report.html").read_text(encoding="utf-8")
    assert page.count("<h3>what-if") == 2
    assert "text-simulator" in page
    assert not re.search(r"https?://|<script", page)
    card = json.loads(Path("card.json").read_text(encoding="utf-8"))
    rows = {row["metric"]: row for row in card["rows"]}
    assert rows["accuracy/what-if/easy/text-simulator"]["value"] == 1.0
    assert set(rows["accuracy/what-if/easy/text-simulator"]["floors"]) == {"random", "majority", "copy-last"}
    assert "p_holm/what-if/random vs text-simulator" in rows
    questions = open_set(Path("set"))
    assert check_leaderboard(json.loads(Path("run/leaderboard.json").read_text(encoding="utf-8")), questions) == 4
    first, second = (verdict(questions, marks_of(Path("run"), questions)) for _ in range(2))
    assert first.rows == second.rows
    capsys.readouterr()
    assert main(["bets", "report", "run", "--questions", str(few_set.root)]) == 2
    assert "other questions" in capsys.readouterr().err


def test_a_share_right_says_what_it_hides(few_set: QuestionSet) -> None:
    """Nothing read, all guessed, some failed: the note tells, and no share of right answers can."""
    truths = few_set.truths()

    def note(**given: object) -> set[str]:
        marks = [mark(q, truths[q.id], Answer(question=q.id, **given)) for q in few_set.questions()]  # type: ignore[arg-type]
        return {row.note for row in verdict(few_set, {"one": marks}).rows if row.metric.startswith("accuracy/")}

    assert note(choice=0, note=GUESSED) == {GUESSED}
    assert note(failure="cannot-read") == {UNREAD}
    assert note(choice=0) == {""}
    assert all("refused" in told for told in note(failure="refused"))


def test_leaderboards_that_do_not_follow_are_refused(tmp_path: Path, few_set: QuestionSet) -> None:
    cells = {"what-if": {"easy": {"correct": 2, "n": 4}}, "how-to-get-there": {"easy": {"correct": 4, "n": 4}}}
    entry = {"contestant": "x", "mean": 0.75, "families": cells}
    good = {"schema": "monde.bets-leaderboard/1", "content_hash": few_set.content_hash, "entries": [entry]}
    assert check_leaderboard(good, few_set) == 1
    worse = (
        {**good, "schema": "monde.bets-leaderboard/0"},
        {**good, "content_hash": "0" * 64},
        {**good, "entries": None},
        {**good, "entries": [{**entry, "mean": 0.8}]},
        {**good, "entries": [{**entry, "families": {"what-if": cells["what-if"]}}]},
        {**good, "entries": [{**entry, "families": {**cells, "what-if": {"easy": {"correct": 5, "n": 4}}}}]},
    )
    for document in worse:
        with pytest.raises(StoreError):
            check_leaderboard(document, few_set)
