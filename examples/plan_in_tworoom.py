"""From pixels to a plan in under a minute: record a world, learn it, imagine, and plan in it.

python examples/plan_in_tworoom.py [folder]
"""

import sys
import tempfile
from pathlib import Path

import torch

import monde
from monde.agents import PlanningAgent, Strategy, run_episodes
from monde.costs import LatentDistance
from monde.planning import CEMConfig, CEMPlanner
from monde.worlds import make


def main(folder: Path) -> None:
    """Record, train, imagine, plan."""
    print(monde.record("tworoom", folder / "recording", episodes=64, steps=100))
    config = monde.TrainConfig(data=str(folder / "recording"), run=str(folder / "run"), minutes=0.3)
    print(monde.train(config))
    model = monde.load_model(folder / "run")

    recording = monde.open_recording(folder / "recording")
    clip = monde.read_blocks(recording, model.actions, episode=0, start=0, steps=3, sensors=["top"])
    belief = model.begin(clip)
    actions = torch.rand(1, 64, 6, model.actions.width) * 2 - 1  # [B, S, H, A]
    with torch.no_grad():
        print(model.imagine(belief, actions))

    search = Strategy(CEMPlanner(CEMConfig(horizon=6, samples=64, rounds=3, elites=8)), LatentDistance())
    agent = PlanningAgent(model, search, seed=0)
    world = make("tworoom", 4)
    print(run_episodes(world, agent, seeds=[1, 2, 3, 4], budget_steps=60))
    world.close()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary))
