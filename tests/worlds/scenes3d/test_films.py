import os
import subprocess
import sys

import numpy as np
import pytest

from monde.errors import ContractError, UsageError
from monde.worlds.scenes import kinds
from monde.worlds.scenes3d import VARIETIES, SceneConfig3D, SceneFilm3D, engine, films_of, free_films
from monde.worlds.scenes3d.free import shoot
from monde.worlds.scenes3d.render import render
from monde.worlds.scenes3d.silhouettes import silhouette


@pytest.fixture(scope="module")
def films() -> tuple[SceneFilm3D, ...]:
    return free_films(SceneConfig3D(seconds=1.5, blink=0.0), range(12))


def test_a_film_depends_on_its_seed_alone(films: tuple[SceneFilm3D, ...]) -> None:
    one = free_films(SceneConfig3D(seconds=1.5, blink=0.0), [4])[0]
    for name in ("rgb", "depth", "segmentation", "poses", "twists", "contacts", "visible"):
        assert np.array_equal(getattr(films[4], name), getattr(one, name)), name
    assert len({film.rgb.tobytes() for film in films}) == 12
    assert free_films(SceneConfig3D(seconds=0.1, side_pixels=96), [0])[0].depth.shape == (2, 1, 96, 96)


def test_poses_and_camera_say_where_objects_are_seen(films: tuple[SceneFilm3D, ...]) -> None:
    checked = 0
    for film in films:
        centres = film.poses[..., :3] @ film.extrinsics[:3, :3].T + film.extrinsics[:3, 3]
        pixels = centres @ film.intrinsics.T
        pixels = pixels[..., :2] / pixels[..., 2:]
        for t, k in zip(*np.nonzero(film.visible > 0.999), strict=True):
            lines, columns = np.nonzero(film.segmentation[t] == k + 1)
            assert np.hypot(columns.mean() + 0.5 - pixels[t, k, 0], lines.mean() + 0.5 - pixels[t, k, 1]) < 0.8
            # The nearest of its surface is nearer than its centre, by no more than its greatest radius.
            near = film.depth[t, 0][film.segmentation[t] == k + 1].min()
            assert 0.5 * film.half_sizes[k].min() < centres[t, k, 2] - near < np.hypot(*film.half_sizes[k, :2]) * 1.5
            checked += 1
    assert checked > 200


def test_depth_of_a_ball_and_of_the_floor_are_exact(films: tuple[SceneFilm3D, ...]) -> None:
    balls = 0
    for film in films:
        rays = np.stack(np.meshgrid(np.arange(64) + 0.5, np.arange(64) + 0.5), axis=-1)
        focal, middle = film.intrinsics[0, 0], film.intrinsics[0, 2]
        seen = np.concatenate([(rays - middle) / focal, np.ones((64, 64, 1))], axis=-1)
        turn, shift = film.extrinsics[:3, :3], film.extrinsics[:3, 3]
        points = (seen * film.depth[0, 0][..., None] - shift) @ turn
        floor = (film.segmentation[0] == 0) & (points[..., 1] < 6.5)
        assert np.abs(points[floor][:, 2]).max() < 0.02
        for k in np.flatnonzero([shape == "sphere" for shape in film.shapes]):
            on = points[film.segmentation[0] == k + 1]
            if len(on):
                away = np.linalg.norm(on - film.poses[0, k, :3], axis=1)
                # MuJoCo draws balls of facets, a little within.
                assert film.radius[k] * 0.97 < away.min() <= away.max() < film.radius[k] + 0.02
                balls += 1
    assert balls >= 3


def test_silhouettes_are_what_is_drawn() -> None:
    for seed in range(8):
        made = shoot(SceneConfig3D(seconds=0.5, occluder="none", objects=(1, 1), gravity="off"), seed)
        drawn = render(made.take, segmentation=True).segmentation
        assert drawn is not None
        for t in range(0, 10, 3):
            pixels = silhouette(
                made.take.looks[0].shape,
                made.take.looks[0].radius,
                made.take.position[t, 0],
                made.take.quaternion[t, 0],
                made.take.scenery.camera,
            )
            within = ((pixels >= 0) & (pixels < 64)).all(axis=1)
            mask = np.zeros((64, 64), dtype=bool)
            mask[tuple(pixels[within].T)] = True
            # Kerbs hide some; facets leave out some of a ball's rim.
            hidden = (drawn[t] >= 254) & mask
            assert ((drawn[t] == 1) & ~mask).sum() <= 2
            assert (mask & (drawn[t] != 1) & ~hidden).sum() <= 0.12 * mask.sum()


