from collections.abc import Iterator

import numpy as np
import pytest

from monde.errors import ContractError, UsageError
from monde.spatial import backproject, inverse, project, transform
from monde.types import Intrinsics
from monde.worlds import make
from monde.worlds.tabletop import SEGMENTS, Tabletop, TabletopConfig
from monde.worlds.tabletop.scene import draw_scene, quaternion
from monde.worlds.tabletop.sensing import cloud, measured
from monde.worlds.tabletop.table import HIGHEST_METRES, OBJECT, TIP, TIP_RADIUS, Table


@pytest.fixture(scope="module")
def push() -> Iterator[Tabletop]:
    made = Tabletop(batch=4)  # its contract is tested with that of all worlds
    yield made
    made.close()


def camera_of(world: Tabletop) -> Intrinsics:
    geometry = world.sensors[0].geometry
    assert isinstance(geometry, Intrinsics)
    return geometry


def test_depth_intrinsics_and_rig_put_the_object_where_it_is(push: Tabletop) -> None:
    seen, camera = push.reset([0, 1, 2, 3]), camera_of(push)
    shown = push.segmentation() == SEGMENTS.index("object")
    for row, scene in enumerate(push.scenes):
        rig, place = (seen.values[name][row].astype(np.float64) for name in ("rig", "object"))
        pixel, inside = project(transform(inverse(rig), place[None]), camera)
        lines, columns = np.nonzero(shown[row])
        assert inside.all()
        assert np.abs(pixel[0] - (columns.mean(), lines.mean())).max() < 2.0
        points, valid = backproject(seen.values["depth"][row, 0], camera)
        places = transform(rig, points[valid & shown[row]].astype(np.float64))
        # What the camera sees of it is its surface: within its sides, and as high as its top.
        assert np.abs(places - place).max() < np.hypot(*scene.half[:2]) + 0.003
        assert places[:, 2].max() == pytest.approx(scene.rests_at + scene.half[2], abs=0.006)


def test_the_cloud_is_the_same_seen_from_the_table(push: Tabletop) -> None:
    seen = push.reset([0, 1, 2, 3])
    for row, scene in enumerate(push.scenes):
        points = seen.values["points"][row]
        there = points.any(axis=1)
        count = int(there.sum())
        assert not there[count:].any()  # padding comes last
        assert 64 < count <= push.config.points
        assert np.abs(points[:count, :2]).max() <= 0.30
        tray = np.abs(points[:count, 2] - scene.tray_height) < 0.004
        assert 0 < tray.sum() <= 70  # what stands out comes first
        near = np.linalg.norm(points[:count] - seen.values["object"][row], axis=1) < 0.06
        assert near.sum() >= 20


def test_clouds_vary_in_size_and_may_be_empty() -> None:
    camera, rig = Intrinsics(width=8, height=8, fx=8.0, fy=8.0, cx=3.5, cy=3.5), np.array([0, 0, 0.5, 1, 0, 0, 0.0])
    nothing = np.zeros((8, 8), dtype=np.float32)
    assert cloud(nothing, camera, rig, 16).shape == (0, 3)
    flat = nothing + np.float32(0.5)
    flat[2:4, 2:4] = 0.4
    found = cloud(flat, camera, rig, 16)
    assert len(found) == 4 + 4  # what stands out, and a quarter of the most
    assert found[:4, 2] == pytest.approx(0.1, abs=1e-6)
    assert len(cloud(np.where(flat < 0.45, flat, 0).astype(np.float32), camera, rig, 16)) == 4


def test_depth_is_not_measured_out_of_range_and_in_shadows() -> None:
    depth = np.array([[0.9, 0.9, 0.5, 0.9, 0.2, 1.2]], dtype=np.float32)
    assert measured(depth, TabletopConfig())[0] == pytest.approx([0.9, 0.0, 0.5, 0.0, 0.0, 0.0])


def test_depth_has_gaps_and_a_range(push: Tabletop) -> None:
    depth = push.reset([0, 1, 2, 3]).values["depth"]
    assert (depth == 0).any(axis=(1, 2, 3)).all()
    there = depth[depth > 0]
    assert push.config.nearest_metres <= there.min()
    assert there.max() <= push.config.furthest_metres + 1e-3


