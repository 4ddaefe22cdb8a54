"""Goals that are pointed at, and volumes to keep out of, on the table-top."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from monde import worlds
from monde.agents import record
from monde.cli import main
from monde.errors import UsageError
from monde.evaluation import PlanConfig
from monde.evaluation.keeping_out import Volume, Watch, parse_volume
from monde.evaluation.pointed_goals import is_pointed_goal, pointed_goal
from monde.protocols import Observation, World
from monde.training import TrainConfig, train
from monde.types import Sensor
from monde.worlds.tabletop import SEGMENTS, Tabletop


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    made = worlds.make("tabletop_push", 1)
    yield made
    made.close()


def states(world: World) -> dict[str, Sensor]:
    return {sensor.name: sensor for sensor in world.sensors if sensor.kind == "state"}


def test_the_pixel_that_shows_the_object_is_where_the_object_is(world: World) -> None:
    assert isinstance(world, Tabletop)
    seen = world.reset([3])
    shown = (world.segmentation()[0] == SEGMENTS.index("object")) & (seen.values["depth"][0, 0] > 0)
    row, column = np.argwhere(shown)[len(np.argwhere(shown)) // 2]
    for sensor in ("camera", "depth"):
        goal = pointed_goal(f"gripper@{sensor}={column},{row}±0.02", states(world), world, seen)
        assert goal.readout == "gripper"
        assert goal.tolerance == 0.02
        assert np.linalg.norm(goal.target[0].numpy() - seen.values["object"][0]) < 0.06
    point = pointed_goal("object@points=0±0.03", states(world), world, seen)
    assert point.target[0].numpy() == pytest.approx(seen.values["points"][0, 0])


def test_what_points_at_nothing_is_refused(world: World) -> None:
    seen = world.reset([3])
    for text, match in [
        ("speed@camera=1,2±0.03", "brings nothing to a place"),
        ("object@camera=1,2±0", "brings nothing to a place"),
        ("object@camera=1±0.03", "is no cloud"),
        ("object@points=1.5±0.03", "points at nothing"),
        ("object@points=1,2,3±0.03", "points at nothing"),
        ("object@camera=1,99±0.03", "no such pixel"),
        ("object=1,2,3±0.03", "cannot be understood"),
    ]:
        with pytest.raises(ValueError, match=match):
            pointed_goal(text, states(world), world, seen)
    assert not is_pointed_goal("object=1,2,3±0.03")
    assert not is_pointed_goal("0:12")


def test_volumes_are_balls_and_boxes(world: World) -> None:
    known = states(world)
    ball, box = parse_volume("gripper=0,0,0.1±0.05", known), parse_volume("gripper=0,0,0.1±0.05,0.05,0.1", known)

    def shown(*place: float) -> Observation:
        return Observation({"gripper": np.array([place], dtype=np.float32)}, np.zeros(1))

    assert ball.holds(shown(0.03, 0.0, 0.13))[0]
    assert not ball.holds(shown(0.04, 0.0, 0.14))[0]
    assert box.holds(shown(0.04, 0.04, 0.19))[0]
    assert not box.holds(shown(0.06, 0.0, 0.1))[0]
    read: Callable[[torch.Tensor], torch.Tensor] = lambda latents: latents[..., 0, :3]  # noqa: E731
    assert ball.cost(read).radius == 0.05
    assert box.cost(read).half_sides == (0.05, 0.05, 0.1)
    for text, match in [
        ("gripper=0,0±0.05", "does not fit"),
        ("gripper=0,0,0±0.05,0.05", "does not fit"),
        ("gripper=0,0,0±0", "does not fit"),
        ("arm=0,0,0±0.1", "no recorded state"),
        ("gripper", "cannot be understood"),
    ]:
        with pytest.raises(UsageError, match=match):
            parse_volume(text, known)
    with pytest.raises(UsageError, match="own goals"):
        PlanConfig(keep_out=("gripper=0,0,0±0.1",))


def test_entering_counts_until_success() -> None:
    volume = Volume(name="x", centre=(0.0,), sizes=(1.0,))

    def moment(*places: float) -> Observation:
        return Observation({"x": np.array(places)[:, None]}, np.zeros(len(places)))

    watch = Watch((volume,), lambda seen: seen.values["x"][:, 0] > 4)
    for places in ((2.0, 2.0, 2.0), (0.5, 5.0, 2.0), (5.0, 0.5, 3.0)):
        watch(moment(*places))
    (row,) = watch.rows()
    assert row.value == pytest.approx(1 / 3)  # the second had arrived before it entered
    assert Watch(()).rows() == ()


def test_points_and_volumes_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record("tabletop_push", tmp_path / "data", episodes=6, steps=12, policy="scripted", batch=6)
    config = TrainConfig(
        data=str(tmp_path / "data"),
        run=str(tmp_path / "run"),
        sensors=("points", "gripper"),
        block=3,
        window=2,
        batch=8,
        steps=2,
        held_out=0.2,
    )
    train(config)
    words = ["plan", str(tmp_path / "run"), "--episodes", "1", "--budget", "3", "--quiet", "--json", "-"]
    for goal in ("object@points=0±0.03", "gripper@camera=32,40±0.03", "object=0,0,0.05±0.03", "0:4"):
        assert main([*words, "--goal", goal, "--keep-out", "gripper=0,0,0.1±0.03"]) == 0
        rows = {row["metric"]: row for row in json.loads(capsys.readouterr().out)["rows"]}
        assert rows["entered"]["n"] == 1
        assert ("success" in rows) == (goal != "0:4")
    assert main([*words, "--goal", "object@camera=0,0±0.03", "--keep-out", "hand=0±1"]) == 2
    assert "no recorded state" in capsys.readouterr().err