def test_training_films_show_nothing_held_out(films: tuple[SceneFilm3D, ...]) -> None:
    train, test = VARIETIES["train"], VARIETIES["test"]
    assert not train.objects & test.objects
    assert not set(train.colours) & set(test.colours)
    assert all(high < a or b < low for low, high in train.speeds for a, b in test.speeds)
    for film in films:
        assert set(film.radius) <= set(train.radii)
    for seed in range(20):
        made = shoot(SceneConfig3D(seconds=0.1), seed)
        assert {body.colour for body in made.bodies} <= set(train.colours)
        held = shoot(SceneConfig3D(seconds=0.1, split="test"), seed)
        assert {body.colour for body in held.bodies} <= set(test.colours)
        for bodies, kinds_ in ((made.bodies, train), (held.bodies, test)):
            speeds = [float(np.linalg.norm(body.velocity)) for body in bodies]
            assert all(any(a - 1e-9 <= v <= b + 1e-9 for a, b in kinds_.speeds) for v in speeds)


@pytest.mark.parametrize("kind", kinds("3d"))
def test_every_kind_of_film_can_be_had(kind: str) -> None:
    config = SceneConfig3D(seconds=0.5)
    film, again = films_of(kind, config, 3, [1])[0], films_of(kind, config, 3, range(1, 3))[0]
    assert np.array_equal(film.rgb, again.rgb)
    assert film.rgb.shape[1:] == (3, 64, 64)
    assert set(film.radius) <= set(VARIETIES["train"].radii)
    if kind != "free":
        with pytest.raises(ContractError, match="one size and rate"):
            films_of(kind, SceneConfig3D(side_pixels=96), 0, [0])
    with pytest.raises(UsageError, match="unknown kind"):
        films_of("physics", config, 0, [0])


def test_the_environment_is_left_as_it_was(films: tuple[SceneFilm3D, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    assert engine.load().mj_versionString()
    with engine.rendering():
        assert os.environ["MUJOCO_GL"] in engine.BACKENDS
    monkeypatch.setenv("MUJOCO_GL", "glfw")
    with (
        pytest.raises(UsageError, match=r"no renderer.*MUJOCO_GL=glfw.*apt-get install -y libegl1"),
        engine.rendering(),
    ):
        pass
    assert os.environ["MUJOCO_GL"] == "glfw"


def test_a_broken_renderer_is_told_and_physics_goes_on() -> None:
    code = """
from monde.errors import UsageError
from monde.worlds.scenes3d import SceneConfig3D, free_films
from monde.worlds.scenes3d.free import shoot
assert shoot(SceneConfig3D(seconds=0.2), 0).motion.frames == 4
try:
    free_films(SceneConfig3D(seconds=0.2), [0])
except UsageError as error:
    assert "apt-get" in str(error), error
    print("told")
"""
    broken = os.environ | {"MUJOCO_GL": "egl", "MUJOCO_EGL_DEVICE_ID": "99"}
    done = subprocess.run([sys.executable, "-c", code], env=broken, capture_output=True, text=True, timeout=60)
    assert done.stdout == "told\n", done.stderr


def test_films_are_drawn_where_another_package_imported_mujoco_first() -> None:
    """Without MUJOCO_GL it settles for a renderer that needs a display."""
    code = """
import mujoco
first = mujoco.GLContext.__module__
from monde.worlds.scenes3d import SceneConfig3D, free_films
(film,) = free_films(SceneConfig3D(seconds=0.2), [0])
assert mujoco.GLContext.__module__ != first, first
print(len(film.rgb))
"""
    plain = {name: value for name, value in os.environ.items() if name not in ("MUJOCO_GL", "DISPLAY")}
    done = subprocess.run([sys.executable, "-c", code], env=plain, capture_output=True, text=True, timeout=60)
    assert done.stdout == "4\n", done.stderr
