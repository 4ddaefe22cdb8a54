"""What a recording of scenes tells of its objects, and from which moments on a quantity can be known at all.

A quantity is asked for only where what was seen could tell it: friction after something slid, restitution after
something was hit, gravity after a while in free flight, depth order after one thing passed before another. What belongs
to one object is asked for in films of one object: of several, no order is theirs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from jaxtyping import Bool, Float64

from monde.errors import DataError
from monde.types import Sensor

SLIDING_DIAMETERS_S = 0.25
"""Speed, in diameters a second, above which something that touches the surroundings slides."""

CLEAR_RADII = 0.05
"""Two objects of radii that differ by less than this fraction are of one size."""


@dataclass(frozen=True, repr=False)
class Told:
    """The `state` of one film, by name.

    Args:
        names: Of its columns.
        values: [T, n].
        frames: Of the frames that count as "for a while": the context of a belief.
    """

    names: tuple[str, ...]
    values: Float64[np.ndarray, "T n"]
    frames: int

    @property
    def space(self) -> bool:
        """Whether it is of a scene in space."""
        return "object1_x_m" in self.names

    def scene(self, name: str) -> Float64[np.ndarray, " T"]:
        """A number of the scene."""
        column: Float64[np.ndarray, " T"] = self.values[:, self.names.index(name)]
        return column

    def each(self, name: str) -> Float64[np.ndarray, "T K"]:
        """A number of every object slot."""
        columns = [
            i for i, known in enumerate(self.names) if known.startswith("object") and known.partition("_")[2] == name
        ]
        table: Float64[np.ndarray, "T K"] = self.values[:, columns]
        return table

    def objects(self) -> list[int]:
        """Slots of the objects that are there in every frame."""
        return [int(k) for k in np.flatnonzero((self.each("present") > 0).all(axis=0))]

    def alone(self) -> int | None:
        """The slot of the only object there ever is, or none."""
        ever = np.flatnonzero((self.each("present") > 0).any(axis=0))
        return int(ever[0]) if len(ever) == 1 and self.objects() == [int(ever[0])] else None

    def vector(self, kind: str, k: int) -> Float64[np.ndarray, "T d"]:
        """Position or velocity of an object."""
        stem, unit, axes = ("", "m", "xyz") if self.space else ("", "px", "xy")
        if kind == "velocity":
            stem, unit = "v", f"{unit}_s"
        return np.stack([self.each(f"{stem}{axis}_{unit}")[:, k] for axis in axes], axis=1)

    def radius(self) -> Float64[np.ndarray, "T K"]:
        """Radii, m or px."""
        return self.each("radius_m" if self.space else "radius_px")

    def gravity(self) -> Float64[np.ndarray, " T"]:
        """Downwards, of the scene."""
        return self.scene("gravity_m_s2" if self.space else "gravity_px_s2")

    def touches(self) -> Bool[np.ndarray, "T K"]:
        """Whether an object has touched anything since the frame before."""
        table: Bool[np.ndarray, "T K"] = (self.each("touches_object") + self.each("touches_surroundings")) > 0
        return table

    def seen(self, k: int) -> Bool[np.ndarray, " T"]:
        """Whether at least half of an object is in sight."""
        shown: Bool[np.ndarray, " T"] = self.each("visible")[:, k] >= 0.5
        return shown

    def nearness(self, k: int) -> Float64[np.ndarray, " T"]:
        """The lower, the nearer to the camera."""
        if not self.space:
            plane: Float64[np.ndarray, " T"] = self.each("depth_order")[:, k]
            return plane
        camera = np.stack([self.scene(f"camera_{axis}_m") for axis in "xyz"], axis=1)
        forwards = np.stack([self.scene(f"camera_forwards_{axis}") for axis in "xyz"], axis=1)
        away: Float64[np.ndarray, " T"] = ((self.vector("position", k) - camera) * forwards).sum(axis=1)
        return away


Answer = tuple[Float64[np.ndarray, "T d"], Bool[np.ndarray, " T"]]
"""The truth at every frame, and where it can be asked for."""


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """Something that is read from beliefs.

    Args:
        of: The truth in one film and where it can be asked for, or none where the film does not tell it.
        unit: In the plane, and in space.
        label: Whether it is true or false.
        where: Where it is asked for.
    """

    of: Callable[[Told], Answer | None]
    unit: tuple[str, str] = ("1", "1")
    label: bool = False
    where: str


def _alone(
    truth: Callable[[Told, int], Float64[np.ndarray, "T d"]], known: Callable[[Told, int], Bool[np.ndarray, " T"]]
) -> Callable[[Told], Answer | None]:
    def of(told: Told) -> Answer | None:
        k = told.alone()
        return None if k is None else (truth(told, k), known(told, k))

    return of


def _slid(told: Told, k: int) -> Bool[np.ndarray, " T"]:
    speed = np.linalg.norm(told.vector("velocity", k), axis=1) / (2 * told.radius()[:, k])
    slides = (told.each("touches_surroundings")[:, k] > 0) & (speed > SLIDING_DIAMETERS_S) & told.seen(k)
    return _for_a_while(slides & (told.gravity() > 0), told.frames)


def _hit(told: Told, k: int) -> Bool[np.ndarray, " T"]:
    touched = told.touches()[:, k]
    onset = touched & ~np.concatenate([[True], touched[:-1]])
    return _for_a_while((np.cumsum(onset) > 0) & told.seen(k), told.frames)


def _flown(told: Told, k: int) -> Bool[np.ndarray, " T"]:
    moving = np.linalg.norm(told.vector("velocity", k), axis=1) > SLIDING_DIAMETERS_S * 2 * told.radius()[:, k]
    return _for_a_while(~told.touches()[:, k] & told.seen(k) & moving, told.frames)


def _for_a_while(flags: Bool[np.ndarray, " T"], frames: int) -> Bool[np.ndarray, " T"]:
    """From the moment on when it has been so in this many frames, together."""
    return np.asarray(np.cumsum(flags) >= frames)


def _contact(told: Told) -> Answer | None:
    touched: Bool[np.ndarray, " T"] = np.any(told.touches(), axis=1)
    return touched[:, None].astype(np.float64), np.ones(len(touched), dtype=np.bool_)


def _depth(told: Told) -> Answer | None:
    there = told.objects()
    ever = (told.each("present") > 0).any(axis=0).sum()
    if len(there) != 2 or ever != 2:
        return None
    small, large = sorted(there, key=lambda k: float(told.radius()[0, k]))
    if told.radius()[0, large] < (1 + CLEAR_RADII) * told.radius()[0, small]:
        return None
    near, far = told.nearness(large), told.nearness(small)
    both = told.seen(small) & told.seen(large)
    if not told.space:
        apart = np.linalg.norm(told.vector("position", small) - told.vector("position", large), axis=1)
        crossed = np.cumsum(apart < told.radius()[:, small] + told.radius()[:, large]) > 0
        both = crossed & both
    return (near < far)[:, None].astype(np.float64), both & (near != far)


QUANTITIES: Mapping[str, Quantity] = MappingProxyType(
    {
        "position": Quantity(
            of=_alone(lambda t, k: t.vector("position", k), lambda t, k: t.seen(k)),
            unit=("px", "m"),
            where="one object, in sight",
        ),
        "velocity": Quantity(
            of=_alone(lambda t, k: t.vector("velocity", k), lambda t, k: t.seen(k)),
            unit=("px/s", "m/s"),
            where="one object, in sight",
        ),
        "size": Quantity(
            of=_alone(lambda t, k: t.radius()[:, k, None], lambda t, k: t.seen(k)),
            unit=("px", "m"),
            where="radius of equal area or volume; one object, in sight",
        ),
        "mass": Quantity(
            of=_alone(
                lambda t, k: t.each("mass_kg" if t.space else "mass")[:, k, None],
                lambda t, k: t.seen(k),
            ),
            unit=("1", "kg"),
            where="all objects have one density: mass is size, before the camera's zoom; one object, in sight",
        ),
        "friction": Quantity(
            of=_alone(lambda t, k: t.each("friction")[:, k, None], _slid),
            where="one object, after it was seen sliding under gravity for the context",
        ),
        "restitution": Quantity(
            of=_alone(lambda t, k: t.each("restitution")[:, k, None], _hit),
            where="one object, seen for the context after it hit something",
        ),
        "gravity": Quantity(
            of=_alone(lambda t, k: t.gravity()[:, None], _flown),
            unit=("px/s²", "m/s²"),
            where="one object, after it was seen moving freely for the context; films without gravity among them",
        ),
        "contact": Quantity(of=_contact, label=True, where="whether any object touched anything since the last step"),
        "depth_order": Quantity(
            of=_depth,
            label=True,
            where="whether the larger of two objects is nearer; both in sight, in the plane after they overlapped",
        ),
    }
)
"""By name."""


def told(sensors: tuple[Sensor, ...], values: Float64[np.ndarray, "T n"], frames: int) -> Told:
    """What a film tells.

    Raises:
        DataError: The recording has no such `state` as `monde.record_scenes` writes.
    """
    for sensor in sensors:
        if sensor.name == "state" and "object1_present" in sensor.names:
            return Told(sensor.names, values, frames)
    raise DataError(
        "this recording does not tell what its objects are",
        got=", ".join(sensor.name for sensor in sensors),
        expected="the sensor `state` of record_scenes",
    )
