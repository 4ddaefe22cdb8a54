"""From scans to a place: a robot with a laser scanner learns in random rooms, and drives in others.

python examples/drive_by_laser.py [folder]

A minute of it: enough to see the parts at work, not to drive well (the recipe `laser_rooms` takes ten).
"""

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import torch

import monde
from monde.agents import PlanningAgent, run_episodes
from monde.models import load_acting
from monde.recipes import laser_rooms, strategy
from monde.training import fit_actor, fit_body_motion, train
from monde.worlds import make


def main(folder: Path) -> None:
    """Record, learn scans and motions, drive."""
    recipe = laser_rooms(folder, minutes=0.25)
    assert recipe.motion is not None
    assert recipe.actor is not None
    print(monde.record(recipe.world, recipe.data, episodes=64, steps=48, policy="scripted"))
    print(train(recipe.train))
    motion = fit_body_motion(recipe.run, replace(recipe.motion, steps=300))
    print(f"a block's way is told to {motion.way_metres:.3f} m, its turn to {motion.turn_rad:.4f} rad")
    fit_actor(recipe.run, replace(recipe.actor, minutes=0.1))

    agent = PlanningAgent(load_acting(recipe.run), strategy("auto", recipe.run, device="cpu"), seed=0)
    world = make("laser_rooms", 4)
    print(run_episodes(world, agent, seeds=[1, 2, 3, 4], budget_steps=60))
    world.close()


if __name__ == "__main__":
    torch.set_num_threads(2)
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary))
