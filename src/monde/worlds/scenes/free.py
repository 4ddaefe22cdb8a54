"""Scenes without a script: a room in which objects fly, bounce off one another, and come to rest."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from monde.errors import ContractError
from monde.worlds.minimal_pairs.timing import Span
from monde.worlds.scenes.bodies import Body
from monde.worlds.scenes.config import SceneConfig
from monde.worlds.scenes.film import SceneFilm, Shot, film
from monde.worlds.scenes.render import Look, Panel, Take
from monde.worlds.scenes.scenery import BORDER_PIXELS, Scenery, draw_scenery, light, room
from monde.worlds.scenes.screens import rising, standing
from monde.worlds.scenes.simulate import simulate
from monde.worlds.scenes.splits import SHAPES, variety

_TRIES = 200
"""Places tried for one object before the scene goes on without it (there is always room for the first)."""


def shoot(config: SceneConfig, seed: int) -> Shot:
    """One scene, simulated and ready to be drawn; everything in it comes from the seed.

    Raises:
        ContractError: A negative seed.
        UsageError: pymunk is not installed.
    """
    if seed < 0:
        raise ContractError("a scene's seed is negative", got=seed, expected="≥ 0")
    generator = np.random.default_rng([seed, 0x5CE4E])
    scenery = draw_scenery(
        generator,
        config.side_pixels,
        zoom=config.camera_zoom,
        shift_pixels=config.camera_shift_pixels,
        plain=config.plain,
    )
    falls = config.gravity == "on" or (config.gravity == "any" and generator.uniform() < 0.6)
    gravity = float(generator.uniform(*config.gravity_pixels)) if falls else 0.0
    bodies = _bodies(generator, config, falls)
    walls = room(config.side_pixels)
    moved = simulate(bodies, walls, gravity=gravity, frames=config.frames, rate_hz=config.rate_hz)
    motion = moved.through(scenery.camera)
    zoom = scenery.camera.zoom
    furniture = tuple(scenery.panel(box, scenery.solid, config.frames) for box in walls)
    blinks = (int(generator.integers(config.frames)),) if generator.uniform() < config.blink else ()
    take = Take(
        background=scenery.background,
        furniture=furniture,
        looks=tuple(Look(shape=b.shape, radius=b.radius * zoom, colour=b.colour, plane=b.plane) for b in bodies),
        position=motion.position,
        angle=motion.angle,
        present=np.ones((config.frames, len(bodies)), dtype=np.bool_),
        screens=_screens(generator, config, scenery),
        light=light(config.frames, blinks),
    )
    return Shot(take=take, bodies=bodies, motion=motion, gravity=gravity * zoom, rate_hz=config.rate_hz)


def free_films(config: SceneConfig, seeds: Sequence[int]) -> tuple[SceneFilm, ...]:
    """One possible film per seed. A film depends on its own seed alone.

    Raises:
        ContractError: A negative seed.
        UsageError: pymunk is not installed.
    """
    return film([shoot(config, seed) for seed in seeds])


def _bodies(generator: np.random.Generator, config: SceneConfig, falls: bool) -> tuple[Body, ...]:
    kinds = variety(config.split)
    wanted = int(generator.integers(config.objects[0], config.objects[1] + 1))
    colours = kinds.draw_colours(generator, wanted)
    bodies: list[Body] = []
    for colour in (colours[i % len(colours)] for i in range(wanted)):
        speed, direction = kinds.speed(generator), generator.uniform(0, 2 * math.pi)
        shape = SHAPES[int(generator.integers(len(SHAPES)))]
        body = Body(
            shape=shape,
            radius=kinds.radius(generator),
            colour=colour,
            position=(0.0, 0.0),
            velocity=(speed * math.cos(direction), speed * math.sin(direction)),
            angle=float(generator.uniform(0, 2 * math.pi)),
            spin=0.0 if shape == "disc" else float(generator.uniform(-3, 3)),
            # Without gravity nothing presses on anything: friction shows only where there is weight.
            friction=float(generator.uniform(0.1, 0.8)) if falls else 0.0,
            restitution=float(generator.uniform(0.5, 0.95)) if falls else float(generator.uniform(0.85, 1.0)),
            plane=int(generator.integers(config.planes)),
        )
        placed = _place(generator, body, bodies, config.side_pixels)
        if placed is not None:
            bodies.append(placed)
    return tuple(bodies)


def _place(generator: np.random.Generator, body: Body, others: Sequence[Body], side: int) -> Body | None:
    """The body at a place of its own, or none if there is no room left."""
    low = BORDER_PIXELS + body.extent + 0.5
    for _ in range(_TRIES):
        x, y = generator.uniform(low, side - low, size=2)
        apart = (math.dist((x, y), other.position) > body.extent + other.extent + 0.5 for other in others)
        if all(apart):
            return replace(body, position=(float(x), float(y)))
    return None


def _screens(generator: np.random.Generator, config: SceneConfig, scenery: Scenery) -> tuple[Panel, ...]:
    kinds = ("none", "static", "rising")
    kind = config.occluder if config.occluder != "any" else kinds[int(generator.integers(3))]
    side, frames = config.side_pixels, config.frames
    width, height = generator.uniform(0.2, 0.45, size=2) * side + np.array([0.0, 0.1 * side])
    x = float(generator.uniform(0.08 * side, 0.92 * side - width))
    box = np.array([x, side - BORDER_PIXELS - height, x + width, side + 1.0])
    if kind == "none":
        return ()
    if kind == "static":
        return (standing(box, frames, scenery.screen),)
    start = int(generator.integers(frames // 8, max(frames // 8 + 1, frames // 2)))
    stop = min(frames, start + int(generator.integers(max(1, frames // 8), max(2, frames // 2))))
    return (rising(box, frames, Span(start, stop), side, scenery.screen, bool(generator.uniform() < 0.3)),)
