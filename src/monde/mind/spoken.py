"""Observations, courses, goals and constraints as they are typed."""

import re
from pathlib import Path

import numpy as np

from monde.data.pictures import read_picture
from monde.errors import UsageError
from monde.evaluation.goals import NUMBER, is_readout_goal
from monde.limits import MAX_BLOCK, MAX_HORIZON_BLOCKS
from monde.mind.values import AnyGoal, Avoid, Course, GoalFrame, GoalPicture, GoalReadout, Observed, Within
from monde.models import JEPA
from monde.protocols import Recording
from monde.types import ActionSpec

SPAN = re.compile(r"(\d+):(\d+)(?:-(\d+))?")
STEP = r"-?(?:\d+\.?\d*|\.\d+)"
LEG = re.compile(rf"(?P<step>wait|{STEP}(?:,{STEP})*)(?:\*(?P<times>\d{{1,7}}))?")
REGION = re.compile(rf"(?P<name>[\w-]+)=(?P<centre>{NUMBER}(?:,{NUMBER})*):(?P<radius>{NUMBER})")
RANGE = re.compile(r"(?P<name>[\w-]+)=(?P<low>[^:]+):(?P<high>[^:]+)")

COURSE = "STEP*TIMES+STEP*TIMES…, a STEP being numbers with commas between, a choice, or 'wait'; or EPISODE:FIRST-LAST"


def observed(text: str, model: JEPA, recording: Recording | None) -> Observed:
    """EPISODE:FRAME, EPISODE:FIRST-LAST of a recording (moments an action block apart), or a picture's path.

    Raises:
        UsageError: It cannot be understood, or names frames that the recording does not have.
        DataError: A picture that cannot be read.
    """
    span = SPAN.fullmatch(text)
    if span is None:
        return Observed(sensors={name: values[None] for name, values in _picture(text, model).items()})
    episode, first, last = _span(span, recording)
    names = [sensor.name for sensor in model.sensors]
    clip = _recording(recording).read(episode, first, last + 1, names)
    block = model.actions.block
    moments = (last - first) // block + 1
    controls = np.zeros((0, 0), np.float32)
    if moments > 1 and clip.actions is not None and not model.actions.unactuated:
        controls = clip.actions.values[0, : (moments - 1) * block].float().numpy()
    values = {name: clip.stream(name).values[0, ::block].numpy() for name in names}
    began = float(clip.stream(names[0]).times_seconds[0, 0])
    return Observed(sensors=values, controls=controls, start_seconds=began)


def course(text: str, model: JEPA, recording: Recording | None, number: int = 1) -> Course:
    """NAME=STEPS or STEPS, as `COURSE` says.

    Raises:
        UsageError: It cannot be understood.
    """
    name, equals, steps = text.partition("=")
    if not equals:
        name, steps = f"course {number}", text
    span = SPAN.fullmatch(steps)
    if span is not None and span[3] is not None:
        episode, first, last = _span(span, recording)
        clip = _recording(recording).read(episode, first, last + 1, [model.sensors[0].name])
        if clip.actions is None:
            raise UsageError(f"course {text!r}: nothing that was done was recorded", expected=COURSE)
        return Course(name=name, controls=clip.actions.values[0].float().numpy())
    found = [_leg(LEG.fullmatch(leg), model.actions, text) for leg in steps.split("+")]
    return Course(name=name, controls=np.concatenate(found))


def goal(text: str, model: JEPA) -> AnyGoal:
    """EPISODE:FRAME of the recording, a target or bounds of a readout, or a picture's path.

    Raises:
        UsageError: It cannot be understood.
        DataError: A picture that cannot be read.
    """
    episode, colon, frame = text.partition(":")
    if colon and episode.isdigit() and frame.removeprefix("-").isdigit():
        return GoalFrame(episode=int(episode), frame=int(frame))
    if is_readout_goal(text):
        return GoalReadout(text=text)
    return GoalPicture(sensors=_picture(text, model), name=Path(text).name)


