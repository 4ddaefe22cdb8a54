"""Push-T: a block that is pushed to where, and turned to how, a picture shows it."""

from pathlib import Path

from monde.recipes.task import Played, Recipe
from monde.training import GoalShares

PUSHT = Played(
    world="pusht",
    episodes=1500,
    steps=100,
    policy="scripted",
    budget_steps=50,
    actor_share=1.0,
    inverse_weight=1.0,
    encoder="focus",
    goals=GoalShares(elsewhere=0.0, later=0.8),
)


def pusht(
    out: Path, *, minutes: float = 6.0, episodes: int = 50, seed: int = 0, planner: str = "hybrid-deep"
) -> Recipe:
    """The policy that seeks contact, 1,500 episodes of 100 steps, goals 25 steps ahead, 50 steps to get there.

    Inverse dynamics are to keep the agent in the latent: it is a hundredth of the picture. Pooling by attention sees
    the block's angle before anything is learned; a CNN does not see it after a thousand steps (docs/log.md).

    Args:
        out: Folder of everything: the recording and the run lie in it.
        minutes: Training time, and again as much for the actor.
        episodes: Episodes that are planned and scored.
        seed: Of all of it.
        planner: What searches.
    """
    return PUSHT.recipe(out, minutes=minutes, episodes=episodes, seed=seed, planner=planner)
