"""Planar laser scans in messages: sensor_msgs/LaserScan and foxglove.LaserScan."""

import math

import numpy as np
from jaxtyping import Float32

from monde.data.mcap.messages import has, number, numbers
from monde.data.mcap.parts import Part, Topic, UnreadableError
from monde.limits import MAX_SCAN_BEAMS
from monde.types import ScanGeometry, Sensor

SCANS = frozenset({"sensor_msgs/LaserScan", "foxglove.LaserScan"})


def scan_parts(topic: Topic) -> tuple[Part, ...]:
    """The scan of a topic, with the beams of its longest scan among those looked at.

    Beams of other scans (of another length, beginning or step) go to the nearest of these directions; where no beam
    went, nothing is known (0). A beam that came back from nowhere (infinity, or beyond the longest range) has the
    longest range; NaN and what is too near are nothing known (ROS REP 117).

    Raises:
        UnreadableError: Scans without beams, or of beams without directions.
    """
    first = max(topic.messages, key=lambda message: len(numbers(message, "ranges")))
    start, step, beams = _beams(first)
    if not 1 <= beams <= MAX_SCAN_BEAMS:
        raise UnreadableError(f"scans of {beams} beams are not read")
    if len({len(numbers(message, "ranges")) for message in topic.messages}) > 1:
        topic.say(f"scans have other lengths than {beams} too: their beams go to the nearest direction")
    if has(first, "range_max"):
        least, most = number(first, "range_min"), number(first, "range_max")
    else:
        seen = np.concatenate([numbers(message, "ranges") for message in topic.messages])
        seen = seen[np.isfinite(seen)]
        least, most = 0.0, float(seen.max(initial=0.0))
        topic.say(f"its longest range is not in its messages: {most:g} m, the longest seen, was assumed")
    if not (math.isfinite(start) and math.isfinite(step) and step and 0 <= least < most < math.inf):
        raise UnreadableError(
            f"beams from {start:g} rad in steps of {step:g} and ranges of {least:g} to {most:g} m are none"
        )
    geometry = ScanGeometry(start_rad=start, step_rad=step, least_m=least, most_m=most)
    sensor = Sensor(
        name=topic.sensor_name, kind="scan", shape=(beams,), unit="m", rate_hz=1.0, geometry=geometry, mount=topic.mount
    )
    return (Part(sensor, lambda message: _ranges(message, beams, geometry)),)


def _beams(message: object) -> tuple[float, float, int]:
    """Direction of the first beam, from one to the next, and how many."""
    count = len(numbers(message, "ranges"))
    if has(message, "angle_min"):
        return number(message, "angle_min"), number(message, "angle_increment"), count
    start, end = number(message, "start_angle"), number(message, "end_angle")
    return start, (end - start) / max(1, count - 1), count


def _ranges(message: object, beams: int, geometry: ScanGeometry) -> Float32[np.ndarray, " beams"]:
    start, step, count = _beams(message)
    measured = numbers(message, "ranges")
    most, least = geometry.most_m, geometry.least_m
    known = np.where(measured >= most, most, measured)
    known = np.where(np.isnan(known) | (known < least) | (known < 0), 0.0, known)
    if count == beams and abs(start - geometry.start_rad) < abs(step) / 2 and math.isclose(step, geometry.step_rad):
        return known.astype(np.float32)
    ranges = np.zeros(beams, dtype=np.float32)
    if not (count and math.isfinite(start) and math.isfinite(step) and step):
        return ranges
    directions = geometry.start_rad + geometry.step_rad * np.arange(beams)
    nearest = np.rint((directions - start) / step)
    # Half a beam beyond the first and the last of its own is nothing that was looked at.
    inside = (nearest >= 0) & (nearest < count)
    ranges[inside] = known[nearest[inside].astype(np.int64)]
    return ranges
