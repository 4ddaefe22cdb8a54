"""How far a told film is from what physics allows: the simulator, restarted at every frame, against the next frame."""

from collections.abc import Mapping

import numpy as np

from monde.bets.questions.pairs import Told
from monde.worlds.minimal_pairs.timing import RATE_HZ
from monde.worlds.scenes.bodies import Body
from monde.worlds.scenes.simulate import simulate

CHANGED = 1e6
"""Of a thing that appears, vanishes, or becomes another: no physics does that."""

_SPEED_WEIGHT_SECONDS = 0.05


def anomaly(film: Told) -> float:
    """The greatest difference between a frame and what the simulator makes of the one before, px; `CHANGED` and more
    where things or walls come, go, or change."""
    worst = 0.0
    for frame in range(len(film.bodies) - 1):
        now, after = film.bodies[frame], film.bodies[frame + 1]
        solids = [box for first, last, box in film.solids if first <= frame <= last]
        later = [box for first, last, box in film.solids if first <= frame + 1 <= last]
        if _kinds(now) != _kinds(after) or solids != later:
            return CHANGED
        if now:
            worst = max(worst, _step(film, now, after, solids))
    return worst


def _kinds(bodies: Mapping[int, Body]) -> dict[int, tuple[object, ...]]:
    return {number: (body.shape, body.colour, body.radius) for number, body in bodies.items()}


def _step(
    film: Told, now: Mapping[int, Body], after: Mapping[int, Body], solids: list[tuple[float, float, float, float]]
) -> float:
    order = sorted(now)
    motion = simulate([now[k] for k in order], solids, gravity=film.gravity, frames=2, rate_hz=RATE_HZ)
    worst = 0.0
    for index, number in enumerate(order):
        place = np.array(after[number].position) - motion.position[1, index]
        speed = np.array(after[number].velocity) - motion.velocity[1, index]
        worst = max(worst, float(np.linalg.norm(place) + _SPEED_WEIGHT_SECONDS * np.linalg.norm(speed)))
    return worst
