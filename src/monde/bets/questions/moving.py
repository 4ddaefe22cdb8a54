"""Questions on rooms of flying discs: what happens next, where it will be, what is hidden, and why."""

import numpy as np

from monde.bets.questions.draw import Draw, Made
from monde.bets.questions.rooms import (
    PAST_FRAMES,
    RATE_HZ,
    SCREEN,
    SIDE_PIXELS,
    Room,
    apart,
    draw_siblings,
    frames_of,
    pictures,
    surroundings,
)
from monde.bets.questions.rooms_text import tell_places, tell_room, tell_screen
from monde.bets.types import Grade, Question, Truth
from monde.errors import WorldError
from monde.limits import MAX_BETS_TRIES
from monde.worlds.minimal_pairs.timing import Span
from monde.worlds.scenes.screens import around, rising
from monde.worlds.scenes.simulate import Motion

HORIZONS_SECONDS: dict[Grade, tuple[float, float, float]] = {
    "easy": (0.4, 0.8, 1.2),
    "middle": (0.8, 1.2, 1.6),
    "hard": (1.2, 1.6, 2.0),
}
LEAST_GAP_PIXELS = 6.0
"""Between two options, on the mean over discs: more than a disc's radius."""

TOLERANCE_PIXELS = 3.0
"""Of a place, 5% of the picture."""

WHY_CHANGED_PIXELS, WHY_SAME_PIXELS = 4.0, 0.5


def what_happens_next(draw: Draw) -> Made:
    """The real future among those of four rooms that look the same now; three horizons in turn."""
    seconds = HORIZONS_SECONDS[draw.grade][draw.number % 3]
    frames = frames_of(seconds)
    discs = int(draw.by_grade(1, 2, 3))
    for _ in range(MAX_BETS_TRIES):
        siblings = draw_siblings(draw.generator, 4, discs, draw.grade, draw.split)
        futures = [room.future(frames) for room, _ in siblings]
        if apart(futures, frames, LEAST_GAP_PIXELS):
            break
    right = draw.turn % 4
    room, past = siblings[right]
    scenery = surroundings(draw.generator)
    radii = [body.radius for body in room.bodies]
    ends = np.stack([future.position[frames] for future in futures])
    return draw.choice(
        f"Which of the four shows the room {seconds:g} s after the last moment that is shown?",
        tell_room(room, past),
        [tell_places(room.names, end) for end in ends],
        right,
        about={"ask": "places", "seconds": seconds},
        sensors={
            "film": pictures(room.names, radii, past.position, scenery),
            "options": pictures(room.names, radii, ends, scenery),
        },
    )


def where_will_it_be(draw: Draw) -> Made:
    """One coordinate of one disc after one of three horizons."""
    seconds = HORIZONS_SECONDS[draw.grade][draw.number % 3]
    ((room, past),) = draw_siblings(draw.generator, 1, int(draw.by_grade(1, 2, 3)), draw.grade, draw.split)
    disc, axis = int(draw.generator.integers(len(room.names))), draw.turn % 2
    value = float(room.future(frames_of(seconds)).position[-1, disc, axis])
    name, letter = room.names[disc], "xy"[axis]
    question = Question(
        id=draw.id,
        family=draw.family,
        grade=draw.grade,
        kind="number",
        prompt=f"At which {letter} (px) is the centre of the {name} disc {seconds:g} s after the last moment shown?",
        text=tell_room(room, past),
        unit="px",
        about={"ask": "coordinate", "disc": name, "axis": letter, "seconds": seconds},
        sensors={"film": _film(draw, room, past)},
    )
    return question, Truth(id=draw.id, number=value, tolerance=TOLERANCE_PIXELS)


def hidden_things(draw: Draw) -> Made:
    """Where a disc is behind a screen that hides all that it could do; four rooms that look the same before."""
    seconds = draw.by_grade(0.5, 1.0, 1.5)
    frames, discs = frames_of(seconds), int(draw.by_grade(1, 1, 2))
    for _ in range(MAX_BETS_TRIES):
        siblings = draw_siblings(draw.generator, 4, discs, draw.grade, draw.split)
        futures = [room.future(frames) for room, _ in siblings]
        if apart(futures, frames, LEAST_GAP_PIXELS, disc=0):
            break
    right = draw.turn % 4
    room, past = siblings[right]
    motion = past.then(futures[right])
    scenery = surroundings(draw.generator)
    radii = [body.radius for body in room.bodies]
    hidden = np.concatenate([future.position[3:].reshape(-1, 2) for future in futures])
    box = around(hidden, max(radii))
    up = Span(PAST_FRAMES + 3, motion.frames)
    screen = rising(box, motion.frames, up, SIDE_PIXELS, SCREEN)
    ends = np.stack([future.position[frames] for future in futures])
    name = room.names[0]
    when = f"from {3 / RATE_HZ:.2f} s on; it rises over the time before"
    return draw.choice(
        f"Where is the {name} disc behind the screen, {seconds:g} s after the screen began to rise at 0.00 s?",
        tell_room(room, past, screen=tell_screen([float(edge) for edge in box], when)),
        [tell_places([name], end[:1]) for end in ends],
        right,
        about={"ask": "places", "seconds": seconds, "now_frame": PAST_FRAMES, "disc": name},
        sensors={
            "film": pictures(room.names, radii, motion.position, scenery, [screen]),
            "options": pictures([name], radii[:1], ends[:, :1], scenery),
        },
    )


def why(draw: Draw) -> Made:
    """Which of four other discs made the difference to where one ends: the only one without which it ends elsewhere."""
    seconds = draw.by_grade(0.6, 1.0, 1.6)
    frames = frames_of(seconds)
    for _ in range(MAX_BETS_TRIES):
        ((room, past),) = draw_siblings(draw.generator, 1, 5, draw.grade, draw.split)
        told = _cause(room, frames)
        if told is not None:
            break
    else:
        raise WorldError("no room with a single cause could be drawn", got=f"{MAX_BETS_TRIES} draws")
    cause, future = told
    others = [str(name) for name in draw.generator.permutation([n for n in room.names[1:] if n != cause])]
    right = draw.turn % 4
    options = [*others[:right], cause, *others[right:]]
    subject = room.names[0]
    motion = past.then(future)
    return draw.choice(
        f"Which disc made the difference? Without it, all else being the same at 0.00 s, the {subject} disc would be "
        f"more than {WHY_CHANGED_PIXELS:g} px away from where it is at the end ({seconds:g} s); without any one of the "
        f"others it would be within {WHY_SAME_PIXELS:g} px.",
        tell_room(room, motion),
        [f"the {name} disc" for name in options],
        right,
        about={"ask": "cause", "disc": subject, "seconds": seconds, "now_frame": PAST_FRAMES, "discs": options},
        sensors={"film": _film(draw, room, motion)},
    )


def _cause(room: Room, frames: int) -> tuple[str, Motion] | None:
    """The one disc without which the first would end elsewhere, and the future; none if there is not exactly one."""
    future = room.future(frames)
    end = future.position[-1, 0]
    moved = {
        name: float(np.linalg.norm(room.without(name).future(frames).position[-1, 0] - end)) for name in room.names[1:]
    }
    causes = [name for name, far in moved.items() if far > WHY_CHANGED_PIXELS]
    clear = all(far < WHY_SAME_PIXELS for name, far in moved.items() if name not in causes)
    return (causes[0], future) if len(causes) == 1 and clear else None


def _film(draw: Draw, room: Room, motion: Motion) -> np.ndarray:
    radii = [body.radius for body in room.bodies]
    return pictures(room.names, radii, motion.position, surroundings(draw.generator))
