"""The verbs of the mind as tools of the Model Context Protocol: schemas, what a caller may say more simply, pictures.

A tool takes the request of its verb, as HTTP does. A language model seldom writes base64 of raw pixels; so

- an array may be nested lists of numbers, a picture `{"png": BASE64}`, several `{"pngs": [BASE64, …]}`;
- `observed`, a course or a goal may be words as `monde ask` takes them: "3:0-20" of the run's recording,
  "right=1,0*10", "state=40,20±3"; a belief may be its handle's name. Words name nothing but the run's own recording.

Answers are JSON in which arrays are lists and pictures stand beside it as images.
"""

import base64
import binascii
import dataclasses
import io
from collections.abc import Mapping

import numpy as np
from jaxtyping import UInt8

from monde.errors import ServingError
from monde.evaluation.goals import is_readout_goal
from monde.limits import MAX_FRAME_SIDE_PIXELS, MAX_JSON_BODY_BYTES, MAX_TOOL_IMAGES, MAX_TOOL_NUMBERS
from monde.mind import VERBS, Answer, GoalFrame, GoalReadout, Mind, Request, spoken
from monde.serving.schemas import Schema, schema_of
from monde.store import typed
from monde.wire import check_document, read

FORMATS = ("PNG", "JPEG")


def tool_schema(verb: str) -> Schema:
    """What the tool of a verb takes."""
    return simpler(schema_of(VERBS[verb][0]))


def simpler(schema: object) -> Schema:
    """The schema with all that may be said more simply."""
    if not isinstance(schema, Mapping):
        return {}
    found: Schema = {}
    for key, value in schema.items():
        if isinstance(value, Mapping):
            found[key] = simpler(value)
        elif isinstance(value, list):
            found[key] = [simpler(each) if isinstance(each, Mapping) else each for each in value]
        else:
            found[key] = value
    title = str(found.get("title", ""))
    if title in _WORDS:
        return {"anyOf": [{"type": "string", "description": _WORDS[title]}, found]}
    if isinstance(found.get("properties"), Mapping) and "base64" in dict(found["properties"]):  # type: ignore[call-overload]
        return {"anyOf": [found, *_SIMPLE_ARRAYS]}
    return found


_WORDS = {
    "Observed": "EPISODE:FRAME or EPISODE:FIRST-LAST of the run's recording (last included)",
    "Course": "NAME=STEP*TIMES+STEP*TIMES…, a step being numbers with commas or 'wait': right=1,0*10",
    "GoalFrame": "EPISODE:FRAME of the run's recording",
    "GoalReadout": "a readout's target (state=40,20±3), or bounds on its components (state.x>40,state.y<20)",
    "BeliefHandle": "the id of a belief's handle",
}

_SIMPLE_ARRAYS: tuple[Schema, ...] = (
    {"type": "array", "description": "nested lists of numbers"},
    {"type": "object", "properties": {"png": {"type": "string"}}, "required": ["png"]},
    {
        "type": "object",
        "properties": {"pngs": {"type": "array", "items": {"type": "string"}}},
        "required": ["pngs"],
    },
)


def read_arguments(verb: str, arguments: Mapping[str, object], mind: Mind) -> Request:
    """The request that a tool's arguments make.

    Raises:
        ServingError: Arguments that are no request.
    """
    check_document(dict(arguments))
    plain = {name: _plain(name, value, mind) for name, value in arguments.items()}
    request: Request = read(VERBS[verb][0], plain, verb)
    return request


def _plain(name: str, value: object, mind: Mind) -> object:
    """A field in the words of the request's own schema."""
    if name in {"observed", "instead_observed"} and isinstance(value, str):
        if not spoken.SPAN.fullmatch(value):
            raise _no_words(name, value, _WORDS["Observed"])
        return typed.to_json(spoken.observed(value, mind.faculties.model, mind.faculties.recording()), True)
    if name in {"course", "instead"} and isinstance(value, str):
        return _course(value, 1, mind)
    if name == "courses" and isinstance(value, list):
        return [_course(each, n, mind) if isinstance(each, str) else _arrays(each) for n, each in enumerate(value, 1)]
    if name == "goal" and isinstance(value, str):
        return _goal(value)
    if name == "goals" and isinstance(value, list):
        return [_goal(each) if isinstance(each, str) else _arrays(each) for each in value]
    if name == "belief" and isinstance(value, str):
        return {"type": "BeliefHandle", "id": value, "time_seconds": 0.0}
    return _arrays(value)


def _course(text: str, number: int, mind: Mind) -> object:
    recorded = mind.faculties.recording() if spoken.SPAN.fullmatch(text.rpartition("=")[2]) else None
    return typed.to_json(spoken.course(text, mind.faculties.model, recorded, number), True)


