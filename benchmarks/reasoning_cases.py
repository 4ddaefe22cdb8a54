"""Cases of reasoning about TwoRoom with one right answer each, drawn from the simulator before any model is asked."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, UInt8

from monde.evaluation.ranking import RankingConfig, random_sequences
from monde.types import ActionSpec
from monde.worlds import TwoRoom, TwoRoomConfig, make

TOLERANCE_STEPS = 2.0
"""The world's tolerance of success, 4 pixels, in control steps."""
DECISIVE_STEPS = 3.0
WASTED_STEPS = 5.0
COURSES, COMPARED_BLOCKS, EXPLAINED_BLOCKS, ALTERED_BLOCKS = 3, 5, 6, 3
GOALS = 4
APART_PIXELS = 8.0
CELL, PATCHES, PATCH = 16, 3, 5
PATCH_COLOUR = (60, 110, 200)
POOL = 4000
ACTIONS = ActionSpec(low=(-1.0, -1.0), high=(1.0, 1.0), dt_seconds=0.1, names=("x", "y"), block=5)


@dataclass(frozen=True, kw_only=True)
class Scenes:
    """Starts and goals of many episodes: they share the walls."""

    seeds: tuple[int, ...]
    starts: Float64[np.ndarray, "n 2"]
    goals: Float64[np.ndarray, "n 2"]
    start_frames: UInt8[np.ndarray, "n 3 h w"]
    goal_frames: UInt8[np.ndarray, "n 3 h w"]


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Courses [S, steps, 2] from a scene's start to its goal, and the steps that are left at their ends."""

    scene: int
    courses: Float32[np.ndarray, "S n 2"]
    left: Float64[np.ndarray, " S"]


@dataclass(frozen=True, kw_only=True)
class Explained:
    """Two courses [steps, 2], and which block of the other makes the difference."""

    scene: int
    course: Float32[np.ndarray, "n 2"]
    instead: Float32[np.ndarray, "n 2"]
    cause: int


@dataclass(frozen=True, kw_only=True)
class Altered:
    """Two pictures, a course from either, a goal's scene, and which of the grid's parts holds the disc."""

    picture: UInt8[np.ndarray, "3 h w"]
    instead: UInt8[np.ndarray, "3 h w"]
    course: Float32[np.ndarray, "n 2"]
    goal: int
    cause: int


@dataclass(frozen=True, kw_only=True)
class Walked:
    """A walk's frames, one a block, positions likewise, and the scenes of four goals, the true one first."""

    frames: UInt8[np.ndarray, "T 3 h w"]
    places: Float64[np.ndarray, "T 2"]
    goals: tuple[int, ...]


def scenes(first_seed: int) -> Scenes:
    """Episodes that nothing was trained on."""
    seeds = tuple(range(first_seed, first_seed + POOL))
    world = make("tworoom", POOL)
    try:
        seen, aim = world.reset(seeds), world.goal()
        if aim is None:
            raise ValueError("tworoom has goals")
        starts, goals = seen.values["state"].astype(np.float64), aim.values["state"].astype(np.float64)
        return Scenes(
            seeds=seeds, starts=starts, goals=goals, start_frames=seen.values["top"], goal_frames=aim.values["top"]
        )
    finally:
        world.close()


def steps_left(places: Float64[np.ndarray, "n 2"], goal: Float64[np.ndarray, " 2"]) -> Float64[np.ndarray, " n"]:
    """Control steps to a goal along the shortest way through the door; each axis moves by up to 2 pixels a step."""
    c = TwoRoomConfig()
    middle, reach = c.side_pixels / 2, c.wall_pixels / 2 + c.radius_pixels
    heights = middle + np.linspace(-1, 1, 15) * (c.door_pixels / 2 - c.radius_pixels)

    def side(x: float) -> int:
        return int(x > middle - reach) + int(x >= middle + reach)

    def length(place: np.ndarray) -> float:
        a, b = side(float(place[0])), side(float(goal[0]))
        gates = [middle - reach, middle + reach][min(a, b) : max(a, b)]
        ways = np.array([place]), np.zeros(1)
        for x in gates if a < b else gates[::-1]:
            here, so_far = ways
            there = np.stack([np.full(len(heights), x), heights], 1)
            ways = there, (so_far[:, None] + np.abs(here[:, None] - there).max(-1)).min(0)
        return float((ways[1] + np.abs(ways[0] - goal).max(-1)).min() / c.step_pixels)

    return np.array([length(place) for place in places])


def outcomes(seed: int, courses: Float32[np.ndarray, "S n 2"]) -> Float64[np.ndarray, "S 2"]:
    """Where each course really ends."""
    world = make("tworoom", len(courses))
    try:
        seen = world.reset([seed] * len(courses))
        for step in range(courses.shape[1]):
            seen = world.step(courses[:, step]).observation
        return seen.values["state"].astype(np.float64)
    finally:
        world.close()


def compared(pool: Scenes, generator: np.random.Generator) -> Iterator[Compared]:
    """Three courses of which no two come out alike."""
    config = RankingConfig(samples=COURSES, horizon=COMPARED_BLOCKS)
    while True:
        scene = int(generator.integers(POOL))
        courses = random_sequences(ACTIONS, config, generator)
        left = steps_left(outcomes(pool.seeds[scene], courses), pool.goals[scene])
        if np.diff(np.sort(left)).min() >= TOLERANCE_STEPS:
            yield Compared(scene=scene, courses=courses, left=left)


