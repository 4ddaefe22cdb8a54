"""From what a world shows (NumPy) to what a model reads (`Clip`), and from any goal to one that costs can judge."""

from collections.abc import Iterable

import numpy as np
import torch
from jaxtyping import Shaped
from torch import Tensor

from monde.data import resize_frames
from monde.errors import ContractError, PlanningError
from monde.perception import tokens_name
from monde.protocols import Observation, Recording, WorldModel
from monde.types import Clip, FrameGoal, Goal, LatentGoal, PictureGoal, PredicateGoal, ReadoutGoal, Sensor, Stream
from monde.types.checks import describe


def device_of(model: WorldModel) -> torch.device:
    """Where a model lives: its `device` if it says, else that of its first parameter, else the CPU."""
    said = getattr(model, "device", None)
    if isinstance(said, str | torch.device):
        return torch.device(said)
    if isinstance(model, torch.nn.Module):
        first = next(model.parameters(), None)
        return torch.device("cpu") if first is None else first.device
    return torch.device("cpu")


def observation_to_clip(
    observation: Observation, sensors: Iterable[Sensor], device: torch.device | str = "cpu"
) -> Clip:
    """An observation of B rows as a clip of one step, with the sensors that a model reads, in their shapes.

    Camera frames of another size are resized (see `fit_frames`).

    Args:
        observation: What a world shows.
        sensors: The model's sensors.
        device: Where the clip is wanted.

    Raises:
        ContractError: The world lacks a sensor, or shows it in a shape that cannot be brought to the model's.
    """
    times = torch.from_numpy(np.array(observation.times_seconds, dtype=np.float64))[:, None]
    valid = torch.ones(times.shape, dtype=torch.bool)
    streams = {}
    for sensor in sensors:
        if sensor.name not in observation.values:
            raise ContractError(
                f"the world does not show sensor {sensor.name!r}, which the model reads",
                got=f"sensors {sorted(observation.values)}",
                expected=sensor.name,
                remedy="plan in the world that the model was trained on, or train it on sensors that this world has",
            )
        values = _values(sensor, observation.values[sensor.name])
        streams[sensor.name] = Stream(values[:, None], times, valid).to(device)
    return Clip(streams)


def fit_clip(clip: Clip, sensors: Iterable[Sensor]) -> Clip:
    """The sensors that a model reads out of a recorded clip [B, T, ...], in their shapes.

    Raises:
        ContractError: A sensor is missing, or its shape cannot be brought to the model's.
    """
    streams = {}
    for sensor in sensors:
        stream = clip.stream(sensor.name)
        values = _fit(sensor, stream.values.flatten(0, 1)).unflatten(0, stream.values.shape[:2])
        streams[sensor.name] = Stream(values, stream.times_seconds, stream.valid, stream.mask)
        if tokens_name(sensor.name) in clip.streams:  # what a frozen encoder made of these frames before
            streams[tokens_name(sensor.name)] = clip.stream(tokens_name(sensor.name))
    return Clip(streams, clip.actions)


def fit_frames(frames: Shaped[Tensor, "n C h w"], height: int, width: int) -> Shaped[Tensor, "n C h2 w2"]:
    """Frames resized as the frame cache resizes those that a model is trained on; see `resize_frames`."""
    if frames.shape[-2:] == (height, width):
        return frames
    resized = resize_frames(frames.cpu().permute(0, 2, 3, 1).numpy(), (height, width))
    return torch.from_numpy(np.ascontiguousarray(resized.transpose(0, 3, 1, 2))).to(frames.device)


def resolve_goal(model: WorldModel, goal: Goal, recording: Recording | None = None) -> Goal:
    """The goal as costs judge it: pictures and frames become a `LatentGoal`; the others stay as they are.

    Args:
        model: Encodes the picture.
        goal: Any goal.
        recording: The recording that a `FrameGoal` names, already open.

    Raises:
        PlanningError: A `FrameGoal` without its recording, or beyond its episodes.
        ContractError: A picture that lacks a sensor of the model, or shows it in an unusable shape.
    """
    if isinstance(goal, LatentGoal | ReadoutGoal | PredicateGoal):
        return goal
    if isinstance(goal, FrameGoal):
        goal = PictureGoal(frame_clip(goal, recording, [sensor.name for sensor in model.sensors]))
    clip = fit_clip(goal.clip, model.sensors).to(device_of(model))
    with torch.no_grad():
        return LatentGoal(model.encode(clip).values[:, 0])


def goal_rows(goal: Goal, index: Tensor) -> Goal:
    """The goal of some rows of the batch."""
    if isinstance(goal, LatentGoal):
        return LatentGoal(goal.latents[index])
    if isinstance(goal, ReadoutGoal):
        return ReadoutGoal(goal.readout, goal.target[index], goal.tolerance)
    return goal


def frame_clip(goal: FrameGoal, recording: Recording | None, sensors: list[str]) -> Clip:
    """The one-step clip that a `FrameGoal` points at.

    Raises:
        PlanningError: No recording given, or an episode or step that it does not have.
    """
    if recording is None:
        raise PlanningError(
            "a frame goal needs its recording",
            got=repr(goal.recording),
            remedy="open it with monde.data.open_recording and hand it over",
        )
    if goal.episode >= len(recording.lengths):
        raise PlanningError(
            "the goal's episode does not exist", got=goal.episode, expected=f"0 to {len(recording.lengths) - 1}"
        )
    length = recording.lengths[goal.episode]
    if not -length <= goal.step < length:
        raise PlanningError("the goal's step does not exist", got=goal.step, expected=f"{-length} to {length - 1}")
    step = goal.step % length
    return recording.read(goal.episode, step, step + 1, sensors)


def _values(sensor: Sensor, array: Shaped[np.ndarray, "B ..."]) -> Tensor:
    # A copy, always: worlds may reuse the array that they show.
    values = torch.from_numpy(np.array(array))
    if values.is_floating_point():
        values = values.float()
    return _fit(sensor, values)


def _fit(sensor: Sensor, values: Tensor) -> Tensor:
    if tuple(values.shape[1:]) == sensor.shape:
        return values
    image = sensor.kind in {"rgb", "depth"} and values.ndim == 4 and values.shape[1] == sensor.shape[0]
    if not image:
        raise ContractError(
            f"sensor {sensor.name!r} has another shape than the model reads",
            got=describe(values),
            expected=f"[B, {', '.join(map(str, sensor.shape))}]",
            remedy="only camera frames can be resized; use the world or recording that the model was trained on",
        )
    return fit_frames(values, sensor.shape[1], sensor.shape[2])
