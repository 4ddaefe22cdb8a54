"""`monde refine RUN`."""

import time
from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

from monde.cli.progress import Reporter
from monde.cli.verb import DONE, INTERRUPTED, Outcome, Run
from monde.errors import UsageError

WINDOWS = (8, 13)
"""Lengths of windows, unless told otherwise."""


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
    windows: Annotated[tuple[int, ...] | None, tyro.conf.arg(metavar="N ...", help_behavior_hint="(default: 8 13)")] = (
        None
    )
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
    most_frames: int = 1_000_000
    """Frames that are looked at, at most, of episodes drawn at random."""
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
        from monde.training import RefineConfig, refine

        config = RefineConfig(
            minutes=self.minutes,
            steps=self.steps,
            windows=self._lengths(),
            rollout_steps=self.rollout_steps,
            batch=self.batch,
            optimiser=self.optimiser,
            learning_rate=self.learning_rate,
            most_frames=self.most_frames,
            phases=self.phases,
            seed=self.seed,
            device=self.device,
            precision=self.precision,
        )
        began = time.monotonic()
        with reporter.track(f"refining {self.run}") as advance:

            def looked(done: int, wanted: int) -> None:
                share = (time.monotonic() - began) / (60 * self.minutes) if self.minutes else 0.0
                advance(min(share, 0.99), 1.0, f"looking at films, {done:,} of {wanted:,}")

            def learned(step: int, done: float, losses: dict[str, float]) -> None:
                advance(done, 1.0, note(step, losses))

            summary = refine(self.run, config, learned, looked=looked)
        document = {
            "verb": "refine",
            "run": str(self.run),
            "checkpoint": str(summary.checkpoint),
            "steps": summary.steps,
            "step": summary.step,
            "seconds": summary.seconds,
            "losses": summary.losses,
            "finished": summary.finished,
        }
        steps, loss = f"{summary.steps:,} steps, {summary.step:,} in all", summary.losses["loss"]
        text = f"{self.run}: {steps}, in {summary.seconds:.0f} s, loss {loss:.3g}"
        if summary.finished:
            return Outcome(text, document, status=DONE)
        told = f"{text}, stopped by a signal. What was learned is kept; the same command goes on from there"
        return Outcome(f"{told}, anew for all of its time", document, status=INTERRUPTED)

    def _lengths(self) -> tuple[int, ...]:
        """Lengths of windows; none for whole films."""
        if self.windows is None:
            return () if self.whole_films else WINDOWS
        if self.whole_films or not self.windows:
            raise UsageError(
                "windows have lengths, and whole films have no windows",
                got=" ".join(["--windows", *map(str, self.windows), *(["--whole-films"] * self.whole_films)]),
                expected="one of --windows N ... and --whole-films",
                remedy="leave out one of them",
            )
        return self.windows

    def kept(self) -> str:
        """Nothing is written before something was learned."""
        return f"{self.run} is as it was before; start the same command again."
