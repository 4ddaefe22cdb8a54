"""Ways of the laser robot in held-out rooms and on the held-out campus, as a picture.

    MONDE_SHARED_DATA=DIR python benchmarks/laser_chart.py --keep DIR

The first episodes of laser.py, not chosen: what stands there, the way that was taken, start and goal.
Writes results/laser.svg.
"""

from pathlib import Path

import numpy as np
import torch

from common import options
from laser import BUDGET_STEPS, FIRST_SEED
from monde.agents import PlanningAgent
from monde.models import load_acting
from monde.recipes import strategy
from monde.worlds import make
from monde.worlds.laser import LaserWorld
from planning import prepare

SHOWN, HALF_M, PIXELS = 3, 6.0, 121


def drive(name: str, agent: PlanningAgent, shown: int) -> tuple[LaserWorld, np.ndarray, np.ndarray]:
    """The world at the end of the first episodes, poses [T, B, 3], and how many of them count."""
    world = make(name, shown)
    assert isinstance(world, LaserWorld)
    observation = world.reset(range(FIRST_SEED, FIRST_SEED + shown))
    agent.begin(observation, world.goal())
    poses, counted, active = [world.poses], np.ones(shown, dtype=np.int64), ~world.success()
    while active.any() and len(poses) < BUDGET_STEPS:
        for control in np.moveaxis(agent.act(observation, active).controls, 1, 0):
            observation = world.step(control).observation
            poses.append(world.poses)
            counted = np.where(active, len(poses), counted)
            active = active & ~world.success()
    return world, np.stack(poses), counted


def main() -> None:
    """Drive and draw."""
    parser = options(__doc__)
    parser.add_argument("--keep", type=Path, required=True, help="folder of the recording and the run")
    given = parser.parse_args()
    torch.set_num_threads(1)
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    run = prepare("laser_rooms", 0, given.keep)
    agent = PlanningAgent(load_acting(run), strategy("auto", run, device="cpu"), seed=0)
    maps = ("laser_rooms", "laser_campus_held_out")
    figure, axes = plt.subplots(1, 2 * SHOWN, figsize=(13, 2.6), constrained_layout=True)
    for column, name in enumerate(maps):
        world, poses, counted = drive(name, agent, SHOWN)
        for row, axis in enumerate(axes[column * SHOWN : (column + 1) * SHOWN]):
            way = poses[: counted[row], row]
            middle = (way[:, :2].min(0) + way[:, :2].max(0)) / 2
            x, y = np.meshgrid(*(middle[:, None] + np.linspace(-HALF_M, HALF_M, PIXELS)))
            places = np.broadcast_to(np.stack([x, y], -1).reshape(1, -1, 2), (SHOWN, PIXELS**2, 2))
            solid = world.around.clearance(places)[row].reshape(PIXELS, PIXELS) <= 0
            edge = (*(middle[0] + np.array([-HALF_M, HALF_M])), *(middle[1] + np.array([-HALF_M, HALF_M])))
            axis.imshow(solid, cmap="gray_r", origin="lower", extent=edge, alpha=0.7)
            axis.plot(*way[:, :2].T, color="#4477aa", linewidth=1.6)
            axis.plot(*way[0, :2], "o", color="#4477aa", markersize=5)
            axis.plot(*world.tasks[row].goal[:2], "*", color="#aa3377", markersize=9)
            axis.set(xticks=[], yticks=[], title=name.removeprefix("laser_").replace("_", " ") if not row else "")
    figure.savefig(given.out / "laser.svg", metadata={"Date": None})
    plt.close(figure)


if __name__ == "__main__":
    main()