def _goal(text: str) -> object:
    span = spoken.SPAN.fullmatch(text)
    if span is not None and span[3] is None:
        return typed.to_json(GoalFrame(episode=int(span[1]), frame=int(span[2])))
    if is_readout_goal(text):
        return typed.to_json(GoalReadout(text=text))
    raise _no_words("goal", text, f"{_WORDS['GoalFrame']}; {_WORDS['GoalReadout']}; or a picture, by value")


def _no_words(name: str, text: str, expected: str) -> ServingError:
    return ServingError(
        f"{name} cannot be understood",
        got=repr(text[:60]),
        expected=expected,
        remedy="paths and addresses are never opened",
    )


def _arrays(value: object) -> object:
    """Pictures and lists of numbers, wherever they are, as arrays."""
    if isinstance(value, Mapping):
        if set(value) == {"png"}:
            return typed.to_json(_picture(value["png"]), True)
        if set(value) == {"pngs"} and isinstance(value["pngs"], list) and value["pngs"]:
            pictures = [_picture(each) for each in value["pngs"]]
            if len({picture.shape for picture in pictures}) > 1:
                raise ServingError("these pictures are of several sizes", expected="one size")
            return typed.to_json(np.stack(pictures), True)
        return {key: _numbers(key, each) for key, each in value.items()}
    if isinstance(value, list):
        return [_arrays(each) for each in value]
    return value


def _numbers(key: str, value: object) -> object:
    """A list of lists of numbers, or a sensor's plain list, as float32."""
    nested = isinstance(value, list) and bool(value) and isinstance(value[0], list)
    if key == "controls" or nested:
        try:
            return typed.to_json(np.array(value, dtype=np.float32), True) if isinstance(value, list) else _arrays(value)
        except (ValueError, TypeError) as error:
            raise ServingError(f"{key} is no array of numbers", got=str(error)[:100]) from error
    return _arrays(value)


def _picture(text: object) -> UInt8[np.ndarray, "3 h w"]:
    from PIL import Image, UnidentifiedImageError

    if not isinstance(text, str) or len(text) > MAX_JSON_BODY_BYTES:
        raise ServingError("a picture is no base64 text", got=type(text).__name__, expected="base64 of a PNG or JPEG")
    try:
        with Image.open(io.BytesIO(base64.b64decode(text, validate=True)), formats=FORMATS) as image:
            if max(image.size) > MAX_FRAME_SIDE_PIXELS:
                raise ServingError(
                    "a picture is too large", status=413, got=image.size, expected=f"sides ≤ {MAX_FRAME_SIDE_PIXELS}"
                )
            pixels = np.asarray(image.convert("RGB"))
    except (binascii.Error, OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise ServingError("a picture cannot be read", got=str(error)[:100], expected="a PNG or JPEG") from error
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def told(answer: Answer) -> tuple[dict[str, object], list[bytes]]:
    """An answer as JSON, and its pictures as PNG."""
    pictures: list[bytes] = []
    document = _told(answer, pictures)
    return (document if isinstance(document, dict) else {"answer": document}), pictures


def _told(value: object, pictures: list[bytes]) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: _told(getattr(value, field.name), pictures) for field in dataclasses.fields(value)}
        return {"type": type(value).__name__} | fields
    if isinstance(value, Mapping):
        return {str(key): _told(each, pictures) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [_told(each, pictures) for each in value]
    if isinstance(value, np.ndarray):
        if value.dtype == np.uint8 and value.ndim in (3, 4):
            return _drawn(value[None] if value.ndim == 3 else value, pictures)
        if value.size > MAX_TOOL_NUMBERS:
            return typed.to_json(value)
        return np.round(value.astype(np.float64), 4).tolist() if value.dtype.kind == "f" else value.tolist()
    return value


def _drawn(frames: UInt8[np.ndarray, "n 3 h w"], pictures: list[bytes]) -> str:
    from PIL import Image

    # As many as may be, evenly over time, the last among them.
    room = max(0, MAX_TOOL_IMAGES - len(pictures))
    chosen = np.unique(np.linspace(0, len(frames) - 1, min(room, len(frames))).round().astype(int))
    first = len(pictures) + 1
    for frame in frames[chosen]:
        held = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(frame.transpose(1, 2, 0))).save(held, "PNG")
        pictures.append(held.getvalue())
    moments = ", ".join(map(str, chosen.tolist()))
    return f"images {first} to {len(pictures)}: moments {moments} of {len(frames)}" if len(chosen) else "left out"
