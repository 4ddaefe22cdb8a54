"""Questions: true to what happened, told completely, and alike in all that could give their answers away."""

from pathlib import Path

import numpy as np
import pytest

from monde.bets.files import QuestionSet
from monde.bets.foresight import ConstantVelocity, CopyLast, Simulated
from monde.bets.puzzles import auccess, load_tasks, place, read_task, tell_task, try_placement
from monde.bets.questions.acting import reached
from monde.bets.questions.build import MAKERS, build_set
from monde.bets.questions.draw import draws
from monde.bets.questions.rooms import draw_siblings
from monde.bets.questions.rooms_text import read_room, tell_room
from monde.bets.situations import read_text
from monde.bets.solving import Guessing, Solver
from monde.bets.types import GRADES, GUESSED
from monde.errors import ContractError, DataError


def test_a_question_depends_on_seed_and_number_alone(small_set: QuestionSet, tmp_path: Path) -> None:
    again = build_set(tmp_path / "a", n=3, seed=3, families=("what-if", "why"), grades=("middle",))
    first = {q.id: q.content_hash for q in small_set.questions()}
    same = {q.id: q.content_hash for q in again.questions()}
    shared = set(first) & set(same)
    assert len(shared) == 4
    assert all(first[id] == same[id] for id in shared)
    other = build_set(tmp_path / "b", n=1, seed=4, families=("what-if",), grades=("middle",))
    assert other.question(0).content_hash != first["what-if.middle.0000"]


