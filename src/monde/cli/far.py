"""`monde far`: what a trained model needs to plan far."""

import math
from dataclasses import dataclass

from monde.cli.progress import Reporter
from monde.cli.standing import Standing, standing_pairs
from monde.cli.verb import Outcome, Run
from monde.errors import UsageError
from monde.limits import MAX_LANDMARKS, MAX_TIME_LEVELS


@dataclass(frozen=True, kw_only=True)
class Far:
    """Make what leads a planner to goals far away: landmarks of what a run has seen, and levels of time above it."""

    run: Run
    """Run folder."""
    landmarks: int = 512
    """Most landmarks that are made; 0 makes none."""
    reach: float = 5.0
    """Action blocks up to which learned times are believed."""
    megabytes: float = 256.0
    """Memory of the graph; where that is too little, fewer landmarks are made."""
    levels: int = 1
    """Levels of time in all; 1 is the model itself, and fits none."""
    span: int = 5
    """Action blocks of one level in a macro-action of the next."""
    minutes: float = 1.0
    """Time for each level: half of it for its dynamics, half for its actor."""
    standing: Standing = ()
    """Sensors that show the past, and what they show of a body that stands: before=top, as `monde actor` was told."""
    seed: int = 0
    """Seed of the places that landmarks are chosen from, and of weights and batches."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1, …"""

    def execute(self, reporter: Reporter) -> Outcome:
        """Make them; see `monde.training.fit_landmarks` and `monde.training.fit_levels`."""
        if self.levels < 1:
            raise UsageError(
                "so many levels of time cannot be fitted",
                got=f"--levels {self.levels}",
                expected=f"1 to {MAX_TIME_LEVELS}; 1 is the model itself",
            )
        if self.landmarks < 0:
            raise UsageError(
                "so many landmarks cannot be made",
                got=f"--landmarks {self.landmarks}",
                expected=f"0 to {MAX_LANDMARKS}; 0 makes none",
            )
        if not self.landmarks and self.levels < 2:
            raise UsageError("there is nothing to make", remedy="give --landmarks 512, or --levels 2")
        for flag, value in (("--megabytes", self.megabytes), ("--minutes", self.minutes)):
            if not 0 < value < math.inf:
                raise UsageError(f"{flag} is an empty size, or no number", got=f"{flag} {value:g}", expected="above 0")
        standing_pairs(self.standing)
        document: dict[str, object] = {"verb": "far", "run": str(self.run)}
        lines = []
        if self.landmarks:
            lines += self._make_landmarks(reporter, document)
        if self.levels > 1:
            lines += self._fit_levels(reporter, document)
        return Outcome("\n".join([*lines, f"plan with `monde plan {self.run}`"]), document)

    def kept(self) -> str:
        """Each is written whole."""
        return f"Landmarks and levels of time in {self.run}, if there were any, are as they were, or finished."

    def _make_landmarks(self, reporter: Reporter, document: dict[str, object]) -> list[str]:
        from monde.training import FitLandmarksConfig, fit_landmarks

        config = FitLandmarksConfig(
            landmarks=self.landmarks,
            reach_blocks=self.reach,
            most_bytes=int(self.megabytes * 1e6),
            standing=standing_pairs(self.standing),
            seed=self.seed,
            device=self.device,
        )
        with reporter.track(f"landmarks of {self.run}") as advance:
            summary = fit_landmarks(self.run, config, advance)
        graph = summary.landmarks
        document |= {
            "landmarks": len(graph),
            "edges": len(graph.sources),
            "radius_blocks": graph.radius_blocks,
            "reach_blocks": graph.reach_blocks,
            "joined": summary.joined,
            "recall": summary.recall,
            "unseen": summary.unseen,
            "bytes": graph.bytes,
            "pruned": graph.pruned,
        }
        lines = [
            f"{self.run}: {len(graph)} landmarks, {len(graph.sources):,} edges; "
            f"ways lead between {summary.joined:.0%} of all pairs",
            f"every place that was visited lies within {graph.radius_blocks:.1f} blocks of one",
        ]
        return [*lines, f"fewer than there should be: {graph.pruned}"] if graph.pruned else lines

    def _fit_levels(self, reporter: Reporter, document: dict[str, object]) -> list[str]:
        from monde.cli.actor import actor_note
        from monde.training import FitActorConfig, FitLevelsConfig, GoalShares, fit_levels

        goals = GoalShares(standing=standing_pairs(self.standing))
        heads = FitActorConfig(minutes=self.minutes / 2, furthest_blocks=40.0, goals=goals)
        config = FitLevelsConfig(
            levels=self.levels,
            span=self.span,
            minutes=self.minutes / 2,
            heads=heads,
            seed=self.seed,
            device=self.device,
        )
        with reporter.track(f"levels of time above {self.run}") as advance:
            found = fit_levels(self.run, config, lambda done, whole, told: advance(done, whole, actor_note(told)))
        document["levels"] = [
            {
                "level": number,
                "seconds": each.level.actions.dt_seconds,
                "error": each.error,
                "still": each.still,
                "nats": each.nats,
            }
            for number, each in enumerate(found, 2)
        ]
        return [
            f"level {number}: macro-actions of {each.level.actions.dt_seconds:g} s, "
            f"error {each.error:.2f} (standing still {each.still:.2f})"
            for number, each in enumerate(found, 2)
        ]
