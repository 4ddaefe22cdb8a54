"""Reacher: an arm that is swung to the pose of a picture."""

from pathlib import Path

from monde.recipes.task import STANDING, Played, Recipe
from monde.training import GoalShares

REACHER = Played(
    world="reacher",
    episodes=600,
    steps=100,
    policy="scripted",
    budget_steps=100,
    actor_share=1.0,
    inverse_weight=1.0,
    goals=GoalShares(standing=STANDING),
)


def reacher(out: Path, *, minutes: float = 4.0, episodes: int = 50, seed: int = 0, planner: str = "auto") -> Recipe:
    """Random poses and random swings (see `Reacher.scripted`), 600 episodes of 100 steps, a nano model.

    The arm keeps its velocity: it is seen in two pictures, and goals stand still in both, reached at any speed.

    Args:
        out: Folder of everything: the recording and the run lie in it.
        minutes: Training time, and again as much for the actor.
        episodes: Episodes that are planned and scored.
        seed: Of all of it.
        planner: What searches.
    """
    return REACHER.recipe(out, minutes=minutes, episodes=episodes, seed=seed, planner=planner)
