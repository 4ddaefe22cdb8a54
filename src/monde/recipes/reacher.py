"""Reacher: an arm that is swung to the pose of a picture."""

from pathlib import Path

from monde.recipes.task import STANDING, Played, Recipe

REACHER = Played(
    world="reacher",
    episodes=600,
    steps=100,
    policy="random",
    budget_steps=100,
    actor_share=0.5,
    inverse_weight=1.0,
    standing=STANDING,
)


def reacher(out: Path, *, minutes: float = 4.0, episodes: int = 50, seed: int = 0, planner: str = "auto") -> Recipe:
    """Held random torques, 600 episodes of 100 steps, a nano model whose window of frames shows how fast the arm turns.

    Args:
        out: Folder of everything: the recording and the run lie in it.
        minutes: Training time, and half of it for the actor.
        episodes: Episodes that are planned and scored.
        seed: Of all of it.
        planner: What searches.
    """
    return REACHER.recipe(out, minutes=minutes, episodes=episodes, seed=seed, planner=planner)
