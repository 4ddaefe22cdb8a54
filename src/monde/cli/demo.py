"""`monde demo`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from monde.cli.progress import Reporter
from monde.cli.verb import Outcome


@dataclass(frozen=True, kw_only=True)
class Demo:
    """From pixels to an agent that plans: record, train, score, plan and report, in about ten minutes on two cores."""

    out: Annotated[Path, tyro.conf.arg(metavar="DIR")] = Path("runs/demo")
    """Folder of everything that is made; what is there already is not made again."""
    planner: str = "hybrid"
    """What searches."""
    minutes: float = 4.0
    """Training time."""
    recorded: int = 400
    """Episodes that are recorded to learn from."""
    episodes: int = 50
    """Episodes that are planned and scored."""
    seed: int = 0
    """Seed of all of it."""

    def execute(self, reporter: Reporter) -> Outcome:
        """Run every stage that is not done."""
        from monde.cli.demo_stages import run_demo
        from monde.recipes import tworoom

        recipe = tworoom(
            self.out,
            minutes=self.minutes,
            recorded=self.recorded,
            episodes=self.episodes,
            seed=self.seed,
            planner=self.planner,
        )
        return run_demo(recipe, reporter)

    def kept(self) -> str:
        """Every finished stage."""
        return f"Every stage that was finished is kept in {self.out}; the same command goes on with the next."
