"""`monde score RUN`."""

from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

from monde.cli.plan import World
from monde.cli.progress import Reporter, stages
from monde.cli.verb import Outcome, Run


@dataclass(frozen=True, kw_only=True)
class Score:
    """Judge the model of a run: prediction, probes, ranking and control, each figure beside its floors."""

    run: Run
    """Run folder."""
    n: Annotated[int, tyro.conf.arg(metavar="N")] = 50
    """Episodes of control."""
    budget: int = 100
    """Control steps allowed in each."""
    world: World = None
    """World to act in."""
    planner: str = "auto"
    """What searches; auto: hybrid where the run has an actor, led to far goals by what `monde far` made; cem otherwise.
    flat, landmarks, hierarchical: hybrid, led by nobody, or always so."""
    cost: Literal["auto", "latent", "time"] = "auto"
    """What it minimises: latent distance, or the learned time to the goal; auto: what suits the planner."""
    seed: int = 0
    """Seed of starts, goals and resampling."""
    decoder_seconds: float = 45.0
    """Seconds that fitting the decoder may take, which draws what is imagined, here and in `monde ask`: no figure
    depends on it."""
    abstain: tyro.conf.FlagCreatePairsOff[bool] = False
    """Do not act where the goal cannot be reached, as `monde trust` learned to tell."""

    def execute(self, reporter: Reporter) -> Outcome:
        """Score; see `monde.evaluation.score_run`."""
        from monde.cli.scores import score_table
        from monde.evaluation import ScoreConfig, score_run
        from monde.recipes import strategy

        chosen = strategy(self.planner, self.run, cost=self.cost)
        config = ScoreConfig(
            episodes=self.n,
            budget_steps=self.budget,
            seed=self.seed,
            world=self.world,
            abstain=self.abstain,
            decoder_seconds=self.decoder_seconds,
        )
        with stages(reporter, f"scoring {self.run}") as progress:
            score = score_run(self.run, chosen, config, progress)
        return Outcome(score_table(score), score.to_json())

    def kept(self) -> str:
        """The scorecard is written whole."""
        return f"The scorecard in {self.run}, if there is one, is as it was."
