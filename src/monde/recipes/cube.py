"""A robot arm that takes a cube to where a picture shows it."""

from pathlib import Path

from monde.recipes.task import Played, Recipe
from monde.training import GoalShares

CUBE = Played(
    world="cube_single",
    episodes=400,
    steps=100,
    policy="scripted",
    budget_steps=50,
    actor_share=1.0,
    inverse_weight=1.0,
    encoder="focus",
    goals=GoalShares(elsewhere=0.0, later=0.8),
    imitation=0.9,
)


def cube_single(
    out: Path, *, minutes: float = 6.0, episodes: int = 50, seed: int = 0, planner: str = "actor"
) -> Recipe:
    """OGBench's oracle with noise, 400 episodes of 100 steps, goals 25 steps ahead, 50 steps to get there.

    Cube and fingers are a hundredth of the picture: pooling by attention, and inverse dynamics. The oracle knows how to
    grasp, and the model's learned time does not tell a grasp from a near miss: the actor imitates the oracle on its way
    to what came later, and acts without search (with it, half as many cubes arrive: docs/log.md).

    Args:
        out: Folder of everything: the recording and the run lie in it.
        minutes: Training time, and again as much for the actor.
        episodes: Episodes that are planned and scored.
        seed: Of all of it.
        planner: What searches.
    """
    return CUBE.recipe(out, minutes=minutes, episodes=episodes, seed=seed, planner=planner)
