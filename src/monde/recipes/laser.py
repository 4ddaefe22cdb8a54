"""A robot with a laser scanner: learned in random rooms, at home in others; and scans foretold and matched outdoors."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from monde.agents import RecordingSummary, record
from monde.evaluation import ScoreConfig
from monde.objectives import ObjectiveConfig
from monde.recipes.strategies import NEED_ACTOR
from monde.recipes.task import Recipe, Trained
from monde.store import RunFolder
from monde.training import (
    FitActorConfig,
    FitBodyMotionConfig,
    FitScanForecastConfig,
    FitScanMatcherConfig,
    GoalShares,
    TrainConfig,
    finish_training,
    fit_scan_forecast,
    fit_scan_matcher,
)

CLEAR_M = 0.36
"""How near to anything the robot's middle may come: its radius (0.25 m), and what the model errs by."""


def laser_rooms(
    out: Path, *, minutes: float = 5.0, episodes: int = 200, seed: int = 0, planner: str = "auto"
) -> Recipe:
    """The explorer's play in 1,600 rooms, a nano model of scans alone, the motion of the body, goals as places.

    The model sees scans and never where it is: places are summed up from motions (`monde.models.PlacedModel`), so that
    what was learned in some rooms holds in all. Rooms count, not frames.

    Args:
        out: Folder of everything: the recording and the run lie in it.
        minutes: Training time, and again as much for the actor.
        episodes: Episodes that are planned and scored.
        seed: Of all of it.
        planner: What searches.
    """
    acts = planner in NEED_ACTOR
    return Recipe(
        world="laser_rooms",
        episodes=1600,
        steps=48,
        policy="scripted",
        seed=seed,
        train=TrainConfig(
            data=str(out / "recording"),
            run=str(out / "laser_rooms"),
            size="nano",
            sensors=("scan",),
            block=2,
            window=4,
            minutes=minutes,
            seed=seed,
            objective=ObjectiveConfig(inverse_weight=1.0),
        ),
        motion=FitBodyMotionConfig(clear_m=CLEAR_M, seed=seed) if acts else None,
        actor=FitActorConfig(minutes=minutes, goals=GoalShares(elsewhere=0.0), seed=seed) if acts else None,
        score=ScoreConfig(episodes=episodes, budget_steps=100, seed=seed, decoder_seconds=0.0),
        planner=planner,
    )


@dataclass(frozen=True, kw_only=True)
class ScanRecipe(Trained):
    """From the first scan to what is read off a model of scans.

    Args:
        world: World that is recorded.
        episodes: Episodes recorded.
        steps: Control steps in an episode.
        seed: Of recording and training.
        train: Training.
        matcher: Fitting of what tells how two scans lie to one another.
        forecast: Fitting of what foretells scans.
    """

    world: str
    episodes: int
    steps: int
    seed: int
    matcher: FitScanMatcherConfig
    forecast: FitScanForecastConfig

    def record(self, progress: Callable[[int, int], None] | None = None) -> RecordingSummary:
        """Record what is missing of the recording; see `monde.agents.record`."""
        return record(
            self.world,
            self.data,
            episodes=self.episodes,
            steps=self.steps,
            policy="scripted",
            seed=self.seed,
            progress=progress,
        )

    def learn(self) -> None:
        """Train, and fit, what is not finished yet; training that was interrupted goes on where it was.

        Raises:
            KeyboardInterrupt: It was asked to stop while it trained; nothing is fitted then.
            UsageError: The run was begun with other settings.
            DataError: The recording is gone, or cannot be trained on.
            StoreError: A checkpoint was altered, or the disk is full.
            TrainingError: A loss or a gradient that is not finite.
        """
        run = RunFolder(self.run)
        finish_training(self.train)
        if not (run.readouts / "scan_matcher").exists():
            fit_scan_matcher(self.run, self.matcher)
        if not (run.readouts / "scan_forecast").exists():
            fit_scan_forecast(self.run, self.forecast)


def laser_yard(out: Path, *, steps: int = 900, seed: int = 0) -> ScanRecipe:
    """Drives through 704 outdoor scenes with a scanner of 180° and 80 m, four scans a second, and bad odometry.

    Every step of the model is one scan. Forecasts reach a second ahead.

    Args:
        out: Folder of everything: the recording and the run lie in it.
        steps: Optimiser steps of the model, and of the forecast.
        seed: Of all of it.
    """
    return ScanRecipe(
        world="laser_yard",
        episodes=704,
        steps=40,
        seed=seed,
        train=TrainConfig(
            data=str(out / "recording"),
            run=str(out / "laser_yard"),
            size="nano",
            sensors=("scan",),
            block=1,
            window=5,
            batch=48,
            steps=steps,
            seed=seed,
            objective=ObjectiveConfig(inverse_weight=1.0),
        ),
        matcher=FitScanMatcherConfig(seed=seed),
        forecast=FitScanForecastConfig(steps=steps, seed=seed),
    )
