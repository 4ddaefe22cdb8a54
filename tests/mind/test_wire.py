"""Requests and answers travel as JSON and as documents with bytes, and hostile ones are refused by name."""

import json
import subprocess
import sys

import numpy as np
import pytest

from monde.errors import ContractError, MondeError, StoreError
from monde.mind import (
    VERBS,
    Avoid,
    BeliefHandle,
    BeliefValue,
    CompareRequest,
    Course,
    GoalBelief,
    GoalFrame,
    GoalReadout,
    ImagineRequest,
    Observed,
    PerceiveRequest,
    Reading,
    StateAnswer,
    Trusted,
    Within,
)
from monde.store.typed import from_json, to_json

HANDLE = BeliefHandle(id="b1", time_seconds=0.5)


def course(name: str = "left", steps: int = 5) -> Course:
    return Course(name=name, controls=np.zeros((steps, 2), np.float32))


def observed(steps: int = 2) -> Observed:
    frames = np.arange(steps * 3 * 4 * 4, dtype=np.uint8).reshape(steps, 3, 4, 4)
    return Observed(sensors={"top": frames}, controls=np.ones((5 * (steps - 1), 2), np.float32))


@pytest.mark.parametrize("binary", [False, True])
def test_round_trip(binary: bool) -> None:
    asked = PerceiveRequest(observed=observed())
    document = to_json(asked, binary)
    if not binary:
        document = json.loads(json.dumps(document, allow_nan=False))
    back = from_json(PerceiveRequest, document)
    np.testing.assert_array_equal(back.observed.sensors["top"], asked.observed.sensors["top"])
    np.testing.assert_array_equal(back.observed.controls, asked.observed.controls)
    assert back.keep == "handle"
    assert back.observed.sensors["top"].flags.writeable


def test_unions_keep_their_kind() -> None:
    asked = CompareRequest(
        belief=HANDLE,
        courses=(course("a"), course("b")),
        goal=GoalBelief(belief=HANDLE),
        constraints=(
            Avoid(readout="state", centre=(1.0, 2.0), radius=3.0),
            Within(readout="state", low=(0.0, None), high=(None, 1.0)),
        ),
    )
    back = from_json(CompareRequest, json.loads(json.dumps(to_json(asked))))
    assert back.goal == asked.goal
    assert back.constraints == asked.constraints
    value = BeliefValue(
        latents=np.zeros((4, 1, 8), np.float32),
        valid=np.ones(4, bool),
        memory=(np.zeros((2, 3), np.float32),),
        time_seconds=0.0,
        of="0" * 64,
    )
    kept = from_json(ImagineRequest, json.loads(json.dumps(to_json(ImagineRequest(belief=value, courses=(course(),))))))
    assert isinstance(kept.belief, BeliefValue)
    assert kept.belief.memory[0].shape == (2, 3)


def test_answers_come_back() -> None:
    reading = Reading(
        readout="state",
        unit="px",
        names=("x", "y"),
        values=np.ones((1, 2), np.float32),
        low=np.zeros((1, 2), np.float32),
        high=np.ones((1, 2), np.float32),
    )
    answer = StateAnswer(readings=(reading,), time_seconds=1.0, frame=None, trust=Trusted(unfamiliarity=0.4))
    back = from_json(StateAnswer, json.loads(json.dumps(to_json(answer), allow_nan=False)))
    np.testing.assert_array_equal(back.readings[0].values, reading.values)
    assert (back.trust, back.frame) == (answer.trust, None)


def _with(document: object, value: object) -> object:
    """The request's document with another array for the camera."""
    changed = json.loads(json.dumps(document))
    changed["observed"]["sensors"]["top"] = value
    return changed


@pytest.mark.parametrize(
    "array",
    [
        {"dtype": "uint8", "shape": [2**31], "base64": "AAAA"},
        {"dtype": "uint8", "shape": [2**62, 2**62], "base64": "AAAA"},
        {"dtype": "uint8", "shape": [-1, 3], "base64": "AAAA"},
        {"dtype": "uint8", "shape": [True, 3], "base64": "AAAA"},
        {"dtype": "object", "shape": [3], "base64": "AAAA"},
        {"dtype": "uint8", "shape": [3], "base64": "no base64!"},
        {"dtype": "uint8", "shape": [3], "base64": 7},
        {"dtype": "uint8", "shape": [4], "bytes": b"AAA"},
        {"dtype": "bool", "shape": [3], "bytes": b"AAA"},
        {"dtype": ["uint8"], "shape": [3], "bytes": b"AAA"},
        {"dtype": "uint8", "shape": [1] * 40, "bytes": b"A"},
        [[[1, 2, 3]]],
        "AAAA",
        None,
    ],
)
def test_hostile_arrays_are_refused(array: object) -> None:
    document = to_json(PerceiveRequest(observed=observed()), binary=True)
    assert isinstance(document, dict)
    document["observed"]["sensors"]["top"] = array
    with pytest.raises(StoreError):
        from_json(PerceiveRequest, document)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("belief", {"type": "BeliefHandel", "id": "b", "time_seconds": 0.0}),
        ("belief", "b1"),
        ("courses", {}),
        ("courses", []),
        ("hypotheses", 0),
        ("hypotheses", True),
        ("hypotheses", 10**9),
        ("frames", "yes"),
        ("surplus", 1),
    ],
)
def test_other_documents_are_refused(field: str, value: object) -> None:
    document = json.loads(json.dumps(to_json(ImagineRequest(belief=HANDLE, courses=(course(),)))))
    document[field] = value
    with pytest.raises(MondeError):
        from_json(ImagineRequest, document)


def test_what_is_not_finite_is_refused() -> None:
    with pytest.raises(ContractError, match="not all numbers are finite"):
        Course(name="up", controls=np.full((5, 2), np.nan, np.float32))
    with pytest.raises(ContractError, match="sensor 'depth'"):
        Observed(sensors={"depth": np.full((1, 1, 2, 2), np.inf, np.float32)})
    # A sensor that is named as missing may hold anything: it is not looked at.
    Observed(sensors={"depth": np.full((1, 1, 2, 2), np.nan, np.float32)}, missing=("depth",))


def test_goals_have_names() -> None:
    assert [GoalFrame(episode=3, frame=-1).name, GoalReadout(text="state.x>3").name] == ["3:-1", "state.x>3"]


def test_every_verb_has_its_pair() -> None:
    for name, (request, answer) in VERBS.items():
        stem = "".join(part.capitalize() for part in name.split("_"))
        assert (request.__name__, answer.__name__) == (f"{stem}Request", f"{stem}Answer")


def test_a_client_needs_no_torch() -> None:
    code = "import sys, monde.mind, monde.store.typed; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0
