"""From what a world shows (NumPy) to what a model reads (`Clip`), and from any goal to one that costs can judge."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Bool, Float64, Shaped
from torch import Tensor

from monde.data import resize_depth, resize_frames
from monde.errors import ContractError, PlanningError
from monde.perception import tokens_name
from monde.protocols import Observation, Recording, WorldModel
from monde.spatial import thin_cloud
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

    Camera frames and depth of another size are resized, clouds thinned or padded, as for training. A sensor that the
    world does not show, or not in every row, is there as missing (`Stream.valid`): the model goes by the others.

    Args:
        observation: What a world shows.
        sensors: The model's sensors.
        device: Where the clip is wanted.

    Raises:
        ContractError: The world shows none of the model's sensors, or one in a shape that cannot be brought to the
            model's.
    """
    sensors = tuple(sensors)
    if not any(sensor.name in observation.values for sensor in sensors):
        raise ContractError(
            "the world shows none of the sensors that the model reads",
            got=f"sensors {sorted(observation.values)}",
            expected=" or ".join(repr(sensor.name) for sensor in sensors),
            remedy="plan in the world that the model was trained on, or train it on sensors that this world has",
        )
    times = torch.from_numpy(np.array(observation.times_seconds, dtype=np.float64))[:, None]
    everything = np.ones(observation.batch, dtype=np.bool_)
    streams = {}
    for sensor in sensors:
        if sensor.name not in observation.values:
            streams[sensor.name] = _nothing(sensor, times).to(device)
            continue
        values = _values(sensor, observation.values[sensor.name])[:, None]
        valid = torch.from_numpy(np.array(observation.valid.get(sensor.name, everything)))[:, None]
        ages = observation.age_seconds.get(sensor.name)
        age = None if ages is None else torch.from_numpy(np.array(ages, dtype=np.float64))[:, None]
        streams[sensor.name] = Stream(values, times, valid, _mask(sensor, values), age).to(device)
    return Clip(streams)


def fit_clip(clip: Clip, sensors: Iterable[Sensor]) -> Clip:
    """The sensors that a model reads out of a recorded clip [B, T, ...], in their shapes.

    Raises:
        ContractError: The clip has none of them, or a shape that cannot be brought to the model's.
    """
    sensors = tuple(sensors)
    held = [sensor for sensor in sensors if sensor.name in clip.streams]
    clock = clip.stream(held[0].name if held else sensors[0].name).times_seconds
    streams = {}
    for sensor in sensors:
        if sensor not in held:  # a sense that this recording has not
            streams[sensor.name] = _nothing(sensor, clock)
            continue
        stream = clip.stream(sensor.name)
        values = _fit(sensor, stream.values.flatten(0, 1)).unflatten(0, stream.values.shape[:2])
        streams[sensor.name] = replace(stream, values=values, mask=_mask(sensor, values))
        if tokens_name(sensor.name) in clip.streams:  # what a frozen encoder made of these frames before
            streams[tokens_name(sensor.name)] = clip.stream(tokens_name(sensor.name))
    return Clip(streams, clip.actions)


def _nothing(sensor: Sensor, times: Float64[Tensor, "B T"]) -> Stream:
    """A stream of a sensor that delivered nothing."""
    dtype = torch.uint8 if sensor.kind == "rgb" else torch.float32
    values = torch.zeros(*times.shape, *sensor.shape, dtype=dtype, device=times.device)
    return Stream(values, times, torch.zeros_like(times, dtype=torch.bool), _mask(sensor, values))


def _mask(sensor: Sensor, values: Shaped[Tensor, "B T ..."]) -> Bool[Tensor, "B T P"] | None:
    """Which rows of clouds are points; none for other sensors."""
    return (values[..., :3] != 0).any(-1) if sensor.kind == "points" else None


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
    if sensor.kind == "points" and values.ndim == 3 and values.shape[2] == sensor.shape[1]:
        return torch.from_numpy(thin_cloud(values.cpu().numpy(), sensor.shape[0])).to(values.device)
    image = sensor.picture and values.ndim == 4 and values.shape[1] == sensor.shape[0]
    if not image:
        raise ContractError(
            f"sensor {sensor.name!r} has another shape than the model reads",
            got=describe(values),
            expected=f"[B, {', '.join(map(str, sensor.shape))}]",
            remedy="only pictures are resized and clouds thinned; use the world or recording that it was trained on",
        )
    size = (sensor.shape[1], sensor.shape[2])
    if sensor.kind == "rgb":
        return fit_frames(values, *size)
    planes = resize_depth(values.cpu().permute(0, 2, 3, 1).numpy(), size)
    return torch.from_numpy(np.ascontiguousarray(planes.transpose(0, 3, 1, 2))).to(values.device)
