"""`monde record ENV`."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from monde.cli.progress import Reporter
from monde.cli.verb import Outcome
from monde.errors import UsageError

if TYPE_CHECKING:
    from monde.agents.recording import RecordingSummary

SCENES = "scenes/"
"""What the names of generated scenes begin with."""

Env = Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="ENV", help_behavior_hint="")]


@dataclass(frozen=True, kw_only=True)
class Record:
    """Roll a world and write what its sensors deliver as a dataset."""

    env: Env
    """World: tworoom, tworoom_doors, tworoom_doorless, pointmass; pointmaze_umaze, pointmaze_medium, pointmaze_large,
    pointmaze_giant (docs/tasks.md); gym:ID for a Gymnasium environment with pixels; or scenes/KIND, scenes/3d/KIND for
    films of possible physics (KIND: free, scripted, all, or a principle's name)."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="(default: data/ENV)")] = None
    """Folder of the dataset; one that was stopped is gone on with."""
    episodes: int = 400
    """Episodes (of scenes: films) that the dataset shall hold."""
    steps: Annotated[int | None, tyro.conf.arg(metavar="INT", help_behavior_hint="(default: 100)")] = None
    """Control steps in an episode."""
    policy: Annotated[str | None, tyro.conf.arg(metavar="STR", help_behavior_hint="(default: random)")] = None
    """What acts: random, scripted, or one of yours as module:function."""
    seed: int = 0
    """Seed of the worlds and of the policy."""
    batch: Annotated[int | None, tyro.conf.arg(metavar="INT", help_behavior_hint="(default: by the world)")] = None
    """Episodes rolled side by side."""
    workers: int = 0
    """Processes that roll; of use for worlds that are slow to step."""
    store: Literal["auto", "images", "video"] = "auto"
    """How frames are stored: images are lossless; auto takes video above 128 px a side."""

    @property
    def folder(self) -> Path:
        """Where the dataset is written."""
        return self.out or Path("data") / re.sub(r"[^\w.-]+", "-", self.env)

    def execute(self, reporter: Reporter) -> Outcome:
        """Record; see `monde.agents.recording.record` and `monde.agents.record_scenes`."""
        with reporter.count(f"recording {self.env}", "episodes") as progress:
            summary = self._films(progress) if self.env.startswith(SCENES) else self._episodes(progress)
        document = {
            "verb": "record",
            "data": str(summary.root),
            "world": summary.world,
            "policy": summary.policy,
            "episodes": summary.episodes,
            "new_episodes": summary.new_episodes,
            "new_frames": summary.new_frames,
            "seconds": summary.seconds,
            "frames_per_second": summary.frames_per_second,
        }
        return Outcome(str(summary), document)

    def _episodes(self, progress: Callable[[int, int], None]) -> "RecordingSummary":
        from monde.agents.recording import record

        return record(
            self.env,
            self.folder,
            episodes=self.episodes,
            steps=100 if self.steps is None else self.steps,
            policy=self.policy or "random",
            seed=self.seed,
            batch=self.batch,
            workers=self.workers,
            store=self.store,
            progress=progress,
        )

    def _films(self, progress: Callable[[int, int], None]) -> "RecordingSummary":
        from monde.agents import record_scenes

        given = {"steps": self.steps, "policy": self.policy, "batch": self.batch, "workers": self.workers or None}
        useless = [f"--{name} {value}" for name, value in given.items() if value is not None]
        if useless:
            raise UsageError(
                "nobody acts in scenes, and their films have a length of their own",
                got=", ".join(useless),
                expected="--episodes (how many films), --seed, --store, --out",
                remedy=f"leave out {', '.join(useless)}",
            )
        space, _, kind = self.env.removeprefix(SCENES).rpartition("/")
        return record_scenes(
            kind,
            self.folder,
            films=self.episodes,
            seed=self.seed,
            store=self.store,
            space=space or "2d",
            progress=progress,
        )

    def kept(self) -> str:
        """Complete groups of episodes."""
        return f"Every complete group of episodes is kept in {self.folder}; the same command goes on from there."
