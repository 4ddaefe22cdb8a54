"""What a recipe sets."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from monde.agents import RecordingSummary, record
from monde.evaluation import ScoreConfig
from monde.objectives import ObjectiveConfig
from monde.recipes.strategies import NEED_ACTOR
from monde.training import FitActorConfig, FitBodyMotionConfig, FitLandmarksConfig, GoalShares, TrainConfig

STANDING = (("before", "top"),)
"""Of worlds whose picture `before` shows a moment ago: in that of a goal nothing moves."""


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
        motion: Fitting of how actions move the body, for goals that are places, or none.
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
    motion: FitBodyMotionConfig | None = None
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


@dataclass(frozen=True, kw_only=True)
class Played:
    """What is recorded of a world, and how long it takes to learn.

    Args:
        world: Its name, and that of the run.
        episodes: Episodes recorded.
        steps: Control steps in an episode.
        policy: What acts while recording.
        budget_steps: Control steps that a planned episode is allowed.
        actor_share: Time for the actor, as a share of that for the model.
        inverse_weight: Of inverse dynamics: what acts is small, and all else never changes.
        encoder: What sees; none takes the size's own.
        goals: Where the actor's goals come from.
        imitation: As `FitActorConfig.imitation`.
    """

    world: str
    episodes: int
    steps: int
    policy: str
    budget_steps: int
    actor_share: float
    inverse_weight: float = 0.0
    encoder: Literal["conv", "focus"] | None = None
    goals: GoalShares = GoalShares()  # noqa: RUF009 - frozen
    imitation: float = 0.0

    def recipe(self, out: Path, *, minutes: float, episodes: int, seed: int, planner: str) -> Recipe:
        """A nano model, blocks of 5 control steps, windows of 4; arguments as of `MakeRecipe`."""
        train = TrainConfig(
            data=str(out / "recording"),
            run=str(out / self.world),
            size="nano",
            encoder=self.encoder,
            block=5,
            window=4,
            minutes=minutes,
            seed=seed,
            objective=ObjectiveConfig(inverse_weight=self.inverse_weight),
        )
        share = minutes * self.actor_share
        actor = FitActorConfig(minutes=share, imitation=self.imitation, goals=self.goals, seed=seed)
        decoder = 10 * minutes
        return Recipe(
            world=self.world,
            episodes=self.episodes,
            steps=self.steps,
            policy=self.policy,
            seed=seed,
            train=train,
            actor=actor if planner in NEED_ACTOR else None,
            score=ScoreConfig(episodes=episodes, budget_steps=self.budget_steps, seed=seed, decoder_seconds=decoder),
            planner=planner,
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
