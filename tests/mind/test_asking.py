"""A mind answers: what is equal must be equal, what differs must be told, and what is refused is named."""

import json
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from monde.agents import record
from monde.data import open_recording
from monde.errors import ContractError, DataError, MondeError, PlanningError, UsageError
from monde.mind import (
    VERBS,
    Avoid,
    BeliefHandle,
    BeliefValue,
    Box,
    CompareRequest,
    Course,
    ExplainRequest,
    GoalBelief,
    GoalFrame,
    GoalOfRequest,
    GoalPicture,
    GoalReadout,
    ImagineRequest,
    Mind,
    Observed,
    PerceiveRequest,
    PlanRequest,
    StateRequest,
    SurpriseRequest,
    UpdateRequest,
    Within,
)
from monde.mind.beliefs import Beliefs, Held
from monde.store import read_json, write_json
from monde.store.typed import from_json, to_json
from monde.worlds import make


def course(x: float, y: float, blocks: int = 4, name: str = "course") -> Course:
    return Course(name=name, controls=np.tile(np.array([[x, y]], np.float32), (5 * blocks, 1)))


def film(seed: int, controls: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Frames at every block and true places [T, 2] of some control steps."""
    world = make("tworoom", 1)
    seen = world.reset([seed])
    frames, places = [seen.values["top"][0]], [seen.values["state"][0]]
    for step, control in enumerate(controls, start=1):
        seen = world.step(control[None]).observation
        if step % 5 == 0:
            frames.append(seen.values["top"][0])
            places.append(seen.values["state"][0])
    world.close()
    return np.stack(frames), np.stack(places)


@pytest.fixture(scope="module")
def frame() -> np.ndarray:
    return film(7, np.zeros((0, 2), np.float32))[0]


@pytest.fixture(scope="module")
def here(mind: Mind, frame: np.ndarray) -> BeliefHandle:
    belief = mind.perceive(PerceiveRequest(observed=Observed(sensors={"top": frame}))).belief
    assert isinstance(belief, BeliefHandle)
    return belief


@pytest.fixture(scope="module")
def goal() -> GoalPicture:
    return GoalPicture(sensors={"top": film(8, np.zeros((0, 2), np.float32))[0][0]}, name="there")


def test_handle_and_value_are_one_belief(mind: Mind, frame: np.ndarray, here: BeliefHandle) -> None:
    value = mind.perceive(PerceiveRequest(observed=Observed(sensors={"top": frame}), keep="value")).belief
    assert isinstance(value, BeliefValue)
    carried = from_json(BeliefValue, json.loads(json.dumps(to_json(value))))
    futures = [
        mind.imagine(ImagineRequest(belief=belief, courses=(course(1, 0),), readouts=("state",))).futures[0]
        for belief in (here, value, carried)
    ]
    for future in futures[1:]:
        np.testing.assert_array_equal(future.readings[0].values, futures[0].readings[0].values)


def test_an_update_is_what_perceiving_both_moments_is(mind: Mind, here: BeliefHandle) -> None:
    done = course(1, 0.5, blocks=1)
    frames, _ = film(7, done.controls)
    later = Observed(sensors={"top": frames[1:]}, start_seconds=0.5)
    updated = mind.update(UpdateRequest(belief=here, observed=later, course=done))
    both = mind.perceive(PerceiveRequest(observed=Observed(sensors={"top": frames}, controls=done.controls)))
    states = [mind.state(StateRequest(belief=belief)) for belief in (updated.belief, both.belief)]
    np.testing.assert_allclose(states[0].readings[0].values, states[1].readings[0].values, atol=1e-4)
    assert [state.time_seconds for state in states] == [0.5, 0.5]
    assert updated.surprise is not None
    assert 0 < updated.surprise < 10


def test_imagination_goes_on_from_where_it_ended(mind: Mind, here: BeliefHandle) -> None:
    whole = course(1, -0.5)
    parts = [Course(name="part", controls=whole.controls[half]) for half in (slice(0, 10), slice(10, 20))]
    at_once = mind.imagine(ImagineRequest(belief=here, courses=(whole,), readouts=("*",))).futures[0]
    first = mind.imagine(ImagineRequest(belief=here, courses=(parts[0],), keep="handle")).futures[0]
    assert isinstance(first.belief, BeliefHandle)
    assert first.belief.imagined_blocks == 2
    second = mind.imagine(ImagineRequest(belief=first.belief, courses=(parts[1],), readouts=("*",))).futures[0]
    told, wanted = second.readings[0], at_once.readings[0]
    np.testing.assert_allclose(told.values, wanted.values[2:], atol=1e-4)
    # What lies four blocks ahead is as uncertain, in however many questions it was imagined.
    np.testing.assert_allclose(told.high - told.low, (wanted.high - wanted.low)[2:], atol=1e-4)
    np.testing.assert_allclose(second.times_seconds, at_once.times_seconds[2:])


def test_intervals_cover_what_they_say(mind: Mind, tmp_path: Path) -> None:
    """Episodes of the same kind that nothing was fitted on: now and up to four blocks ahead."""
    record("tworoom", tmp_path / "fresh", episodes=40, steps=40, seed=99, batch=40)
    fresh = open_recording(tmp_path / "fresh")
    now, ahead = [], []
    for episode in range(40):
        clip = fresh.read(episode, 15, 36, ["top", "state"])
        frames, places = (clip.stream(name).values[0].numpy() for name in ("top", "state"))
        assert clip.actions is not None
        done = Course(name="as it was", controls=clip.actions.values[0].numpy())
        belief = mind.perceive(PerceiveRequest(observed=Observed(sensors={"top": frames[:1]}))).belief
        reading = mind.state(StateRequest(belief=belief)).readings[0]
        now.append((reading.low[0] <= places[0]) & (places[0] <= reading.high[0]))
        future = mind.imagine(ImagineRequest(belief=belief, courses=(done,), readouts=("state",))).futures[0]
        reading = future.readings[0]
        ahead.append((reading.low <= places[5::5]) & (places[5::5] <= reading.high))
    assert (reading.unit, reading.names) == ("px", ("x", "y"))
    assert 0.85 < np.mean(now) <= 1
    assert 0.85 < np.mean(ahead) <= 1


def test_hypotheses_differ_and_pictures_are_drawn(mind: Mind, here: BeliefHandle) -> None:
    asked = ImagineRequest(belief=here, courses=(course(1, 0),), hypotheses=3, frames=True)
    future = mind.imagine(asked).futures[0]
    assert (future.spread > 0).all()
    assert future.frames is not None
    assert (future.frames.shape, future.frames.dtype) == ((4, 3, 64, 64), np.uint8)
    assert not mind.imagine(replace(asked, hypotheses=1, frames=False)).futures[0].spread.any()


def test_a_comparison_does_not_depend_on_the_order(mind: Mind, here: BeliefHandle, goal: GoalPicture) -> None:
    courses = (course(1, 0, name="right"), course(-1, 0, name="left"), course(0, 1, 6, name="down"))
    asked = CompareRequest(belief=here, courses=courses, goal=goal, hypotheses=3)
    one, other = mind.compare(asked), mind.compare(replace(asked, courses=courses[::-1]))
    assert [outcome.course for outcome in one.outcomes] == [outcome.course for outcome in other.outcomes]
    costs = [outcome.cost for outcome in one.outcomes]
    assert costs == sorted(costs)
    for outcome in one.outcomes:
        assert outcome.low <= outcome.cost <= outcome.high
        assert outcome.seconds_to_goal is not None
    assert one.unit == "blocks"
    # The end of a course is one of the moments of its way.
    soonest = mind.compare(replace(asked, moment="soonest", hypotheses=1))
    ends = {o.course: o.seconds_to_goal for o in mind.compare(replace(asked, hypotheses=1)).outcomes}
    assert all((o.seconds_to_goal or 0) <= (ends[o.course] or 0) + 1e-4 for o in soonest.outcomes)


def test_what_keeps_to_the_constraints_is_better(mind: Mind, here: BeliefHandle, goal: GoalPicture) -> None:
    courses = (course(1, 0, name="right"), course(-1, 0, name="left"))
    free = mind.compare(CompareRequest(belief=here, courses=courses, goal=goal))
    best = free.outcomes[0].course
    ends = {
        future.course: future.readings[0].values[-1]
        for future in mind.imagine(ImagineRequest(belief=here, courses=courses, readouts=("state",))).futures
    }
    avoid = Avoid(readout="state", centre=tuple(float(x) for x in ends[best]), radius=1.0)
    bound = mind.compare(CompareRequest(belief=here, courses=courses, goal=goal, constraints=(avoid,)))
    assert bound.outcomes[0].course != best
    assert bound.outcomes[0].violation == 0
    assert bound.outcomes[1].violation == pytest.approx(1.0, abs=0.1)
    within = Within(readout="state", low=(None, None), high=(float(ends[best][0]) - 2, None))
    told = mind.compare(CompareRequest(belief=here, courses=courses, goal=goal, constraints=(within,)))
    assert {o.course: o.violation for o in told.outcomes}[best] > 0


def test_goals_of_every_kind_are_judged(mind: Mind, here: BeliefHandle, frame: np.ndarray) -> None:
    courses = (course(1, 0, name="right"), course(-1, 0, name="left"))
    for kind, unit in (
        (GoalPicture(sensors={"top": frame[0]}), "blocks"),
        (GoalFrame(episode=0, frame=-1), "blocks"),
        (GoalBelief(belief=here), "blocks"),
        (GoalReadout(text="state=40,20±3"), "px"),
        (GoalReadout(text="state.x>40,state.y<20"), "1"),
    ):
        assert mind.compare(CompareRequest(belief=here, courses=courses, goal=kind)).unit == unit


def test_a_plan_is_carried_out_as_it_is_told(mind: Mind, here: BeliefHandle, goal: GoalPicture) -> None:
    planned = mind.plan(PlanRequest(belief=here, goal=goal, blocks=6, readouts=("state",), frames=True))
    assert planned.course is not None
    assert planned.future is not None
    assert planned.future.frames is not None
    assert len(planned.course.controls) == 5 * len(planned.future.times_seconds)
    again = mind.imagine(ImagineRequest(belief=here, courses=(planned.course,), readouts=("state",), hypotheses=3))
    np.testing.assert_allclose(
        again.futures[0].readings[0].values, planned.future.readings[0].values, rtol=1e-4, atol=1e-3
    )
    assert planned.reaches == (planned.cannot is None)
    assert planned.trust.success_probability is None  # nothing is calibrated: `monde trust` was not run


def test_being_there_is_nearer_than_being_elsewhere(mind: Mind, here: BeliefHandle, goal: GoalPicture) -> None:
    there = mind.plan(PlanRequest(belief=here, goal=GoalBelief(belief=here), blocks=1))
    elsewhere = mind.plan(PlanRequest(belief=here, goal=goal, blocks=1))
    assert there.cost_before < elsewhere.cost_before
    assert there.course is not None
    assert len(there.course.controls) == 5


def test_why_a_goal_cannot_be_reached(mind: Mind, here: BeliefHandle, goal: GoalPicture) -> None:
    far = mind.plan(PlanRequest(belief=here, goal=GoalReadout(text="state=500,20±3")))
    assert far.course is None
    assert far.cannot is not None
    assert "nothing that was trained on satisfies the goal" in far.cannot
    everywhere = Avoid(readout="state", centre=(32.0, 32.0), radius=500.0, violation="reject")
    caught = mind.plan(PlanRequest(belief=here, goal=goal, constraints=(everywhere,)))
    assert caught.course is None
    assert caught.cannot is not None
    hurried = mind.plan(PlanRequest(belief=here, goal=goal, blocks=200, deadline_seconds=1e-6))
    assert hurried.deadline_hit
    assert not hurried.reaches


def test_what_is_strange_is_said(mind: Mind, here: BeliefHandle) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1, 3, 64, 64), dtype=np.uint8)
    seen = mind.perceive(PerceiveRequest(observed=Observed(sensors={"top": noise})))
    assert seen.trust.out_of_distribution == ("present",)
    assert (seen.trust.unfamiliarity or 0) > 1
    wanted = GoalPicture(sensors={"top": noise[0]})
    planned = mind.plan(PlanRequest(belief=here, goal=wanted, blocks=2))
    assert "goal" in planned.trust.out_of_distribution
    assert "out of distribution: goal" in planned.trust.told


def test_a_jump_is_surprising_when_and_where_it_is(mind: Mind) -> None:
    """A disc that is somewhere else all at once."""
    frames, _ = film(7, np.zeros((30, 2), np.float32))
    other, places = film(8, np.zeros((0, 2), np.float32))
    frames[4:] = other[0]
    seen = Observed(sensors={"top": frames}, controls=np.zeros((30, 2), np.float32))
    told = mind.surprise(SurpriseRequest(observed=seen, grid=4, moments=1))
    assert told.moments[0].index == 4
    assert told.curve[0] == 0
    assert told.curve[4] > 3 * np.delete(told.curve, 4).max()
    assert told.maps is not None
    assert told.maps.shape == (1, 4, 4)
    box = told.moments[0].box
    assert box is not None
    start = film(7, np.zeros((0, 2), np.float32))[1][0]
    spots = [
        place for place in (places[0], start) if box.left <= place[0] < box.right and box.top <= place[1] < box.bottom
    ]
    assert spots, "neither where it was nor where it came"
    assert told.moments[0].sensor is None  # there is only one


def test_the_only_difference_is_the_cause(mind: Mind, frame: np.ndarray, goal: GoalPicture) -> None:
    done = course(1, 0)
    changed = done.controls.copy()
    changed[10:15] = (-1, 1)
    request = ExplainRequest(
        observed=Observed(sensors={"top": frame}),
        course=done,
        instead=Course(name="other", controls=changed),
        goal=goal,
    )
    told = mind.explain(request)
    assert told.causes[0].name == "block 2"
    assert told.causes[0].share == pytest.approx(1, abs=1e-4)
    assert [cause.change for cause in told.causes[1:]] == pytest.approx([0, 0, 0], abs=1e-5)
    assert told.outcome + told.causes[0].change == pytest.approx(told.instead, abs=1e-4)
    # Without another case it is compared with doing nothing.
    idle = mind.explain(replace(request, instead=None))
    assert len(idle.causes) == 4


def test_a_picture_is_all_of_its_parts(mind: Mind, frame: np.ndarray, goal: GoalPicture) -> None:
    other = Observed(sensors={"top": film(9, np.zeros((0, 2), np.float32))[0]})
    whole = Box(name="all", sensor="top", top=0, left=0, bottom=64, right=64)
    corner = Box(name="corner", sensor="top", top=0, left=0, bottom=2, right=2)
    told = mind.explain(
        ExplainRequest(
            observed=Observed(sensors={"top": frame}),
            instead_observed=other,
            course=course(0.1, 0),
            goal=goal,
            parts=("region", "sensor"),
            boxes=(corner, whole),
        )
    )
    by_name = {cause.name: cause for cause in told.causes}
    assert by_name["all"].outcome == pytest.approx(told.instead, abs=1e-5)
    assert by_name["top"].outcome == pytest.approx(told.instead, abs=1e-5)
    assert by_name["corner"].change == pytest.approx(0, abs=1e-5)
    assert by_name["corner"].box == corner
    # Against how pictures usually look, the part that holds the disc matters, and a piece of bare wall does not.
    usual = mind.explain(
        ExplainRequest(
            observed=Observed(sensors={"top": frame}), course=course(0.1, 0), goal=goal, parts=("region",), grid=4
        )
    )
    x, y = film(7, np.zeros((0, 2), np.float32))[1][0]
    box = usual.causes[0].box
    assert box is not None
    assert box.left - 3 <= x < box.right + 3
    assert box.top - 3 <= y < box.bottom + 3


def test_a_sensor_that_delivers_nothing_makes_a_difference(mind: Mind, frame: np.ndarray) -> None:
    gone = mind.perceive(PerceiveRequest(observed=Observed(sensors={"top": frame}, missing=("top",))))
    blank = mind.perceive(PerceiveRequest(observed=Observed(sensors={"top": 0 * frame}, missing=("top",))))
    states = [mind.state(StateRequest(belief=one.belief)).readings[0].values for one in (gone, blank)]
    np.testing.assert_array_equal(*states)


def test_purposes(mind: Mind, goal: GoalPicture) -> None:
    frames, _ = film(7, np.tile(np.array([[1, 0]], np.float32), (20, 1)))
    seen = Observed(sensors={"top": frames})  # what was done need not be known
    reached = GoalPicture(sensors={"top": frames[-1]}, name="where it went")
    left = GoalPicture(sensors={"top": frames[0]}, name="where it was")
    told = mind.goal_of(GoalOfRequest(observed=seen, goals=(left, reached)))
    assert [one.goal for one in told.goals] == ["where it went", "where it was"]
    assert sum(one.probability for one in told.goals) == pytest.approx(1)
    assert told.goals[0].wasted_blocks < told.goals[1].wasted_blocks
    even = mind.goal_of(GoalOfRequest(observed=seen, goals=(left, reached, goal), rationality=0))
    assert [one.probability for one in even.goals] == pytest.approx([1 / 3] * 3)
    with pytest.raises(UsageError, match="told by readouts"):
        mind.goal_of(GoalOfRequest(observed=seen, goals=(left, GoalReadout(text="state.x>3"))))


def test_frames_of_another_size_are_resized(mind: Mind, here: BeliefHandle, frame: np.ndarray) -> None:
    large = frame.repeat(2, axis=2).repeat(2, axis=3)
    seen = mind.perceive(PerceiveRequest(observed=Observed(sensors={"top": large}))).belief
    states = [mind.state(StateRequest(belief=one)).readings[0].values for one in (here, seen)]
    np.testing.assert_allclose(states[0], states[1], atol=1)


def _bad_questions(frame: np.ndarray, here: BeliefHandle, goal: GoalPicture) -> dict[str, object]:
    def seen(**changed: object) -> PerceiveRequest:
        return PerceiveRequest(observed=Observed(**({"sensors": {"top": frame}} | changed)))

    return {
        "was not observed": seen(sensors={"front": frame}),
        "must be uint8": seen(sensors={"top": frame.astype(np.float32)}),
        "too large": seen(sensors={"top": np.zeros((1, 3, 2, 5000), np.uint8)}),
        "another shape": seen(sensors={"top": frame[:, :1]}),
        "do not make whole blocks": seen(sensors={"top": frame.repeat(2, 0)}, controls=np.zeros((3, 2), np.float32)),
        "does not line up": seen(sensors={"top": frame.repeat(3, 0)}, controls=np.zeros((5, 2), np.float32)),
        "no such belief": StateRequest(belief=BeliefHandle(id="ab" * 12, time_seconds=0.0)),
        "course 'x': actions are out of bounds": ImagineRequest(belief=here, courses=(course(3, 0, name="x"),)),
        "that many hypotheses": ImagineRequest(belief=here, courses=(course(1, 0),), hypotheses=40),
        "unknown readout 'stat'": StateRequest(belief=here, readouts=("stat",)),
        "goal's episode does not exist": PlanRequest(belief=here, goal=GoalFrame(episode=10_000, frame=0)),
        "cannot be understood": PlanRequest(belief=here, goal=GoalReadout(text="state~3")),
        "does not lie in a picture": ExplainRequest(
            observed=Observed(sensors={"top": frame}),
            course=course(1, 0),
            goal=goal,
            parts=("region",),
            boxes=(Box(name="b", sensor="top", top=0, left=0, bottom=65, right=3),),
        ),
        "courses differ in length": ExplainRequest(
            observed=Observed(sensors={"top": frame}), course=course(1, 0), instead=course(1, 0, 3), goal=goal
        ),
    }


def test_bad_questions_are_refused_by_name(
    mind: Mind, frame: np.ndarray, here: BeliefHandle, goal: GoalPicture
) -> None:
    for words, request in _bad_questions(frame, here, goal).items():
        with pytest.raises(MondeError, match=words):
            mind.ask(request)  # type: ignore[arg-type]


def test_a_belief_of_another_model_is_refused(mind: Mind, frame: np.ndarray) -> None:
    value = mind.perceive(PerceiveRequest(observed=Observed(sensors={"top": frame}), keep="value")).belief
    assert isinstance(value, BeliefValue)
    with pytest.raises(ContractError, match="of another model"):
        mind.state(StateRequest(belief=replace(value, of="0" * 64)))
    with pytest.raises(ContractError, match="not finite"):
        mind.state(StateRequest(belief=replace(value, latents=np.full_like(value.latents, np.nan))))
    shorter = replace(value, latents=value.latents[:1], valid=value.valid[:1])
    wider = replace(value, latents=np.repeat(value.latents, 2, axis=1))
    for other in (shorter, wider, replace(value, latents=value.latents[:, :, :3])):
        with pytest.raises(ContractError, match="does not fit the model"):
            mind.state(StateRequest(belief=other))
    with pytest.raises(ContractError, match="does not fit the model"):
        mind.state(StateRequest(belief=replace(value, memory=(*value.memory, value.latents))))


def test_beliefs_least_lately_used_are_forgotten(mind: Mind, here: BeliefHandle) -> None:
    held = mind.beliefs.find(here)
    assert isinstance(held, Held)
    kept = Beliefs("x", torch.device("cpu"), most=2)
    first, second = (kept.keep(held, "handle") for _ in range(2))
    kept.find(first)
    third = kept.keep(held, "handle")
    assert len(kept) == 2
    kept.find(first), kept.find(third)
    with pytest.raises(UsageError, match="no such belief"):
        kept.find(second)
    assert isinstance(first, BeliefHandle)
    kept.forget(first)
    kept.forget(first)
    assert len(kept) == 1


def test_questions_may_be_asked_side_by_side(mind: Mind) -> None:
    """Each thread has a belief of its own and gets the answers that it would have got alone."""
    frames = [film(seed, np.zeros((0, 2), np.float32))[0] for seed in range(4)]

    def ask(seed: int) -> np.ndarray:
        belief = mind.perceive(PerceiveRequest(observed=Observed(sensors={"top": frames[seed]}))).belief
        future = mind.imagine(ImagineRequest(belief=belief, courses=(course(1, 0),), readouts=("state",))).futures[0]
        return future.readings[0].values

    alone = [ask(seed) for seed in range(4)]
    found: dict[int, list[np.ndarray]] = {seed: [] for seed in range(4)}

    def work(seed: int) -> None:
        found[seed] = [ask(seed) for _ in range(5)]

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed in range(4):
        assert len(found[seed]) == 5
        for values in found[seed]:
            np.testing.assert_allclose(values, alone[seed], atol=1e-5)


def test_every_answer_travels(mind: Mind, frame: np.ndarray, here: BeliefHandle, goal: GoalPicture) -> None:
    film_seen = Observed(sensors={"top": frame.repeat(3, 0)}, controls=np.zeros((10, 2), np.float32))
    moment = Observed(sensors={"top": frame})
    two = (course(1, 0, name="a"), course(0, 1, name="b"))
    requests = {
        "perceive": PerceiveRequest(observed=moment),
        "update": UpdateRequest(belief=here, observed=moment, course=course(0, 0, 1)),
        "imagine": ImagineRequest(belief=here, courses=two, frames=True, keep="value", readouts=("*",)),
        "compare": CompareRequest(belief=here, courses=two, goal=goal),
        "plan": PlanRequest(belief=here, goal=goal, blocks=2),
        "surprise": SurpriseRequest(observed=film_seen),
        "explain": ExplainRequest(observed=moment, course=two[0], goal=goal),
        "goal_of": GoalOfRequest(observed=film_seen, goals=(goal, GoalFrame(episode=0, frame=0))),
        "state": StateRequest(belief=here, frame=True),
    }
    assert set(requests) == set(VERBS)
    for verb, request in requests.items():
        asked = from_json(VERBS[verb][0], json.loads(json.dumps(to_json(request))))
        answer = mind.ask(asked)
        assert type(answer) is VERBS[verb][1]
        document = json.loads(json.dumps(to_json(answer), allow_nan=False))
        assert to_json(from_json(VERBS[verb][1], document)) == document


def test_a_run_whose_recording_is_gone_still_answers(run: Path, mind: Mind, frame: np.ndarray, tmp_path: Path) -> None:
    """What was learned from the recording lies in the run; without it an answer says what it cannot tell."""
    assert (run / "mind").exists()
    shutil.copytree(run, tmp_path / "moved")
    write_json(tmp_path / "moved/run.json", read_json(run / "run.json") | {"data_path": str(tmp_path / "nowhere")})
    moved = Mind(tmp_path / "moved", device="cpu")
    asked = PerceiveRequest(observed=Observed(sensors={"top": frame}))
    assert moved.perceive(asked).trust == mind.perceive(asked).trust
    belief = moved.perceive(asked).belief
    with pytest.raises(DataError):
        moved.plan(PlanRequest(belief=belief, goal=GoalFrame(episode=0, frame=0)))
    shutil.rmtree(tmp_path / "moved/mind")
    bare = Mind(tmp_path / "moved", device="cpu")
    seen = bare.perceive(asked)
    assert seen.trust.unfamiliarity is None
    assert "not looked through" in seen.trust.told
    with pytest.raises(UsageError, match="knows no readouts"):
        bare.state(StateRequest(belief=seen.belief, readouts=("state",)))
    assert bare.state(StateRequest(belief=seen.belief)).readings == ()


def test_planning_errors_of_a_goal_are_not_hidden(mind: Mind, here: BeliefHandle) -> None:
    with pytest.raises(PlanningError, match="step does not exist"):
        mind.plan(PlanRequest(belief=here, goal=GoalFrame(episode=0, frame=10_000)))
