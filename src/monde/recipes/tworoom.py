"""TwoRoom: the demo's task."""

from pathlib import Path

from monde.evaluation import ScoreConfig
from monde.recipes.strategies import NEED_ACTOR
from monde.recipes.task import Recipe
from monde.training import FitActorConfig, TrainConfig


def tworoom(
    out: Path, *, minutes: float = 4.0, recorded: int = 400, episodes: int = 50, seed: int = 0, planner: str = "hybrid"
) -> Recipe:
    """Random play in two rooms, a nano model, goals anywhere.

    Args:
        out: Folder of everything: the recording and the run lie in it.
        minutes: Training time.
        recorded: Episodes of 100 steps that are recorded.
        episodes: Episodes that are planned and scored.
        seed: Of all of it.
        planner: What searches.
    """
    return Recipe(
        world="tworoom",
        episodes=recorded,
        steps=100,
        policy="random",
        seed=seed,
        train=TrainConfig(
            data=str(out / "recording"),
            run=str(out / "tworoom"),
            size="nano",
            block=5,
            window=4,
            minutes=minutes,
            seed=seed,
        ),
        actor=FitActorConfig(minutes=minutes / 4, seed=seed) if planner in NEED_ACTOR else None,
        score=ScoreConfig(episodes=episodes, budget_steps=100, seed=seed, decoder_seconds=10 * minutes),
        planner=planner,
    )
