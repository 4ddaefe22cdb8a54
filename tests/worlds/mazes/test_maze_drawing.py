"""Pictures of mazes show the body where the state says."""

import numpy as np
import pytest

from monde.worlds import MAZES, Look, MazeConfig, MazeWorld
from monde.worlds.drawing import AGENT, FLOOR, WALL


def _red(frames: np.ndarray) -> np.ndarray:
    """Centre [B, 2] of what is of the agent's colour, in pixels."""
    colour = np.array(AGENT)[None, :, None, None]
    far = np.abs(frames.astype(float) - colour).sum(axis=1)
    weight = np.clip(1 - far / 200, 0, None)
    xs = np.arange(frames.shape[-1]) + 0.5
    total = weight.sum(axis=(1, 2))
    return np.stack([(weight * xs).sum(axis=(1, 2)) / total, (weight * xs[:, None]).sum(axis=(1, 2)) / total], axis=1)


def _fit(pixels: np.ndarray, places: np.ndarray) -> tuple[float, np.ndarray]:
    """Pixels per unit by least squares, and the residuals [B, 2]."""
    x, y = places[:, 0] - places[:, 0].mean(), places[:, 1] - places[:, 1].mean()
    u, v = pixels[:, 0] - pixels[:, 0].mean(), pixels[:, 1] - pixels[:, 1].mean()
    scale = float((x * u - y * v).sum() / (x * x + y * y).sum())  # y upwards
    return scale, np.stack([u - scale * x, v + scale * y], axis=1)


@pytest.mark.parametrize(
    ("name", "scale"), [("umaze", 16.0), ("medium", 64 / 28), ("large", 64 / 44), ("giant", 64 / 60)]
)
def test_the_body_is_drawn_where_it_is(name: str, scale: float) -> None:
    world = MazeWorld(MazeConfig(maze=f"pointmaze_{name}"), batch=64)
    seen = world.reset(range(64))
    found, residuals = _fit(_red(seen.values["top"]), seen.values["state"][:, :2].astype(float))
    assert found == pytest.approx(scale, rel=0.01)
    assert np.abs(residuals).max() < 0.35


def test_a_step_is_seen_though_it_is_less_than_a_pixel() -> None:
    world = MazeWorld(MazeConfig(maze="pointmaze_giant"), batch=30)
    before = world.reset(range(30))
    after = world.step(np.tile(np.array([[0.3, 0.0]], dtype=np.float32), (30, 1))).observation
    moved = np.abs(after.values["state"] - before.values["state"]).max(axis=1) > 0.05
    changed = (after.values["top"] != before.values["top"]).any(axis=(1, 2, 3))
    assert moved.sum() > 20
    assert changed[moved].all()


@pytest.mark.parametrize("name", list(MAZES))
def test_walls_are_drawn_where_they_are(name: str) -> None:
    world = MazeWorld(MazeConfig(maze=name), batch=1)
    top = world.reset([0]).values["top"][0].astype(int)
    rows, columns = [], []
    colours = np.array([FLOOR, WALL])
    for place, expected in [(world.layout.floors(), 0), (world.layout.walls(), 1)]:
        for x, y in (place[:, :2] + place[:, 2:]) / 2:
            u, v = np.floor(world._view.place(np.array([x, y]))).astype(int)
            if 0 <= u < 64 and 0 <= v < 64:
                nearest = np.abs(colours - top[:, v, u]).sum(axis=1).argmin()
                rows.append(nearest)
                columns.append(expected)
    agree = np.array(rows) == np.array(columns)
    assert len(agree) >= 16
    assert agree.sum() >= len(agree) - 1  # the body may stand on one


def test_a_look_changes_the_picture_and_nothing_else() -> None:
    plain = MazeWorld(MazeConfig(maze="pointmaze_medium"), batch=4)
    look = Look(floor=(10, 120, 10), agent=(250, 250, 0), zoom=0.9, offset=(2.0, -1.0), gain=0.8, agent_scale=1.5)
    other = MazeWorld(MazeConfig(maze="pointmaze_medium", look=look), batch=4)
    one, two = plain.reset(range(4)), other.reset(range(4))
    controls = np.full((4, 2), 0.7, dtype=np.float32)
    one, two = plain.step(controls).observation, other.step(controls).observation
    assert np.array_equal(one.values["state"], two.values["state"])
    middle = world_pixel(other, np.array([0.0, 0.0]))
    assert two.values["top"][0][:, middle[1], middle[0]].tolist() == [8, 96, 8]
    assert two.values["top"].max() <= 200
    shifted = other._view.place(plain.places()) - 32
    assert np.allclose(shifted, (plain._view.place(plain.places()) - 32) * 0.9 + np.array([2.0, -1.0]))


def world_pixel(world: MazeWorld, place: np.ndarray) -> list[int]:
    """The pixel of a place."""
    return np.floor(world._view.place(place)).astype(int).tolist()
