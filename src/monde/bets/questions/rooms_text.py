"""A room as text, and back: exact states with units, enough to restart the simulator."""

import re
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

from monde.bets.questions.rooms import COLOURS, PAST_FRAMES, RATE_HZ, RESTITUTION, SIDE_PIXELS, Room
from monde.errors import ContractError
from monde.worlds.scenes.bodies import Body
from monde.worlds.scenes.scenery import BORDER_PIXELS
from monde.worlds.scenes.simulate import Motion

_NUMBER = r"(-?\d+(?:\.\d+)?)"
_PLACE = re.compile(rf"(\w+) at \({_NUMBER}, {_NUMBER}\) px")
_DISC = re.compile(rf"^disc (\w+): radius {_NUMBER} px", re.MULTILINE)
_GRAVITY = re.compile(rf"gravity: {_NUMBER} px/s\^2")
_ROW = re.compile(rf"^{_NUMBER} (\w+) {_NUMBER} {_NUMBER} {_NUMBER} {_NUMBER}$", re.MULTILINE)
_SCREEN = re.compile(rf"screen covers x {_NUMBER} to {_NUMBER} px, y {_NUMBER} to {_NUMBER} px")


def tell_room(room: Room, motion: Motion, first_frame: int = -PAST_FRAMES, screen: str = "") -> str:
    """The room's laws, its discs, and their states frame by frame; time 0 is now."""
    low, high = BORDER_PIXELS, SIDE_PIXELS - BORDER_PIXELS
    lines = [
        f"A square room seen from the side, {SIDE_PIXELS} px wide and high; x to the right, y downwards.",
        f"Walls: discs stay within x {low:g} to {high:g} px and y {low:g} to {high:g} px.",
        f"gravity: {room.gravity:.4f} px/s^2 downwards; no friction, no air.",
        f"A wall returns {RESTITUTION:g} of the speed towards it; two discs {RESTITUTION**2:.2f} of theirs.",
        "Masses are proportional to areas.",
    ]
    lines += [f"disc {name}: radius {body.radius:.4f} px" for name, body in zip(room.names, room.bodies, strict=True)]
    lines += [screen] if screen else []
    lines.append("time_s disc x_px y_px vx_px_s vy_px_s")
    for frame in range(motion.frames):
        at = (first_frame + frame) / RATE_HZ
        for k, name in enumerate(room.names):
            (x, y), (vx, vy) = motion.position[frame, k], motion.velocity[frame, k]
            lines.append(f"{at:.2f} {name} {x:.4f} {y:.4f} {vx:.4f} {vy:.4f}")
    return "\n".join(lines)


def tell_screen(box: Sequence[float], when: str) -> str:
    """A screen's place, and when it is there."""
    x0, y0, x1, y1 = box
    return f"A grey screen covers x {x0:.2f} to {x1:.2f} px, y {y0:.2f} to {y1:.2f} px {when}."


def tell_places(names: Sequence[str], position: Float64[np.ndarray, "K 2"]) -> str:
    """Where discs are at one moment."""
    return "; ".join(f"{name} at ({x:.2f}, {y:.2f}) px" for name, (x, y) in zip(names, position, strict=True))


def read_places(text: str) -> dict[str, tuple[float, float]]:
    """What `tell_places` told."""
    return {name: (float(x), float(y)) for name, x, y in _PLACE.findall(text)}


def read_screen(text: str) -> tuple[float, float, float, float] | None:
    """The box that `tell_screen` told, or none."""
    found = _SCREEN.search(text)
    if found is None:
        return None
    x0, x1, y0, y1 = map(float, found.groups())
    return x0, y0, x1, y1


def read_room(text: str) -> Room:
    """The room as it is at time 0.

    Raises:
        ContractError: The text does not tell a room.
    """
    gravity = _GRAVITY.search(text)
    radii = {name: float(radius) for name, radius in _DISC.findall(text)}
    now = {name: tuple(map(float, state)) for at, name, *state in _ROW.findall(text) if abs(float(at)) < 1e-9}
    if gravity is None or not radii or set(radii) != set(now):
        raise ContractError("this text does not tell a room", got=text[:80], expected="gravity, discs, states at 0.00")
    bodies = tuple(
        Body(
            shape="disc",
            radius=radii[name],
            colour=COLOURS[name],
            position=(now[name][0], now[name][1]),
            velocity=(now[name][2], now[name][3]),
            restitution=RESTITUTION,
        )
        for name in radii
    )
    return Room(names=tuple(radii), bodies=bodies, gravity=float(gravity.group(1)))


def read_history(text: str) -> tuple[tuple[str, ...], Float64[np.ndarray, "T K 4"]]:
    """Names of the discs, and all states told: x, y in px, vx, vy in px/s; frame by frame."""
    rows = _ROW.findall(text)
    names = tuple(name for name, _ in _DISC.findall(text))
    states = np.array([list(map(float, state)) for _, _, *state in rows])
    return names, states.reshape(-1, len(names), 4)
