"""Calibrations in messages: sensor_msgs/CameraInfo and foxglove.CameraCalibration."""

import numpy as np

from monde.data.mcap.messages import has, number, numbers
from monde.errors import ContractError, DataError
from monde.types import Intrinsics

CALIBRATIONS = frozenset({"sensor_msgs/CameraInfo", "foxglove.CameraCalibration"})


def intrinsics(message: object, topic: str) -> tuple[Intrinsics | None, bool]:
    """The pinhole of a calibration, and whether its pictures are distorted beside (which a pinhole does not say).

    Returns:
        None for a calibration that was never made: focal lengths of 0 (ROS REP 104).

    Raises:
        DataError: Numbers that make no camera.
    """
    matrix = numbers(message, "k" if has(message, "k") else "K")
    distortion = numbers(message, "d" if has(message, "d") else "D")
    if len(matrix) != 9 or not matrix[0]:
        return None, False
    try:
        camera = Intrinsics(
            width=int(number(message, "width")),
            height=int(number(message, "height")),
            fx=float(matrix[0]),
            fy=float(matrix[4]),
            cx=float(matrix[2]),
            cy=float(matrix[5]),
        )
    except ContractError as error:
        raise DataError(
            f"the calibration {topic} makes no camera",
            got=error.got,
            expected=error.expected,
            remedy="leave the topic out with `without` in the log's monde.json",
        ) from error
    return camera, bool(np.abs(distortion).max(initial=0.0) > 0)


def belongs(calibration: str, pictures: str) -> bool:
    """Whether a topic of calibrations belongs to one of pictures: they lie in one namespace (image_pipeline)."""
    home = calibration.rsplit("/", 1)[0]
    return pictures.startswith(home + "/")
