"""Push-T: a block that is pushed to where, and turned to how, a picture shows it."""

from pathlib import Path

from monde.evaluation import ScoreConfig
from monde.objectives import ObjectiveConfig
from monde.recipes.strategies import NEED_ACTOR
from monde.recipes.task import Recipe
from monde.training import FitActorConfig, TrainConfig


def pusht(out: Path, *, minutes: float = 6.0, episodes: int = 50, seed: int = 0, planner: str = "auto") -> Recipe:
    """The policy that seeks contact, 1,500 episodes of 100 steps, goals 25 steps ahead, 50 steps to get there.

    Inverse dynamics are to keep the agent in the latent: it is a hundredth of the picture. Agent and block's place are
    learned first; after 1,200 small batches the block's angle could not yet be read (docs/log.md).

    Args:
        out: Folder of everything: the recording and the run lie in it.
        minutes: Training time, and again as much for the actor.
        episodes: Episodes that are planned and scored.
        seed: Of all of it.
        planner: What searches.
    """
    return Recipe(
        world="pusht",
        episodes=1500,
        steps=100,
        policy="scripted",
        seed=seed,
        train=TrainConfig(
            data=str(out / "recording"),
            run=str(out / "pusht"),
            size="nano",
            block=5,
            window=4,
            minutes=minutes,
            seed=seed,
            objective=ObjectiveConfig(inverse_weight=1.0),
        ),
        actor=FitActorConfig(minutes=minutes, seed=seed) if planner in NEED_ACTOR else None,
        score=ScoreConfig(episodes=episodes, budget_steps=50, seed=seed, decoder_seconds=10 * minutes),
        planner=planner,
    )
