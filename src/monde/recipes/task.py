"""What a recipe sets."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from monde.evaluation import ScoreConfig
from monde.training import FitActorConfig, TrainConfig


@dataclass(frozen=True, kw_only=True)
class Recipe:
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
    """

    world: str
    episodes: int
    steps: int
    policy: str
    seed: int
    train: TrainConfig
    actor: FitActorConfig | None
    score: ScoreConfig
    planner: str

    @property
    def data(self) -> Path:
        """Folder of the recording."""
        return Path(self.train.data)

    @property
    def run(self) -> Path:
        """Folder of the run."""
        return Path(self.train.run)


class MakeRecipe(Protocol):
    """A task's recipe; the numbers of episodes and minutes have defaults that work."""

    def __call__(
        self,
        out: Path,
        *,
        minutes: float = ...,
        recorded: int = ...,
        episodes: int = ...,
        seed: int = ...,
        planner: str = ...,
    ) -> Recipe:
        """The recipe with all that it makes in the folder `out`."""
        ...
