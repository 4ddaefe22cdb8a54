"""What every world checks about its seeds and actions, and `check_env` for worlds of one's own."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Float64, Shaped

from monde.errors import WorldError
from monde.protocols import Observation, World
from monde.types import ActionSpec

_TOLERANCE = 1e-4
"""Slack on bounds, as a fraction of their range: float32 rounding is forgiven (and clipped), nothing more."""


class RowError(WorldError):
    """An environment raised: `row` and `step` say where. Crosses process boundaries as its message alone."""

    def __init__(
        self,
        what: str,
        *,
        got: object = None,
        expected: object = None,
        remedy: str | None = None,
        row: int = 0,
        step: int = 0,
    ) -> None:
        super().__init__(what, got=got, expected=expected, remedy=remedy)
        self.row = row
        self.step = step


def check_seeds(world: str, batch: int, seeds: Sequence[int]) -> tuple[int, ...]:
    """The seeds as plain integers.

    Raises:
        WorldError: Not one seed per row, or a negative one.
    """
    plain = tuple(int(seed) for seed in seeds)
    if len(plain) != batch:
        raise WorldError(f"{world} needs one seed per row", got=f"{len(plain)} seeds", expected=f"{batch}")
    if min(plain) < 0:
        raise WorldError(f"{world} cannot be seeded with a negative number", got=min(plain), expected="seeds ≥ 0")
    return plain


def check_controls(
    world: str, spec: ActionSpec, batch: int, controls: Float[np.ndarray, "..."]
) -> Float64[np.ndarray, "B dim"]:
    """Control steps as float64 [B, dim], within bounds.

    Raises:
        WorldError: Another shape, values that are not finite, out of bounds, or (discrete) rows that are not one-hot.
    """
    if controls.shape != (batch, spec.dim):
        raise WorldError(
            f"actions for {world} have the wrong width",
            got=f"shape {list(controls.shape)}",
            expected=f"[B, dim] = [{batch}, {spec.dim}]",
            remedy="give one control step per row; ActionSpec.to_controls unpacks blocks",
        )
    values = controls.astype(np.float64)
    bad = ~np.isfinite(values).all(axis=1)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise WorldError(
            f"actions for {world} are not finite", got=f"row {row}: {_show(values[row])}", expected="finite numbers"
        )
    if spec.discrete:
        bad = ((values != 0) & (values != 1)).any(axis=1) | (values.sum(axis=1) != 1)
        expected = f"one 1 among {spec.choices} numbers, the others 0"
        remedy = "give discrete actions one-hot"
        clipped = values
    else:
        low, high = np.array(spec.low), np.array(spec.high)
        slack = _TOLERANCE * (high - low)
        bad = ((values < low - slack) | (values > high + slack)).any(axis=1)
        expected = f"{_show(low)} to {_show(high)}"
        remedy = "clip them to the bounds of the world's ActionSpec"
        clipped = np.clip(values, low, high)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise WorldError(
            f"actions for {world} are out of bounds",
            got=f"row {row}: {_show(values[row])}",
            expected=expected,
            remedy=remedy,
        )
    return clipped


def _show(values: Float64[np.ndarray, " n"]) -> str:
    shown = ", ".join(f"{value:g}" for value in values[:8])
    return f"[{shown}{', …' if len(values) > 8 else ''}]"


def check_env(world: World, steps: int = 16) -> list[str]:
    """Drive a world and report where it breaks the contract of `monde.protocols.World`; an empty list means none found.

    Checked: shapes and dtypes against `sensors`; times that advance by `dt_seconds`; equal seeds and actions giving
    equal episodes; rows that do not depend on the other rows (needs B ≥ 2); wrong width, NaN and values out of bounds
    refused.

    Args:
        world: The world; it is reset, and left in the middle of an episode.
        steps: Control steps of each trial episode.
    """
    problems: list[str] = []
    generator = np.random.default_rng(0)
    seeds = list(range(1, world.batch + 1))
    controls = _random_controls(world, steps, generator)
    first = _episode(world, seeds, controls)
    problems += _declared(world, first[0], "reset")
    problems += _declared(world, first[-1], "step")
    problems += _judged(world)
    if not _equal(first, _episode(world, seeds, controls)):
        problems.append("the same seeds and actions gave another episode: reset does not fully reseed the world")
    if world.batch >= 2:
        order = np.roll(np.arange(world.batch), 1)
        moved = _episode(world, [seeds[row] for row in order], controls[:, order])
        if not _equal([_rows(observation, order) for observation in first], moved):
            problems.append("rows depend on their place in the batch or on each other")
    times = np.stack([observation.times_seconds for observation in first])
    gaps = np.diff(times, axis=0)
    # A row that has ended repeats its last observation, time included.
    if times[0].any() or not np.all(np.isclose(gaps, world.actions.dt_seconds) | (gaps == 0)):
        problems.append("times_seconds does not start at 0 and advance by actions.dt_seconds")
    return problems + _refusals(world, seeds, controls[0])


def _random_controls(world: World, steps: int, generator: np.random.Generator) -> Shaped[np.ndarray, "T B dim"]:
    spec = world.actions
    if spec.discrete:
        return np.eye(spec.choices, dtype=np.float32)[generator.integers(spec.choices, size=(steps, world.batch))]
    drawn = generator.uniform(spec.low, spec.high, size=(steps, world.batch, spec.dim))
    return drawn.astype(np.float32)


def _episode(world: World, seeds: list[int], controls: Shaped[np.ndarray, "T B dim"]) -> list[Observation]:
    return [world.reset(seeds), *(world.step(step).observation for step in controls)]


def _rows(observation: Observation, order: Shaped[np.ndarray, " B"]) -> Observation:
    return observation.rows(order)


def _equal(one: list[Observation], other: list[Observation]) -> bool:
    return all(
        a.values.keys() == b.values.keys()
        and np.array_equal(a.times_seconds, b.times_seconds)
        and all(np.array_equal(a.values[name], b.values[name], equal_nan=True) for name in a.values if name in b.values)
        for a, b in zip(one, other, strict=True)
    )


def _declared(world: World, observation: Observation, moment: str) -> list[str]:
    problems = []
    names = {sensor.name for sensor in world.sensors}
    if set(observation.values) != names:
        problems.append(f"{moment} shows sensors {sorted(observation.values)}, declared are {sorted(names)}")
    for sensor in world.sensors:
        values = observation.values.get(sensor.name)
        if values is None:
            continue
        if values.shape != (world.batch, *sensor.shape):
            problems.append(
                f"{moment}: {sensor.name!r} has shape {list(values.shape)}, declared {[world.batch, *sensor.shape]}"
            )
        if (values.dtype != np.uint8) if sensor.kind == "rgb" else (values.dtype != np.float32):
            expected = "uint8" if sensor.kind == "rgb" else "float32"
            problems.append(f"{moment}: {sensor.name!r} is {values.dtype}, expected {expected}")
        elif not np.isfinite(values).all():
            problems.append(f"{moment}: {sensor.name!r} holds values that are not finite")
    return problems


def _judged(world: World) -> list[str]:
    problems = []
    success, distance, goal = world.success(), world.goal_distance(), world.goal()
    if success.shape != (world.batch,) or success.dtype != np.bool_:
        problems.append(f"success() is {success.dtype}{list(success.shape)}, expected bool[{world.batch}]")
    if distance is not None and distance.shape != (world.batch,):
        problems.append(f"goal_distance() has shape {list(distance.shape)}, expected [{world.batch}]")
    if goal is not None:
        problems += _declared(world, goal, "goal")
    return problems


def _refusals(world: World, seeds: list[int], controls: Shaped[np.ndarray, "B dim"]) -> list[str]:
    beyond = np.full_like(controls, 2.0 if world.actions.discrete else 2 * max(map(abs, world.actions.high)) + 1)
    trials = {
        "a wrong width": np.concatenate([controls, controls], axis=1),
        "NaN": np.full_like(controls, np.nan),
        "values out of bounds": beyond,
    }
    problems = []
    for what, trial in trials.items():
        world.reset(seeds)
        try:
            world.step(trial)
        except WorldError:
            continue
        problems.append(f"step accepts actions with {what}; expected a WorldError")
    return problems
