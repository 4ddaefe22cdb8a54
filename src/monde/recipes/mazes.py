"""Mazes: a ball that is moved or pushed, through corridors whose shortest way is far from straight."""

from dataclasses import replace
from pathlib import Path

from monde.recipes.task import STANDING, Played, Recipe
from monde.training import FitLandmarksConfig, GoalShares
from monde.worlds import MAZES

EPISODES = {
    "pointmaze_umaze": (400, 200),
    "pointmaze_medium": (400, 200),
    "pointmaze_large": (600, 200),
    "pointmaze_giant": (800, 200),
    "antmaze_medium": (200, 400),
}
"""Episodes of each maze, and control steps of each.

Every episode begins somewhere else: many short ones see more of a large maze than few long ones. Of 200 episodes of 400
steps in the giant maze some dead ends saw a dozen frames, and the model took the ball there for elsewhere.
"""


def maze(
    world: str, out: Path, *, minutes: float = 4.0, episodes: int = 50, seed: int = 0, planner: str = "auto"
) -> Recipe:
    """The navigator's play (see `Navigator`), a nano model, goals anywhere in the maze.

    Inverse dynamics keep the ball in the latent: it is a hundredth of the picture, and all else never changes.
    Landmarks lead where the learned time does not reach. Where the ball keeps its velocity, goals and landmarks are
    places where it stands, reached at any speed.

    Args:
        world: A maze of `EPISODES`.
        out: Folder of everything: the recording and the run lie in it.
        minutes: Training time, and three quarters of it for the actor.
        episodes: Episodes that are planned and scored.
        seed: Of all of it.
        planner: What searches.
    """
    recorded, steps = EPISODES[world]
    standing = STANDING if MAZES[world].lag_steps else ()
    played = Played(
        world=world,
        episodes=recorded,
        steps=steps,
        policy="scripted",
        budget_steps=2 * steps,
        actor_share=0.75,
        inverse_weight=1.0,
        goals=GoalShares(standing=standing),
    )
    recipe = played.recipe(out, minutes=minutes, episodes=episodes, seed=seed, planner=planner)
    landmarks = FitLandmarksConfig(standing=standing, seed=seed)
    return recipe if recipe.actor is None else replace(recipe, landmarks=landmarks)
