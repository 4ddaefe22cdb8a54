"""Intuitive physics: films of what is possible, a model that remembers, minimal pairs for judging."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from monde.agents import RecordingSummary, record_scenes
from monde.evaluation.physics import PairsConfig
from monde.objectives import ObjectiveConfig
from monde.recipes.task import Trained
from monde.store import RunFolder
from monde.training import RefineConfig, TrainConfig, finish_training, refine

_FIRST_STEPS = 10
"""Seconds; all else is learned from latents that are computed once."""


@dataclass(frozen=True, kw_only=True)
class PhysicsRecipe(Trained):
    """From the first film to the last pair.

    Args:
        space: 2d or 3d.
        kind: Kind of films.
        films: How many.
        seed: Of films and training.
        train: The first steps: with things, all that there is to learn are their dynamics.
        refine: Training of the dynamics on latents that are computed once.
        pairs: Judging.
    """

    space: str
    kind: str
    films: int
    seed: int
    refine: RefineConfig
    pairs: PairsConfig

    def record(self, progress: Callable[[int, int], None] | None = None) -> RecordingSummary:
        """Record what is missing of the films; see `monde.agents.record_scenes`."""
        return record_scenes(
            self.kind, self.data, films=self.films, seed=self.seed, space=self.space, progress=progress
        )

    def learn(self) -> None:
        """Train, and refine, what is not finished yet; one that was interrupted goes on where it was.

        Raises:
            KeyboardInterrupt: It was asked to stop. What was learned is kept; dynamics that were stopped are refined
                anew from there, for the whole time.
            UsageError: The run was begun with other settings.
            DataError: The recording is gone, or cannot be trained on.
            StoreError: A checkpoint was altered, or the disk is full.
            TrainingError: A loss or a gradient that is not finite.
        """
        run = RunFolder(self.run)
        if run.config.exists() and "refined" in run.read_config():
            return
        finish_training(self.train)
        if not refine(self.run, self.refine).finished:
            raise KeyboardInterrupt


def physics(
    out: Path, *, space: str = "2d", minutes: float = 27.0, films: int = 8_000, sets: int = 100, seed: int = 0
) -> PhysicsRecipe:
    """Possible films of all principles at 20 Hz, steps of 0.2 s, a model of things (size "things").

    Every film is learned from as a whole: a wall that is seen at its beginning matters when a screen sinks at its end.
    Films are seen in mirrors and in other colours. Perception has nothing to learn, so that all the time goes to the
    dynamics, but for a few steps that begin the run and the time in which films are looked at once.

    Args:
        out: Folder of everything: recording and run lie in it.
        space: 2d (pymunk) or 3d (MuJoCo).
        minutes: Training time, of both together.
        films: Films recorded.
        sets: Judged, of each principle and grade.
        seed: Of films, training and pairs.
    """
    return PhysicsRecipe(
        space=space,
        kind="scripted",
        films=films,
        seed=seed,
        train=TrainConfig(
            data=str(out / "recording"),
            run=str(out / f"physics_{space}"),
            size="things",
            block=4,
            window=8,
            batch=32,
            steps=_FIRST_STEPS,
            warmup_steps=2,
            held_out=0.05,
            seed=seed,
            mirror=True,
            channels=True,
            objective=ObjectiveConfig(regulariser_weight=0.0, context=2, rollout_steps=5),
        ),
        refine=RefineConfig(
            minutes=minutes, windows=(), batch=48, optimiser="muon", learning_rate=2e-3, phases=2, seed=seed
        ),
        pairs=PairsConfig(space=space, sets=sets, seed=seed),
    )
