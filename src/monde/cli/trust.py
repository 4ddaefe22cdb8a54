"""`monde trust RUN`."""

from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

from monde.cli.plan import World
from monde.cli.progress import Reporter, stages
from monde.cli.verb import Outcome, Run


@dataclass(frozen=True, kw_only=True)
class Trust:
    """Learn how likely a run's plans are to succeed, from episodes of its own, and judge it on others."""

    run: Run
    """Run folder, with an actor."""
    n: Annotated[int, tyro.conf.arg(metavar="N")] = 2000
    """Episodes to learn from; half as many again to judge by."""
    budget: int = 100
    """Control steps that success is allowed."""
    least: float = 0.2
    """Probability below which a goal is given up, where the agent may."""
    world: World = None
    """World to act in; hindsight: pairs of held-out frames instead."""
    planner: str = "auto"
    """What searches; auto: hybrid where the run has an actor, cem otherwise."""
    cost: Literal["auto", "latent", "time"] = "auto"
    """What it minimises: latent distance, or the learned time to the goal; auto: what suits the planner."""
    seed: int = 0
    """Seed of starts, goals and fitting."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1, …"""

    def execute(self, reporter: Reporter) -> Outcome:
        """Fit and judge; see `monde.evaluation.fit_trust`."""
        from monde.cli.scores import score_table
        from monde.evaluation import TrustConfig, fit_trust
        from monde.recipes import strategy

        chosen = strategy(self.planner, self.run, cost=self.cost, device=self.device, trust=False)
        config = TrustConfig(
            episodes=self.n,
            judged=max(1, self.n // 2),
            budget_steps=self.budget,
            least_probability=self.least,
            world=self.world,
            seed=self.seed,
            device=self.device,
        )
        with stages(reporter, f"fitting the trust of {self.run}") as progress:
            score = fit_trust(self.run, chosen, config, progress)
        use = f"from now on `monde plan {self.run}` tells it; with --abstain it does not act in vain"
        return Outcome(f"{score_table(score)}\n{use}", score.to_json())

    def kept(self) -> str:
        """It is written whole."""
        return f"The trust in {self.run}, if there was one, is as it was."
