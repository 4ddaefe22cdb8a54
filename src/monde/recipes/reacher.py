"""Reacher: an arm that is swung to the pose of a picture."""

from pathlib import Path

from monde.evaluation import ScoreConfig
from monde.recipes.strategies import NEED_ACTOR
from monde.recipes.task import Recipe
from monde.training import FitActorConfig, TrainConfig


def reacher(out: Path, *, minutes: float = 4.0, episodes: int = 50, seed: int = 0, planner: str = "auto") -> Recipe:
    """Held random torques, 600 episodes of 100 steps, a nano model whose window of frames shows how fast the arm turns.

    Args:
        out: Folder of everything: the recording and the run lie in it.
        minutes: Training time, and half of it for the actor.
        episodes: Episodes that are planned and scored.
        seed: Of all of it.
        planner: What searches.
    """
    return Recipe(
        world="reacher",
        episodes=600,
        steps=100,
        policy="random",
        seed=seed,
        train=TrainConfig(
            data=str(out / "recording"),
            run=str(out / "reacher"),
            size="nano",
            block=5,
            window=4,
            minutes=minutes,
            seed=seed,
        ),
        actor=FitActorConfig(minutes=minutes / 2, seed=seed) if planner in NEED_ACTOR else None,
        score=ScoreConfig(episodes=episodes, budget_steps=100, seed=seed, decoder_seconds=10 * minutes),
        planner=planner,
    )