def test_answers_are_balanced_whatever_the_number_of_options() -> None:
    turns = [draw.turn for draw in draws("why", "hard", range(48), 1, "test")]
    for options in (2, 3, 4):
        counts = np.bincount(np.array(turns) % options)
        assert counts.tolist() == [48 // options] * options
    assert turns[:12] != turns[12:24]


def test_rooms_of_one_picture_differ_in_velocity_alone() -> None:
    siblings = draw_siblings(np.random.default_rng(0), 4, 2, "middle", "test")
    now = [past.position[-1] for _, past in siblings]
    assert all(np.allclose(place, now[0], atol=1e-9) for place in now)
    assert len({room.bodies[0].velocity for room, _ in siblings}) == 4
    for room, past in siblings:
        # The past leads here: played forwards from its first frame it arrives at now.
        begun = read_room(tell_room(room, past))
        again = begun.past()
        assert again is not None
        assert np.abs(again.position - past.position).max() < 1e-3


@pytest.mark.parametrize("family", MAKERS)
def test_the_simulator_restarted_from_the_text_is_right(small_set: QuestionSet, family: str) -> None:
    truths = small_set.truths()
    solver = Solver("text ceiling", read_text, Simulated())
    asked = [q for q in small_set.questions(sensors=True) if q.family == family]
    assert len(asked) == 2 * len(GRADES)
    for question in asked:
        answer, truth = solver.answer(question), truths[question.id]
        assert not answer.note
        if question.kind == "choice":
            assert answer.choice == truth.choice, question.id
        elif question.kind == "number":
            assert answer.number == pytest.approx(truth.number, abs=0.05), question.id
        else:
            assert answer.plan is not None
            assert reached(dict(truth.judge or {}), answer.plan), question.id


def test_floors_answer_everything_and_guesses_are_named(small_set: QuestionSet) -> None:
    for contestant in (
        Guessing(),
        Solver("hold", read_text, CopyLast()),
        Solver("drift", read_text, ConstantVelocity()),
    ):
        for question in small_set.questions():
            answer = contestant.answer(question)
            assert answer.failure is None
            assert answer == contestant.answer(question) or answer.seconds > 0
    guessed = Solver("hold", read_text, CopyLast()).answer(small_set.question(small_set.ids.index("why.easy.0000")))
    assert guessed.note == GUESSED


def test_plans_are_judged_by_the_world() -> None:
    judge = {"world": "two-rooms", "door": 32.0, "start": [20.0, 32.0], "goal": [44.0, 32.0], "steps": 12}
    assert reached(judge, ((1.0, 0.0, 12.0),))
    assert reached(judge, ((1.0, 0.0, 10.0), (-1.0, 0.0, 2.0)))
    assert not reached(judge, ((1.0, 0.0, 9.0),))
    assert not reached(judge, ((0.0, 1.0, 40.0), (1.0, 0.0, 12.0)))
    assert not reached({**judge, "door": 10.0}, ((1.0, 0.0, 12.0),))
    for wrong in (((2.0, 0.0, 12.0),), ((1.0, 0.0),), ((1.0, 0.0, 0.0),), ()):
        assert not reached(judge, wrong)


def test_text_that_tells_nothing_is_refused() -> None:
    with pytest.raises(ContractError, match="does not tell a room"):
        read_room("a room")
    with pytest.raises(ContractError, match="does not tell a puzzle"):
        read_task("a puzzle")


def test_auccess_is_phyres() -> None:
    # By the definition: the sum of weights from the attempt that solved it to the hundredth, over all.
    weights = np.log(np.arange(2, 102)) - np.log(np.arange(1, 101))
    for solved in (1, 2, 10, 100):
        assert auccess(solved) == pytest.approx(weights[solved - 1 :].sum() / weights.sum())
    assert (auccess(None), auccess(101), auccess(1)) == (0.0, 0.0, 1.0)


def test_placements_are_scaled_and_bounded_as_phyres() -> None:
    assert place((0.5, 0.25, 1.0)) == (127, 63, 32)
    assert place((0.5, 0.5, 0.5)) == (127, 127, 17)
    assert place((0.0, 0.5, 0.0)) is None
    assert place((0.5, 0.5, 1.5)) is None
    assert place((0.5, 0.5)) is None


def test_puzzles_come_from_phyre_and_are_simulated(shared_folder: Path, tmp_path: Path) -> None:
    task = next(load_tasks(shared_folder / "phyre-tasks"))
    assert read_task(tell_task(task)).bodies == task.bodies
    # Task 00000: a green ball at x 90 and a blue one at x 192, both at rest on the ground.
    assert try_placement(task, (0.35, 0.25, 0.5)) == "invalid"
    some = list(load_tasks(shared_folder / "phyre-tasks"))[::230]
    actions = [tuple(map(float, action)) for action in np.random.default_rng(0).uniform(size=(30, 3))]
    outcomes = [[try_placement(one, action) for action in actions] for one in some]
    assert {"solved", "unsolved", "invalid"} == {outcome for row in outcomes for outcome in row}
    assert outcomes[:3] == [[try_placement(one, action) for action in actions] for one in some[:3]]
    with pytest.raises(DataError, match="holds no puzzles"):
        next(load_tasks(tmp_path))
    (tmp_path / "tasks_decoded.jsonl.gz").write_bytes(b"not gzip")
    with pytest.raises(DataError, match="malformed"):
        next(load_tasks(tmp_path))


def test_puzzles_and_text_tasks_become_questions(shared_folder: Path, tmp_path: Path) -> None:
    made = build_set(
        tmp_path / "a",
        n=1,
        families=("puzzles", "stepgame", "bbh", "planbench"),
        grades=("hard",),
        shared=shared_folder,
    )
    puzzle, stepgame, riddle, plan = made.questions()
    assert puzzle.sensors["scene"].shape == (1, 3, 64, 64)
    answer = Solver("text ceiling", read_text, Simulated()).answer(puzzle)
    assert answer.plan is not None
    assert try_placement(read_task(puzzle.text), answer.plan[0]) == "solved"
    assert len(stepgame.options) == 9
    assert len(riddle.options) >= 3
    assert "(overcome" in plan.text or "(attack" in plan.text
    for text in (stepgame, riddle, plan):
        assert Solver("text ceiling", read_text, Simulated()).answer(text).failure == "cannot-read"
    with pytest.raises(DataError, match="stepgame"):
        build_set(tmp_path / "b", n=1, families=("stepgame",), shared=tmp_path)
