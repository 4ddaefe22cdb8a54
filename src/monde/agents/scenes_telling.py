"""What a recording of scenes tells: its sensors, and the numbers of the `state` sensor, in the plane and in space."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from monde.data import EpisodeData
from monde.errors import ContractError, unknown_name
from monde.types import Sensor
from monde.worlds.scenes import SceneConfig, SceneFilm
from monde.worlds.scenes3d import SceneConfig3D, SceneFilm3D

OBJECT_NAMES = (
    "present",
    "x_px",
    "y_px",
    "vx_px_s",
    "vy_px_s",
    "cos",
    "sin",
    "spin_rad_s",
    "radius_px",
    "mass",
    "friction",
    "restitution",
    "touches_object",
    "touches_surroundings",
    "visible",
    "depth_order",
)
"""What the `state` sensor tells of each object in the plane; 0 throughout of one that a film does not have."""

OBJECT_NAMES_3D = (
    "present",
    *(f"{axis}_m" for axis in "xyz"),
    *(f"q{axis}" for axis in "wxyz"),
    *(f"v{axis}_m_s" for axis in "xyz"),
    *(f"spin_{axis}_rad_s" for axis in "xyz"),
    "radius_m",
    *(f"half_{axis}_m" for axis in "xyz"),
    "mass_kg",
    "friction",
    "restitution",
    "touches_object",
    "touches_surroundings",
    "visible",
)
"""The same in space: pose, twist and sizes."""

SCENE_NAMES_3D = (
    *(f"camera_{axis}_m" for axis in "xyz"),
    *(f"camera_forwards_{axis}" for axis in "xyz"),
    "gravity_m_s2",
)
"""And of the scene: where the camera is and looks (its upper edge is up)."""

SENSORS = ("top", "state", "depth")


def sensors_of(config: SceneConfig | SceneConfig3D, objects: int, wanted: Sequence[str]) -> tuple[Sensor, ...]:
    """The sensors asked for.

    Raises:
        UsageError: One that there is not.
        ContractError: None, or depth of scenes in the plane.
    """
    for name in wanted:
        if name not in SENSORS:
            raise unknown_name("sensor of scenes", name, list(SENSORS))
    space = isinstance(config, SceneConfig3D)
    if not wanted or len(set(wanted)) < len(wanted) or ("depth" in wanted and not space):
        expected = "each once; depth of scenes in space only"
        raise ContractError("these sensors cannot be recorded", got=tuple(wanted), expected=expected)
    of_object = OBJECT_NAMES_3D if space else OBJECT_NAMES
    of_scene = SCENE_NAMES_3D if space else ("gravity_px_s2",)
    names = (*(f"object{k + 1}_{name}" for k in range(objects) for name in of_object), *of_scene)
    side, rate = config.side_pixels, config.rate_hz
    known = {
        "top": Sensor(name="top", kind="rgb", shape=(3, side, side), rate_hz=rate),
        "state": Sensor(name="state", kind="state", shape=(len(names),), rate_hz=rate, names=names),
        "depth": Sensor(name="depth", kind="depth", shape=(1, side, side), unit="m", rate_hz=rate),
    }
    return tuple(known[name] for name in wanted)


def episode_of(made: SceneFilm | SceneFilm3D, sensors: Sequence[Sensor]) -> EpisodeData:
    """One film as these sensors tell it."""
    values: dict[str, np.ndarray] = {}
    for sensor in sensors:
        if sensor.name == "state":
            values["state"] = _state(made, sensor.shape[0])
        elif sensor.name == "depth" and isinstance(made, SceneFilm3D):
            values["depth"] = made.depth
        else:
            values["top"] = made.rgb
    return EpisodeData(values, made.times_seconds, None)


def _state(made: SceneFilm | SceneFilm3D, width: int) -> Float32[np.ndarray, "T n"]:
    state = np.zeros((len(made.times_seconds), width), dtype=np.float32)
    if isinstance(made, SceneFilm3D):
        columns, scene = _in_space(made), _scene(made)
    else:
        columns, scene = _in_plane(made), np.array([made.gravity])
    T, K = made.visible.shape
    full = [np.broadcast_to(np.asarray(column, dtype=np.float32), (T, K)) for column in columns]
    told = (np.stack(full, axis=-1) * made.present[..., None]).reshape(T, -1)
    state[:, : told.shape[1]] = told
    state[:, width - len(scene) :] = scene
    return state


def _in_plane(made: SceneFilm) -> tuple[np.ndarray, ...]:
    return (
        made.present,
        made.position[..., 0],
        made.position[..., 1],
        made.velocity[..., 0],
        made.velocity[..., 1],
        np.cos(made.angle),
        np.sin(made.angle),
        made.spin,
        made.radius,
        made.mass,
        made.friction,
        made.restitution,
        np.any(made.contacts[..., :-1], axis=-1),
        made.contacts[..., -1],
        made.visible,
        made.depth_order,
    )


def _in_space(made: SceneFilm3D) -> tuple[np.ndarray, ...]:
    return (
        made.present,
        *np.moveaxis(made.poses, 2, 0),
        *np.moveaxis(made.twists, 2, 0),
        made.radius,
        *made.half_sizes.T,
        made.mass,
        made.friction,
        made.restitution,
        np.any(made.contacts[..., :-1], axis=-1),
        made.contacts[..., -1],
        made.visible,
    )


def _scene(made: SceneFilm3D) -> np.ndarray:
    turn = made.extrinsics[:3, :3]
    return np.concatenate([-turn.T @ made.extrinsics[:3, 3], turn[2], [made.gravity]])