def explained(pool: Scenes, generator: np.random.Generator) -> Iterator[Explained]:
    """Two courses that differ in every block, of which one decides."""
    config = RankingConfig(samples=2 * EXPLAINED_BLOCKS, horizon=1)
    while True:
        scene = int(generator.integers(POOL))
        blocks = random_sequences(ACTIONS, config, generator)
        course, instead = blocks[:EXPLAINED_BLOCKS], blocks[EXPLAINED_BLOCKS:]
        cases = np.stack([course, *(_exchanged(course, instead, i) for i in range(EXPLAINED_BLOCKS))])
        left = steps_left(outcomes(pool.seeds[scene], cases.reshape(len(cases), -1, 2)), pool.goals[scene])
        change = np.abs(left[1:] - left[0])
        first, second = np.sort(change)[::-1][:2]
        if first >= DECISIVE_STEPS and second <= first / 2:
            flat = course.reshape(-1, 2), instead.reshape(-1, 2)
            yield Explained(scene=scene, course=flat[0], instead=flat[1], cause=int(change.argmax()))


def _exchanged(course: np.ndarray, instead: np.ndarray, index: int) -> np.ndarray:
    changed = course.copy()
    changed[index] = instead[index]
    return changed


def altered(pool: Scenes, generator: np.random.Generator) -> Iterator[Altered]:
    """Pictures in which the disc and some patches stand elsewhere, each within its own part of the grid."""
    side = pool.start_frames.shape[-1] // CELL
    within = pool.starts % CELL
    whole = (
        (within > TwoRoomConfig().radius_pixels + 0.5) & (within < CELL - TwoRoomConfig().radius_pixels - 0.5)
    ).all(1)
    cells = (pool.starts // CELL).astype(int)
    numbers = cells[:, 1] * side + cells[:, 0]
    config = RankingConfig(samples=2, horizon=ALTERED_BLOCKS)
    while True:
        cell = int(generator.choice(numbers[whole]))
        one, other = generator.choice(np.flatnonzero(whole & (numbers == cell)), 2, replace=False)
        goal = int(generator.integers(POOL))
        course = random_sequences(ACTIONS, config, generator)[:1]
        ends = np.concatenate([outcomes(pool.seeds[i], course) for i in (one, other)])
        left = steps_left(ends, pool.goals[goal])
        if abs(left[0] - left[1]) < DECISIVE_STEPS:
            continue
        others = generator.choice([i for i in range(side * side) if i != cell], PATCHES, replace=False)
        pictures = [_patched(pool.start_frames[i], others, side, generator) for i in (one, other)]
        yield Altered(picture=pictures[0], instead=pictures[1], course=course[0], goal=goal, cause=cell)


def _patched(frame: np.ndarray, parts: np.ndarray, side: int, generator: np.random.Generator) -> np.ndarray:
    patched = frame.copy()
    for part in parts:
        row, column = (CELL * index + int(generator.integers(CELL - PATCH)) for index in divmod(int(part), side))
        patched[:, row : row + PATCH, column : column + PATCH] = np.array(PATCH_COLOUR)[:, None, None]
    return patched


def walked(pool: Scenes, generator: np.random.Generator, seen: float) -> Iterator[Walked]:
    """Walks to a scene's goal, and other goals that the walk's first part speaks against."""
    while True:
        true = int(generator.integers(POOL))
        frames, places = _walk(pool, true, generator)
        last = until(len(frames), seen)
        if len(frames) < 5:
            continue
        ends = places[[0, last]]
        goals = [true]
        for other in generator.integers(POOL, size=200).tolist():
            apart = min(float(np.linalg.norm(pool.goals[other] - pool.goals[one])) for one in goals)
            began, now = steps_left(ends, pool.goals[other])
            if apart >= APART_PIXELS and ACTIONS.block * last + now - began >= WASTED_STEPS:
                goals.append(other)
            if len(goals) == GOALS:
                yield Walked(frames=frames, places=places, goals=tuple(goals))
                break


def until(frames: int, share: float) -> int:
    """The last frame that is seen of a walk of so many."""
    return max(1, round(share * (frames - 1)))


def _walk(pool: Scenes, scene: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Frames and places at every block of a noisy walk through the door to the goal, until it is reached."""
    world = make("tworoom", 1)
    try:
        if not isinstance(world, TwoRoom):
            raise TypeError("tworoom is a TwoRoom")
        seen = world.reset([pool.seeds[scene]])
        frames, places = [seen.values["top"][0]], [seen.values["state"][0].astype(np.float64)]
        for step in range(1, 200):
            place = seen.values["state"][0].astype(np.float64)
            way = _waypoint(place, pool.goals[scene]) - place
            control = way / max(float(np.abs(way).max()), 2.0) + generator.normal(0, 0.25, 2)
            seen = world.step(np.clip(control, -1, 1).astype(np.float32)[None]).observation
            if step % ACTIONS.block == 0:
                frames.append(seen.values["top"][0])
                places.append(seen.values["state"][0].astype(np.float64))
            if world.success()[0]:
                break
        return np.stack(frames), np.stack(places)
    finally:
        world.close()


def _waypoint(place: np.ndarray, goal: np.ndarray) -> np.ndarray:
    """The goal, or the near side of the door, then its far side."""
    middle, clear = 32.0, 5.5
    here, there = np.sign(place[0] - middle), np.sign(goal[0] - middle)
    inside = abs(place[0] - middle) < clear - 1
    if here == there and not inside:
        return goal
    aligned = inside or abs(place[1] - middle) < 2
    return np.array([middle + clear * (there if aligned else here), middle])
