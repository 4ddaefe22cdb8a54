"""`monde plan RUN`."""

from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

from monde.cli.progress import Reporter
from monde.cli.verb import Outcome, Run

World = Annotated[str | None, tyro.conf.arg(metavar="ENV", help_behavior_hint="(default: the one that was recorded)")]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Let an agent plan in a world with the model of a run, and film it."""

    run: Run
    """Run folder."""
    world: World = None
    """World to act in."""
    goal: str = "env"
    """What to reach: env (the world's own goal), a picture's path, EPISODE:FRAME of the recording, a target of a
    recorded state (state=40,20±3), bounds on its components (state.x>40,state.y<20), or a pixel of a camera or a point
    of a cloud to which a recorded place is brought (object@camera=40,22±0.03, object@points=17±0.03)."""
    episodes: int = 8
    """Episodes to plan."""
    budget: int = 100
    """Control steps allowed in each."""
    planner: str = "auto"
    """What searches; auto: hybrid where the run has an actor, led to far goals by what `monde far` made; cem otherwise.
    flat, landmarks, hierarchical: hybrid, led by nobody, or always so."""
    cost: Literal["auto", "latent", "time"] = "auto"
    """What it minimises: latent distance, or the learned time to the goal; auto: what suits the planner."""
    seed: int = 0
    """Seed of starts, goals and the planner's noise."""
    abstain: tyro.conf.FlagCreatePairsOff[bool] = False
    """Do not act where the goal cannot be reached, as `monde trust` learned to tell."""
    keep_out: tuple[str, ...] = ()
    """Volumes that a recorded state must not enter: balls (gripper=0,0,0.1±0.05) or boxes, by half their sides
    (gripper=0,0,0.1±0.05,0.05,0.1)."""

    def execute(self, reporter: Reporter) -> Outcome:
        """Plan; see `monde.evaluation.plan_run`."""
        from monde.cli.scores import score_table
        from monde.evaluation import PlanConfig, plan_run
        from monde.recipes import strategy

        chosen = strategy(self.planner, self.run, cost=self.cost)
        config = PlanConfig(
            goal=self.goal,
            episodes=self.episodes,
            budget_steps=self.budget,
            seed=self.seed,
            world=self.world,
            abstain=self.abstain,
            keep_out=self.keep_out,
        )
        with reporter.count(f"planning with {self.run}", "episodes") as progress:
            score = plan_run(self.run, chosen, config, progress)
        told = "".join(f"not tried: {row.note}\n" for row in score.rows if row.metric == "abstained" and row.value)
        told += "".join(f"no way: {row.note}\n" for row in score.rows if row.metric == "no_way")
        text = f"{score_table(score)}\n{told}films: {self.run}/exhibits (see them with `monde report {self.run}`)"
        return Outcome(text, score.to_json())

    def kept(self) -> str:
        """Films are written whole."""
        return f"Films that were finished are kept in {self.run}/exhibits."
