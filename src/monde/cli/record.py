"""`monde record ENV`."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from monde.cli.progress import Reporter
from monde.cli.verb import Outcome

Env = Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="ENV", help_behavior_hint="")]


@dataclass(frozen=True, kw_only=True)
class Record:
    """Roll a world and write what its sensors deliver as a dataset."""

    env: Env
    """World: tworoom, tworoom_doors, tworoom_doorless, pointmass, or gym:ID for a Gymnasium environment with pixels."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="(default: data/ENV)")] = None
    """Folder of the dataset; one that was stopped is gone on with."""
    episodes: int = 400
    """Episodes that the dataset shall hold."""
    steps: int = 100
    """Control steps in an episode."""
    policy: str = "random"
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
        """Record; see `monde.agents.recording.record`."""
        from monde.agents.recording import record

        with reporter.count(f"recording {self.env}", "episodes") as progress:
            summary = record(
                self.env,
                self.folder,
                episodes=self.episodes,
                steps=self.steps,
                policy=self.policy,
                seed=self.seed,
                batch=self.batch,
                workers=self.workers,
                store=self.store,
                progress=progress,
            )
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

    def kept(self) -> str:
        """Complete groups of episodes."""
        return f"Every complete group of episodes is kept in {self.folder}; the same command goes on from there."
