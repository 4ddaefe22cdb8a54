"""What a recipe sets."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from monde.agents import RecordingSummary, record
from monde.evaluation import ScoreConfig
from monde.training import FitActorConfig, FitLandmarksConfig, TrainConfig


@dataclass(frozen=True, kw_only=True)
class Trained:
    """What every recipe has: training, and where its recording and run lie.

    Args:
        train: Training.
    """

    train: TrainConfig

    @property
    def data(self) -> Path:
        """Folder of the recording."""
        return Path(self.train.data)

    @property
    def run(self) -> Path:
        """Folder of the run."""
        return Path(self.train.run)


@dataclass(frozen=True, kw_only=True)
class Recipe(Trained):
    """A task from the first frame to the last figure.

    Args:
        world: World that is recorded and planned in.
        episodes: Episodes recorded.
        steps: Control steps in an episode.
        policy: What acts while recording.
        seed: Of recording, training and scoring.
        train: Training.
        actor: Fitting of the actor, or none where the planner needs none.
        score: Scoring.
        planner: What searches.
        landmarks: Landmarks that lead to goals far away, or none. They need the actor's temporal distance.
    """

    world: str
    episodes: int
    steps: int
    policy: str
    seed: int
    actor: FitActorConfig | None
    score: ScoreConfig
    planner: str
    landmarks: FitLandmarksConfig | None = None

    def record(self, progress: Callable[[int, int], None] | None = None) -> RecordingSummary:
        """Record what is missing of the recording; see `monde.agents.record`."""
        return record(
            self.world,
            self.data,
            episodes=self.episodes,
            steps=self.steps,
            policy=self.policy,
            seed=self.seed,
            progress=progress,
        )


class MakeRecipe(Protocol):
    """A task's recipe; all but the folder has defaults that work."""

    def __call__(
        self,
        out: Path,
        *,
        minutes: float = ...,
        episodes: int = ...,
        seed: int = ...,
        planner: str = ...,
    ) -> Recipe:
        """The recipe with all that it makes in the folder `out`."""
        ...
