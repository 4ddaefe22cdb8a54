"""Mazes: a ball that is moved or pushed, through corridors whose shortest way is far from straight."""

from pathlib import Path

from monde.evaluation import ScoreConfig
from monde.objectives import ObjectiveConfig
from monde.recipes.strategies import NEED_ACTOR
from monde.recipes.task import Recipe
from monde.training import FitActorConfig, FitLandmarksConfig, TrainConfig

EPISODE_STEPS = {
    "pointmaze_umaze": 200,
    "pointmaze_medium": 200,
    "pointmaze_large": 300,
    "pointmaze_giant": 400,
    "antmaze_medium": 400,
}
"""Control steps of an episode: about the longest shortest way of each maze, so that some episodes go all of it."""

FRAMES = 80_000
"""Frames recorded of each maze: 400 episodes of the smaller ones."""


def maze(
    world: str, out: Path, *, minutes: float = 4.0, episodes: int = 50, seed: int = 0, planner: str = "auto"
) -> Recipe:
    """The navigator's play (see `Navigator`), a nano model, goals anywhere in the maze.

    Inverse dynamics keep the ball in the latent: it is a hundredth of the picture, and all else never changes.
    Landmarks lead where the learned time does not reach.

    Args:
        world: A maze of `EPISODE_STEPS`.
        out: Folder of everything: the recording and the run lie in it.
        minutes: Training time, and three quarters of it for the actor.
        episodes: Episodes that are planned and scored.
        seed: Of all of it.
        planner: What searches.
    """
    steps = EPISODE_STEPS[world]
    return Recipe(
        world=world,
        episodes=FRAMES // steps,
        steps=steps,
        policy="scripted",
        seed=seed,
        train=TrainConfig(
            data=str(out / "recording"),
            run=str(out / world),
            size="nano",
            block=5,
            window=4,
            minutes=minutes,
            seed=seed,
            objective=ObjectiveConfig(inverse_weight=1.0),
        ),
        actor=FitActorConfig(minutes=0.75 * minutes, seed=seed) if planner in NEED_ACTOR else None,
        score=ScoreConfig(episodes=episodes, budget_steps=2 * steps, seed=seed, decoder_seconds=10 * minutes),
        planner=planner,
        landmarks=FitLandmarksConfig(seed=seed) if planner in NEED_ACTOR else None,
    )
