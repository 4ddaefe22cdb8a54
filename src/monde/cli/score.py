"""`monde score RUN`."""

from dataclasses import dataclass
from typing import Annotated

import tyro

from monde.cli.plan import World
from monde.cli.progress import Reporter
from monde.cli.verb import Outcome, Run
from monde.errors import UsageError


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
    planner: str = "cem"
    """What searches."""
    seed: int = 0
    """Seed of starts, goals and resampling."""

    def execute(self, reporter: Reporter) -> Outcome:
        """Score."""
        raise UsageError("`monde score` cannot be run yet", got=self.run, remedy="it comes with the evaluation room")

    def kept(self) -> str:
        """The scorecard is written whole."""
        return f"The scorecard in {self.run}, if there is one, is as it was."
