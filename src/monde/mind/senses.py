"""From what a request shows (NumPy) to what a model reads, and parts of it in another's place."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from monde.agents import fit_clip
from monde.errors import ContractError
from monde.limits import MAX_FRAME_SIDE_PIXELS
from monde.mind.values import Box, Course, Observed
from monde.models import JEPA
from monde.types import ActionSpec, Clip, Sensor, Stream
from monde.types.checks import describe


def clip_of(model: JEPA, observed: Observed, acted: bool = True) -> Clip:
    """What was observed as an aligned clip of one row, with the sensors that the model reads, in their shapes.

    Args:
        model: Reads it.
        observed: Moments a model step apart.
        acted: Whether what was done between them must be known.

    Raises:
        ContractError: A sensor that is not there, of another shape, kind of number or unit of action.
    """
    T = observed.moments
    steps = torch.arange(T, dtype=torch.float64) * model.actions.block_seconds
    times = (observed.start_seconds + steps)[None]
    streams = {}
    for sensor in model.sensors:
        gone = sensor.name in observed.missing
        valid = torch.full((1, T), not gone)
        streams[sensor.name] = Stream(_nothing(sensor, T) if gone else _shown(sensor, observed)[None], times, valid)
    actions = None
    if T > 1 and acted:
        blocks = blocks_of(model.actions, observed.controls, T - 1)
        actions = Stream(blocks[None], times[:, :-1], torch.ones(1, T - 1, dtype=torch.bool))
    return fit_clip(Clip(streams, actions), model.sensors).to(model.device)


def blocks_of(actions: ActionSpec, controls: np.ndarray, blocks: int | None = None) -> Tensor:
    """Control steps [n, dim] as action blocks [H, A]; nobody's are of width 0.

    Raises:
        ContractError: No whole blocks, another number of them than `blocks`, or out of bounds.
    """
    if actions.unactuated and controls.size == 0 and blocks is not None:
        return torch.zeros(blocks, 0)
    found = actions.to_blocks(torch.from_numpy(np.array(controls, dtype=np.float32)))
    if blocks is not None and len(found) != blocks:
        raise ContractError(
            "what was done between the moments does not line up with them",
            got=f"{len(controls)} control steps",
            expected=f"{blocks} blocks of {actions.block}: {blocks * actions.block}",
        )
    if not actions.unactuated:
        actions.check(found)
    return found


def course_blocks(model: JEPA, course: Course) -> Tensor:
    """[H, A] of a course, on the model's device.

    Raises:
        ContractError: Naming the course, where it is no whole blocks or out of bounds.
    """
    try:
        return blocks_of(model.actions, course.controls).to(model.device)
    except ContractError as error:
        raise ContractError(
            f"course {course.name!r}: {error.what}", got=error.got, expected=error.expected, remedy=error.remedy
        ) from error


def with_box(clip: Clip, box: Box, other: Tensor) -> Clip:
    """The clip with a part of a camera's picture taken from `other`, [1, T or 1, 3, h, w] or [3, h, w].

    Raises:
        ContractError: A sensor that is no camera of the clip, or a box beyond its picture.
    """
    stream = clip.stream(box.sensor)
    if stream.values.ndim != 5 or box.bottom > stream.values.shape[3] or box.right > stream.values.shape[4]:
        raise ContractError(
            f"box {box.name!r} does not lie in a picture of {box.sensor!r}",
            got=f"rows {box.top} to {box.bottom}, columns {box.left} to {box.right}",
            expected=f"within {describe(stream.values)}",
        )
    values = stream.values.clone()
    rows, columns = slice(box.top, box.bottom), slice(box.left, box.right)
    values[..., rows, columns] = other[..., rows, columns].to(values)
    return replace(clip, streams={**clip.streams, box.sensor: replace(stream, values=values)})


def with_sensor(clip: Clip, name: str, other: Clip | None) -> Clip:
    """The clip with one sensor's samples taken from `other`, or delivering nothing."""
    stream = clip.stream(name)
    taken = replace(stream, valid=torch.zeros_like(stream.valid)) if other is None else other.stream(name)
    return replace(clip, streams={**clip.streams, name: taken})


def rows_of(clips: list[Clip]) -> Clip:
    """Clips of one row each as the rows of one."""
    streams = {
        name: Stream(
            torch.cat([clip.stream(name).values for clip in clips]),
            torch.cat([clip.stream(name).times_seconds for clip in clips]),
            torch.cat([clip.stream(name).valid for clip in clips]),
        )
        for name in clips[0].streams
    }
    acted = [clip.actions for clip in clips if clip.actions is not None]
    if len(acted) < len(clips):
        return Clip(streams)
    parts = ([getattr(one, field) for one in acted] for field in ("values", "times_seconds", "valid"))
    return Clip(streams, Stream(*(torch.cat(part) for part in parts)))


def grid_boxes(sensor: Sensor, grid: int) -> tuple[Box, ...]:
    """A camera's picture in grid × grid parts, row by row."""
    _, height, width = sensor.shape
    rows, columns = ([side * i // grid for i in range(grid + 1)] for side in (height, width))
    return tuple(
        Box(
            name=f"row {i}, column {j}",
            sensor=sensor.name,
            top=rows[i],
            left=columns[j],
            bottom=rows[i + 1],
            right=columns[j + 1],
        )
        for i in range(grid)
        for j in range(grid)
    )


def _shown(sensor: Sensor, observed: Observed) -> Tensor:
    if sensor.name not in observed.sensors:
        raise ContractError(
            f"sensor {sensor.name!r}, which the model reads, was not observed",
            got=sorted(observed.sensors),
            expected=sensor.name,
            remedy="show it, or name it as missing",
        )
    values = observed.sensors[sensor.name]
    if sensor.kind == "rgb" and values.dtype != np.uint8:
        raise ContractError(f"camera {sensor.name!r} must be uint8", got=values.dtype, expected="0 to 255")
    if sensor.picture and max(values.shape) > MAX_FRAME_SIDE_PIXELS:
        raise ContractError(
            f"the pictures of {sensor.name!r} are too large",
            got=list(values.shape),
            expected=f"sides up to {MAX_FRAME_SIDE_PIXELS}",
        )
    shown = torch.from_numpy(np.array(values))
    return shown if sensor.kind == "rgb" else shown.float()


def _nothing(sensor: Sensor, T: int) -> Tensor:
    return torch.zeros(1, T, *sensor.shape, dtype=torch.uint8 if sensor.kind == "rgb" else torch.float32)
