"""`monde refine RUN`."""

from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

from monde.cli.progress import Reporter
from monde.cli.verb import Outcome, Run


@dataclass(frozen=True, kw_only=True)
class Refine:
    """Train the dynamics of a run further while its encoder rests, for models without actions. Give --minutes or
    --steps."""

    run: Run
    """Run folder; a further checkpoint is written into it."""
    minutes: Annotated[float | None, tyro.conf.arg(metavar="F", help_behavior_hint="")] = None
    """Time for it, that in which the films are looked at included."""
    steps: Annotated[int | None, tyro.conf.arg(metavar="N", help_behavior_hint="")] = None
    """Optimiser steps; with --minutes, whichever ends first."""
    windows: Annotated[tuple[int, ...], tyro.conf.arg(metavar="N ...", help_behavior_hint="(default: 8 13)")] = (8, 13)
    """Lengths of the windows that are drawn, in model steps."""
    whole_films: tyro.conf.FlagCreatePairsOff[bool] = False
    """Learn from whole films instead; for size things."""
    rollout_steps: int = 5
    """How far ahead it learns to imagine, in model steps."""
    batch: int = 128
    """Windows or films in a batch."""
    optimiser: Literal["adamw", "muon"] = "adamw"
    """muon: orthogonalised momentum for matrices, AdamW for the rest."""
    learning_rate: float = 1e-3
    """Peak rate of AdamW; Muon's is one and a half times that."""
    frames: int = 1_000_000
    """Most frames that are looked at, of episodes drawn at random."""
    phases: Annotated[int | None, tyro.conf.arg(metavar="N", help_behavior_hint="(default: all)")] = None
    """First frames of a model step that each film is seen from, drawn at random."""
    seed: int = 0
    """Seed of batches."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1, …"""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """auto takes bf16 where the machine is fast at it."""

    def execute(self, reporter: Reporter) -> Outcome:
        """Refine; see `monde.training.refine`."""
        from monde.cli.train import note
        from monde.errors import UsageError
        from monde.store import load_artefact
        from monde.training import RefineConfig, refine

        if self.whole_films and self.windows != Refine.windows:
            raise UsageError(
                "whole films have no windows",
                got=f"--whole-films and --windows {' '.join(map(str, self.windows))}",
                remedy="give one of them",
            )
        config = RefineConfig(
            minutes=self.minutes,
            steps=self.steps,
            windows=() if self.whole_films else self.windows,
            rollout_steps=self.rollout_steps,
            batch=self.batch,
            optimiser=self.optimiser,
            learning_rate=self.learning_rate,
            most_frames=self.frames,
            phases=self.phases,
            seed=self.seed,
            device=self.device,
            precision=self.precision,
        )
        with reporter.track(f"refining {self.run}") as advance:

            def learned(step: int, done: float, losses: dict[str, float]) -> None:
                advance(
                    done, 1.0, note(step, {"loss": sum(losses.get(name, 0.0) for name in ("prediction", "rollout"))})
                )

            checkpoint = refine(
                self.run,
                config,
                learned,
                looked=lambda done, wanted: advance(0.0, 1.0, f"looking at films, {done:,} of {wanted:,}"),
            )
            advance(1.0, 1.0, "")
        meta = load_artefact(checkpoint).meta
        step, seconds = int(str(meta["step"])), float(str(meta["seconds"]))
        document = {
            "verb": "refine",
            "run": str(self.run),
            "checkpoint": str(checkpoint),
            "step": step,
            "seconds": seconds,
        }
        return Outcome(f"{self.run}: {step:,} steps in {seconds:.0f} s, training included", document)

    def kept(self) -> str:
        """Nothing is written before the end."""
        return f"{self.run} is as it was before."