def test_scenes_differ_in_what_a_picture_does_not_tell() -> None:
    drawn = [draw_scene(np.random.default_rng(seed)) for seed in range(64)]
    heights = np.array([scene.tray_height for scene in drawn])
    widths = np.array([scene.half[0] for scene in drawn])
    cameras = np.array([scene.rig[:3] for scene in drawn])
    assert np.ptp(heights) > 0.1
    assert np.ptp(widths) > 0.015
    assert (np.ptp(cameras, axis=0) > 0.05).all()
    assert abs(np.corrcoef(heights, widths)[0, 1]) < 0.4
    assert {scene.shape for scene in drawn} == {"box", "cylinder", "ellipsoid"}


def test_goals_of_a_push_displace_the_object(push: Tabletop) -> None:
    push.reset([5, 6, 7, 8])
    assert not push.success().any()
    assert (push.goal_distance() >= push.config.moved_metres).all()
    goal = push.goal()
    assert np.allclose(
        np.linalg.norm(goal.values["object"] - push._sensed(push._state)["object"], axis=1),
        push.goal_distance(),
        atol=1e-6,
    )
    state = push._state.copy()
    state[:, OBJECT] = push._goal[:, OBJECT] + [0.0, 0.029, 0.0]
    assert push._reached(state, push._goal).all()
    state[:, OBJECT] = push._goal[:, OBJECT] + [0.0, 0.031, 0.0]
    assert not push._reached(state, push._goal).any()


def test_the_scripted_policy_pushes_and_nothing_falls_off(push: Tabletop) -> None:
    seen = push.reset([1, 2, 3, 4])
    policy, generator = push.scripted(), np.random.default_rng(0)
    track = [seen.values["object"]]
    for _ in range(50):
        seen = push.step(policy(seen, push.actions, generator)).observation
        track.append(seen.values["object"])
    places = np.stack(track)
    assert (np.linalg.norm(np.ptp(places[:, :, :2], axis=0), axis=1) > 0.04).all()
    assert (places[:, :, 2] > 0).all()


def test_reach_ends_upon_the_object() -> None:
    world = make("tabletop_reach", 2)
    assert isinstance(world, Tabletop)
    seen = world.reset([0, 1])
    assert not world.success().any()
    start = world.goal_distance()
    for _ in range(20):
        # Over it, then down.
        gap = seen.values["gap"].astype(np.float64)
        aside = np.linalg.norm(gap[:, :2], axis=1) > 0.01
        gap[aside, 2] += 0.05
        seen = world.step(np.clip(gap / 0.025, -1, 1)).observation
    assert (start > 0.05).all()
    assert world.success().all()
    world.close()


def test_the_tip_stops_at_what_it_meets() -> None:
    table, scene = Table(), draw_scene(np.random.default_rng(0))
    table.dress(scene)
    table.place(np.array([0.1, 0.1, scene.tray_height + 0.05, -0.1, -0.1, scene.rests_at, 1, 0, 0, 0]))
    for _ in range(8):
        table.step(np.array([0.0, 0.0, -1.0]))
    assert table.state()[TIP][2] == pytest.approx(scene.tray_height, abs=TIP_RADIUS / 2)
    for _ in range(20):
        table.step(np.array([1.0, 1.0, 1.0]))
    assert table.state()[TIP] == pytest.approx([0.15, 0.15, HIGHEST_METRES], abs=0.005)
    assert table.state()[OBJECT] == pytest.approx([-0.1, -0.1, scene.rests_at], abs=0.003)


def test_quaternions_of_rotation_matrices() -> None:
    for axis in range(3):
        matrix = -np.eye(3)
        matrix[axis, axis] = 1  # half a turn: w is 0
        found = quaternion(matrix)
        assert np.abs(found[:3])[axis] == pytest.approx(1)
        assert found[3] == pytest.approx(0)
    assert quaternion(np.eye(3)).tolist() == [0, 0, 0, 1]


def test_far_pushes_light_and_looks() -> None:
    far = make("tabletop_push@20", 1)
    far.reset([0])
    assert not far.success().any()
    far.close()
    with pytest.raises(UsageError):
        make("tabletop_push+size", 1)
    plain, dim = make("tabletop_push", 1), make("tabletop_push+lighting", 1)
    one, other = plain.reset([0]), dim.reset([0])
    assert (one.values["depth"] == other.values["depth"]).all()
    assert (one.values["camera"] != other.values["camera"]).mean() > 0.5
    plain.close()
    dim.close()


def test_goals_that_need_nothing_done_are_refused() -> None:
    with pytest.raises(ContractError, match="doing nothing"):
        TabletopConfig(moved_metres=0.02)
