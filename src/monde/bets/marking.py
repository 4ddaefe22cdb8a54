"""What an answer is worth: right or not, by what really happened."""

from dataclasses import dataclass
from functools import lru_cache

from monde.bets.puzzles import MAX_ATTEMPTS, auccess, read_task, try_placement
from monde.bets.questions.acting import reached
from monde.bets.types import GUESSED, Answer, Failure, Grade, Question, Truth
from monde.errors import ContractError


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One answer, judged.

    Args:
        question: Id.
        family: Of the question.
        grade: Of the question.
        correct: Whether it is right; a puzzle: whether the first placement solves it. A failure is wrong.
        score: 1 if right, else 0; of a puzzle its AUCCESS.
        confidence: As given, or none.
        failure: Why there is no answer, or none.
        guessed: Whether it was guessed, where a rule was missing.
        seconds: It took.
        usd: It cost.
        tokens: Read and written.
    """

    question: str
    family: str
    grade: Grade
    correct: bool
    score: float
    confidence: float | None
    failure: Failure | None
    guessed: bool
    seconds: float
    usd: float
    tokens: int


def mark(question: Question, truth: Truth, answer: Answer | None) -> Mark:
    """The mark of an answer; none given: a budget was spent before it was asked for.

    Raises:
        ContractError: Question, truth and answer are not of one id, or a plan's judge is unknown.
    """
    if question.id != truth.id or (answer is not None and answer.question != question.id):
        raise ContractError("an answer is to another question", got=answer, expected=question.id)
    given = answer or Answer(question=question.id, failure="budget")
    score, correct = (0.0, False) if given.failure is not None else _worth(question, truth, given)
    return Mark(
        question=question.id,
        family=question.family,
        grade=question.grade,
        correct=correct,
        score=score,
        confidence=given.confidence,
        failure=given.failure,
        guessed=given.note == GUESSED,
        seconds=given.seconds,
        usd=given.cost.usd,
        tokens=given.cost.tokens_in + given.cost.tokens_out,
    )


def _worth(question: Question, truth: Truth, answer: Answer) -> tuple[float, bool]:
    if question.kind == "choice":
        right = answer.choice is not None and answer.choice == truth.choice
    elif question.kind == "number":
        told, true = answer.number, truth.number
        right = told is not None and true is not None and abs(told - true) <= truth.tolerance
    else:
        plan, judge = answer.plan or (), dict(truth.judge or {})
        if judge.get("world") == "phyre":
            return _puzzle(str(judge["text"]), plan)
        if judge.get("world") != "two-rooms":
            raise ContractError("nobody judges this plan", got=judge.get("world"), expected="phyre or two-rooms")
        right = reached(judge, plan)
    return float(right), right


@lru_cache(maxsize=4096)
def _puzzle(text: str, plan: tuple[tuple[float, ...], ...]) -> tuple[float, bool]:
    # Who has no rule guesses, and all guess alike: equal plans are simulated once.
    task, attempt = read_task(text), 0
    for row in plan:
        outcome = try_placement(task, row)
        attempt += outcome != "invalid"
        if outcome == "solved" or attempt >= MAX_ATTEMPTS:
            return auccess(attempt if outcome == "solved" else None), outcome == "solved" and attempt == 1
    return 0.0, False
