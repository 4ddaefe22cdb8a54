"""Goals that are pointed at: `object@camera=40,22±0.03` brings the readout `object` to what that pixel shows now.

A pixel (column, row) needs its depth, the camera's intrinsics and its mount; a point of a cloud (its index) the mount
alone: see `monde.spatial.frames`. What comes of it is a readout's target like any other, one for each row.
"""

import re
from collections.abc import Mapping

import torch

from monde.errors import UsageError
from monde.evaluation.goals import NUMBER
from monde.protocols import Observation, World
from monde.spatial import place_in_cloud, place_in_image
from monde.types import ReadoutGoal, Sensor

POINTED = re.compile(
    rf"(?P<name>[\w-]+)@(?P<sensor>[\w-]+)=(?P<at>{NUMBER}(?:,{NUMBER})*)(?:±|\+-|\+/-)(?P<tolerance>{NUMBER})"
)

EXPECTED = "NAME@CAMERA=COLUMN,ROW±METRES, or NAME@CLOUD=INDEX±METRES"


def is_pointed_goal(text: str) -> bool:
    """Whether this looks like a pixel or a point of a cloud."""
    return POINTED.fullmatch(text) is not None


def pointed_goal(text: str, states: Mapping[str, Sensor], world: World, seen: Observation) -> ReadoutGoal:
    """A pixel, or a point of a cloud, as a target of a readout of the place of something.

    Args:
        text: As typed.
        states: Those that a readout can be fitted on, by name.
        world: Whose sensors show it.
        seen: What they show at the start, one row for each episode.

    Raises:
        UsageError: It cannot be read, or names no place (three numbers in m) that was recorded.
        ContractError: Nothing is known of where in space the point is; see `monde.spatial.frames`.
    """
    found = POINTED.fullmatch(text)
    if found is None:
        raise UsageError(f"goal {text!r} cannot be understood", expected=EXPECTED)
    name, at, tolerance = found["name"], [float(number) for number in found["at"].split(",")], float(found["tolerance"])
    places = sorted(state.name for state in states.values() if state.shape == (3,) and state.unit == "m")
    if name not in places or tolerance <= 0:
        raise UsageError(
            f"goal {text!r} brings nothing to a place",
            got=f"{name!r}, a tolerance of {tolerance:g}",
            expected=f"a recorded place ({', '.join(places) or 'there is none'}), a tolerance above 0",
        )
    sensor = found["sensor"]
    if len(at) == 2:
        place = place_in_image(seen, world.sensors, sensor, at[0], at[1])
    elif len(at) == 1 and at[0].is_integer():
        place = place_in_cloud(seen, world.sensors, sensor, int(at[0]))
    else:
        raise UsageError(f"goal {text!r} points at nothing", got=f"{len(at)} numbers", expected=EXPECTED)
    return ReadoutGoal(name, torch.from_numpy(place).float(), tolerance)
