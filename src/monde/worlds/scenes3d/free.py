"""Scenes in space without a script: a tray on which objects fly, bounce off one another, roll and come to rest."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from monde.errors import ContractError
from monde.worlds.minimal_pairs.timing import Span
from monde.worlds.scenes.scenery import light
from monde.worlds.scenes3d.bodies import Body, about_vertical
from monde.worlds.scenes3d.config import SceneConfig3D
from monde.worlds.scenes3d.film import SceneFilm3D, Shot, film
from monde.worlds.scenes3d.render import Look, Screen, Take
from monde.worlds.scenes3d.scenery import Outlook, draw_scenery
from monde.worlds.scenes3d.screens import panel, shares
from monde.worlds.scenes3d.simulate import Block, simulate
from monde.worlds.scenes3d.splits import SHAPES, variety

WIDE, NEAR, FAR = 2.5, -1.9, 2.4
"""The tray: x from - to + WIDE, y from NEAR to FAR, m."""

TRAY = (
    Block(middle=(-WIDE - 0.1, (NEAR + FAR) / 2, 0.35), half=(0.1, (FAR - NEAR) / 2 + 0.2, 0.35)),
    Block(middle=(WIDE + 0.1, (NEAR + FAR) / 2, 0.35), half=(0.1, (FAR - NEAR) / 2 + 0.2, 0.35)),
    Block(middle=(0.0, FAR + 0.1, 0.35), half=(WIDE, 0.1, 0.35)),
    Block(middle=(0.0, NEAR - 0.1, 0.15), half=(WIDE, 0.1, 0.15)),
)
"""Its kerbs; the one in front is low. What flies over one is gone."""

_SCREEN_Y = NEAR - 0.4
_TRIES = 200
"""Places tried for one object before the scene goes on without it (there is always room for the first)."""


def shoot(config: SceneConfig3D, seed: int) -> Shot:
    """One scene, simulated and ready to be drawn; everything in it comes from the seed.

    Raises:
        ContractError: A negative seed.
        UsageError: mujoco is not installed.
    """
    if seed < 0:
        raise ContractError("a scene's seed is negative", got=seed, expected="≥ 0")
    generator = np.random.default_rng([seed, 0x5CE4E3D])
    outlook = Outlook(
        distance=config.camera_distance_metres,
        elevation_degrees=config.camera_elevation_degrees,
        azimuth_degrees=config.camera_azimuth_degrees,
    )
    scenery = draw_scenery(generator, outlook, config.side_pixels, plain=config.plain)
    falls = config.gravity == "on" or (config.gravity == "any" and generator.uniform() < 0.8)
    gravity = float(generator.uniform(*config.gravity_metres)) if falls else 0.0
    bodies = _bodies(generator, config, falls)
    motion = simulate(bodies, TRAY, gravity=gravity, frames=config.frames, rate_hz=config.rate_hz)
    blinks = (int(generator.integers(config.frames)),) if generator.uniform() < config.blink else ()
    take = Take(
        scenery=scenery,
        blocks=TRAY,
        looks=tuple(Look(shape=b.shape, radius=b.radius, colour=b.colour) for b in bodies),
        position=motion.position,
        quaternion=motion.quaternion,
        present=np.ones((config.frames, len(bodies)), dtype=np.bool_),
        screens=_screens(generator, config),
        light=light(config.frames, blinks),
    )
    return Shot(take=take, bodies=bodies, motion=motion, gravity=gravity, rate_hz=config.rate_hz)


def free_films(config: SceneConfig3D, seeds: Sequence[int]) -> tuple[SceneFilm3D, ...]:
    """One possible film per seed. A film depends on its own seed alone.

    Raises:
        ContractError: A negative seed.
        UsageError: mujoco is not installed, or there is no renderer.
    """
    return film([shoot(config, seed) for seed in seeds])


def _bodies(generator: np.random.Generator, config: SceneConfig3D, falls: bool) -> tuple[Body, ...]:
    kinds = variety(config.split)
    wanted = int(generator.integers(config.objects[0], config.objects[1] + 1))
    colours = kinds.draw_colours(generator, wanted)
    bodies: list[Body] = []
    for colour in (colours[i % len(colours)] for i in range(wanted)):
        speed, direction = kinds.speed(generator), generator.uniform(0, 2 * math.pi)
        climb = generator.uniform(-0.3, 0.9) if generator.uniform() < 0.6 else 0.0
        flat = speed * math.cos(climb)
        body = Body(
            shape=SHAPES[int(generator.integers(len(SHAPES)))],
            radius=kinds.radius(generator),
            colour=colour,
            velocity=(flat * math.cos(direction), flat * math.sin(direction), speed * math.sin(climb)),
            quaternion=about_vertical(float(generator.uniform(0, 2 * math.pi))),
            # Without gravity nothing presses on anything: friction shows only where there is weight.
            friction=float(generator.uniform(0.1, 0.8)) if falls else 0.0,
            restitution=float(generator.uniform(0.3, 0.9)) if falls else float(generator.uniform(0.85, 1.0)),
        )
        placed = _place(generator, body, bodies, on_floor=climb == 0.0)
        if placed is not None:
            bodies.append(placed)
    return tuple(bodies)


def _place(generator: np.random.Generator, body: Body, others: Sequence[Body], on_floor: bool) -> Body | None:
    """The body at a place of its own, or none if there is no room left."""
    edge = body.reach + 0.05
    for _ in range(_TRIES):
        x = float(generator.uniform(-WIDE + edge, WIDE - edge))
        y = float(generator.uniform(NEAR + edge, FAR - edge))
        z = body.tall if on_floor else body.reach + float(generator.uniform(0.05, 2.2))
        if all(math.dist((x, y, z), other.position) > body.reach + other.reach + 0.05 for other in others):
            return replace(body, position=(x, y, z))
    return None


def _screens(generator: np.random.Generator, config: SceneConfig3D) -> tuple[Screen, ...]:
    kinds = ("none", "static", "rising")
    kind = config.occluder if config.occluder != "any" else kinds[int(generator.integers(3))]
    wide, high = generator.uniform(1.0, 2.2), generator.uniform(1.0, 2.2)
    x = float(generator.uniform(-2.2, 2.2 - wide))
    rectangle, frames = np.array([x, 0.0, x + wide, high]), config.frames
    if kind == "none":
        return ()
    if kind == "static":
        return (panel(rectangle, _SCREEN_Y, np.ones(frames)),)
    start = int(generator.integers(frames // 8, max(frames // 8 + 1, frames // 2)))
    stop = min(frames, start + int(generator.integers(max(1, frames // 8), max(2, frames // 2))))
    above = bool(generator.uniform() < 0.3)
    return (panel(rectangle, _SCREEN_Y, shares(frames, Span(start, stop)), from_above=above),)
