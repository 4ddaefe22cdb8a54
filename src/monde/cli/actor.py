"""`monde actor`: fit the fast path of a trained model."""

from dataclasses import dataclass

from monde.cli.progress import Reporter
from monde.cli.standing import Standing, standing_pairs
from monde.cli.verb import Outcome, Run


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Fit an actor and a learned time to the goal on a run's frozen latents: plans in milliseconds, not in search."""

    run: Run
    """Run folder."""
    minutes: float = 1.0
    """Time for it."""
    elsewhere: float = 0.3
    """Share of goals from other episodes; 0 where each episode has a layout of its own."""
    imitation: float = 0.0
    """Share of what the recording did in what the actor learns, where it led to the goal: recordings of experts."""
    standing: Standing = ()
    """Sensors that show the past, and what they show of a body that stands: before=top. Goals are then places where it
    stands, reached at any speed."""
    seed: int = 0
    """Seed of weights and batches."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1, …"""

    def execute(self, reporter: Reporter) -> Outcome:
        """Fit; see `monde.training.fit_actor`."""
        from monde.training import FitActorConfig, GoalShares, fit_actor

        goals = GoalShares(elsewhere=self.elsewhere, standing=standing_pairs(self.standing))
        config = FitActorConfig(
            minutes=self.minutes, imitation=self.imitation, goals=goals, seed=self.seed, device=self.device
        )
        with reporter.track(f"fitting the actor of {self.run}") as advance:
            summary = fit_actor(self.run, config, lambda done, whole, found: advance(done, whole, actor_note(found)))
        document = {
            "verb": "actor",
            "run": str(self.run),
            "step": summary.steps,
            "seconds": summary.seconds,
            "losses": summary.losses,
        }
        done = f"{self.run}: actor fitted in {summary.steps:,} steps, {summary.seconds:.0f} s"
        text = f"{done}; plan with `monde plan {self.run}`"
        return Outcome(text, document)

    def kept(self) -> str:
        """Both are written whole."""
        return f"The actor in {self.run}, if there was one, is as it was."


def actor_note(found: dict[str, float]) -> str:
    """The losses in a few words."""
    return ", ".join(f"{name} {value:.3g}" for name, value in found.items())
