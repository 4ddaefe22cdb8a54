"""`monde plan RUN`."""

from dataclasses import dataclass
from typing import Annotated

import tyro

from monde.cli.progress import Reporter
from monde.cli.verb import Outcome, Run
from monde.errors import UsageError

World = Annotated[str | None, tyro.conf.arg(metavar="ENV", help_behavior_hint="(default: the one that was recorded)")]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Let an agent plan in a world with the model of a run, and film it."""

    run: Run
    """Run folder."""
    world: World = None
    """World to act in."""
    goal: str = "env"
    """What to reach: env for the world's own goal, a picture's path, or EPISODE:FRAME of the recording."""
    episodes: int = 8
    """Episodes to plan."""
    budget: int = 100
    """Control steps allowed in each."""
    planner: str = "cem"
    """What searches."""
    seed: int = 0
    """Seed of starts, goals and the planner's noise."""

    def execute(self, reporter: Reporter) -> Outcome:
        """Plan."""
        raise UsageError("`monde plan` cannot be run yet", got=self.run, remedy="it comes with the evaluation room")

    def kept(self) -> str:
        """Films are written whole."""
        return f"Films that were finished are kept in {self.run}/exhibits."