def region(text: str) -> Avoid:
    """READOUT=X,Y:RADIUS, a ball to keep out of.

    Raises:
        UsageError: Something else.
    """
    found = REGION.fullmatch(text)
    if found is None:
        raise UsageError(f"region {text!r} cannot be understood", expected="READOUT=X,Y:RADIUS, such as state=32,10:5")
    centre = tuple(float(part) for part in found["centre"].split(","))
    return Avoid(readout=found["name"], centre=centre, radius=float(found["radius"]))


def within(text: str) -> Within:
    """READOUT=LOW,LOW:HIGH,HIGH, a range to stay within; - for no bound.

    Raises:
        UsageError: Something else.
    """
    found = RANGE.fullmatch(text)
    parts = [] if found is None else [found["low"].split(","), found["high"].split(",")]
    if found is None or not all(re.fullmatch(f"-|{NUMBER}", bound) for part in parts for bound in part):
        expected = "READOUT=LOW,…:HIGH,…, - for no bound, such as state=5,-:60,-"
        raise UsageError(f"range {text!r} cannot be understood", expected=expected)
    low, high = (tuple(None if bound == "-" else float(bound) for bound in part) for part in parts)
    return Within(readout=found["name"], low=low, high=high)


def _leg(leg: re.Match[str] | None, actions: ActionSpec, text: str) -> np.ndarray:
    if leg is None:
        raise UsageError(f"course {text!r} cannot be understood", expected=COURSE)
    times = int(leg["times"] or 1)
    if not 1 <= times <= MAX_HORIZON_BLOCKS * MAX_BLOCK:
        raise UsageError(f"course {text!r} is empty or too long", got=f"{times} control steps")
    if leg["step"] == "wait":
        return np.tile(np.array(actions.rest, np.float32).reshape(1, actions.dim), (times, 1))
    numbers = [float(part) for part in leg["step"].split(",")]
    if actions.discrete and len(numbers) == 1 and actions.dim > 1:
        choice = int(numbers[0])
        if not 0 <= choice < actions.choices or choice != numbers[0]:
            raise UsageError(
                f"course {text!r} names a choice that there is not", expected=f"0 to {actions.choices - 1}"
            )
        numbers = [float(index == choice) for index in range(actions.choices)]
    if len(numbers) != actions.dim:
        expected = f"{actions.dim} numbers a control step{': ' + ', '.join(actions.names) if actions.names else ''}"
        raise UsageError(f"course {text!r} does not fit the actions", got=f"{len(numbers)} numbers", expected=expected)
    return np.tile(np.array([numbers], np.float32), (times, 1))


def _span(found: re.Match[str], recording: Recording | None) -> tuple[int, int, int]:
    """Episode, first and last frame."""
    episode, first = int(found[1]), int(found[2])
    last = first if found[3] is None else int(found[3])
    lengths = _recording(recording).lengths
    if episode >= len(lengths) or not first <= last < lengths[episode]:
        length = lengths[episode] if episode < len(lengths) else 0
        raise UsageError(
            f"the recording has no frames {found[0]}",
            expected=f"episodes 0 to {len(lengths) - 1}" + (f", frames 0 to {length - 1}" if length else ""),
        )
    return episode, first, last


def _recording(recording: Recording | None) -> Recording:
    if recording is None:
        raise UsageError(
            "frames of the recording cannot be shown", got="no recording", remedy="give a picture, or a belief"
        )
    return recording


def _picture(text: str, model: JEPA) -> dict[str, np.ndarray]:
    """A picture of the only camera of a model that reads nothing else, uint8 [3, h, w]."""
    path = Path(text)
    if not path.is_file():
        raise UsageError(
            f"{text!r} cannot be understood",
            expected="EPISODE:FRAME, EPISODE:FIRST-LAST, a picture's path, or (a goal) state=40,20±3 or state.x>40",
        )
    names = [sensor.name for sensor in model.sensors if sensor.kind == "rgb"]
    if len(names) != 1 or len(model.sensors) != 1:
        raise UsageError(
            "a picture alone does not say what this model's sensors show",
            got=[sensor.name for sensor in model.sensors],
            remedy="give a frame of the recording: EPISODE:FRAME",
        )
    return {names[0]: read_picture(path)}
