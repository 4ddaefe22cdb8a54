"""A camera's frames, as the model that reads them was made for."""

import torch

from monde.errors import ContractError
from monde.types import Clip, Sensor, Stream
from monde.types.checks import describe


def camera_frames(sensor: Sensor, clip: Clip) -> Stream:
    """uint8 [B, T, 3, h, w] of this camera.

    Raises:
        ContractError: Frames of another shape or type than the model was made for.
    """
    stream = clip.stream(sensor.name)
    if tuple(stream.values.shape[2:]) != sensor.shape or stream.values.dtype != torch.uint8:
        raise ContractError(
            f"sensor {sensor.name!r} has another shape or type than the model was made for",
            got=describe(stream.values),
            expected=f"uint8 [B, T, {', '.join(map(str, sensor.shape))}]",
            remedy="resize the frames to the size that the model was made for",
        )
    return stream
