"""`monde adapt RUN [DATA]`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from monde.cli.progress import Reporter
from monde.cli.verb import INTERRUPTED, Outcome, Run


@dataclass(frozen=True, kw_only=True)
class Adapt:
    """Get a trained run used to its world as it is now, from a few new episodes in two minutes."""

    run: Run
    """Run folder; it is left as it is."""
    data: Annotated[Path | None, tyro.conf.Positional, tyro.conf.arg(metavar="[DATA]", help_behavior_hint="")] = None
    """Recording of the world in its new look; without it the run learns to see through looks of any kind."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="(default: RUN-adapted)")] = None
    """Folder of the adapted run."""
    changed: Literal["look", "dynamics"] = "look"
    """What is otherwise than it was: how things look, or what actions do."""
    minutes: float = 2.0
    """Time for it."""
    steps: Annotated[int | None, tyro.conf.arg(metavar="N", help_behavior_hint="")] = None
    """Optimiser steps; with --minutes, whichever ends first."""
    seed: int = 0
    """Seed of batches and looks."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1, …"""
    resume: bool = False
    """Go on with the adapted run that is in the folder."""

    @property
    def folder(self) -> Path:
        """Where the adapted run is written."""
        run = self.run.resolve()
        return self.out or self.run.parent / f"{run.name}-adapted"

    def execute(self, reporter: Reporter) -> Outcome:
        """Adapt; see `monde.training.adapting.adapt`."""
        from monde.training import AdaptConfig, adapt

        config = AdaptConfig(
            run=str(self.run),
            out=str(self.folder),
            data=None if self.data is None else str(self.data),
            changed=self.changed,
            minutes=self.minutes,
            steps=self.steps,
            seed=self.seed,
            device=self.device,
        )
        with reporter.track(f"adapting {self.run}") as advance:
            summary = adapt(config, lambda done, whole, found: advance(done, whole, note(found)), self.resume)
        document = {
            "verb": "adapt",
            "run": str(self.run),
            "out": str(summary.out),
            "step": summary.step,
            "seconds": summary.seconds,
            "finished": summary.finished,
            "losses": summary.losses,
            "before": summary.before,
            "after": summary.after,
            "carried": list(summary.carried),
            "left_behind": summary.left_behind,
        }
        text = f"{summary.out}: {summary.step:,} steps in {summary.seconds:.0f} s"
        if not summary.finished:
            return Outcome(f"{text}, stopped by a signal. {self.kept()}", document, status=INTERRUPTED)
        if summary.before is not None and summary.after is not None:
            text += f"; error of the next latent on held-out new episodes {summary.before:.2f} → {summary.after:.2f}"
            text += " of 'nothing changes'"
        if summary.carried:
            text += f"; taken over: {' and '.join(summary.carried).replace('_', ' ')}"
        text += f"; plan with `monde plan {summary.out}`"
        lines = [f"left behind: {name}; make it again: {how}" for name, how in summary.left_behind.items()]
        return Outcome("\n".join([text, *lines]), document)

    def kept(self) -> str:
        """Checkpoints."""
        return f"The last checkpoint is kept in {self.folder}; the same command with --resume goes on from it."


def note(found: dict[str, float]) -> str:
    """The losses in a few words."""
    return ", ".join(f"{name} {value:.3g}" for name, value in found.items())
