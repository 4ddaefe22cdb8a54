"""`monde demo`."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import tyro

from monde.cli.progress import Reporter
from monde.cli.verb import Outcome
from monde.errors import unknown_name


@dataclass(frozen=True, kw_only=True)
class Demo:
    """From pixels to an agent that plans: record, train, score, plan and report, in about ten minutes on two cores."""

    out: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """Folder of everything that is made; what is there already is not made again. By default runs/demo, and
    runs/demo_TASK for another task than tworoom."""
    task: str = "tworoom"
    """Any task with a recipe: tworoom; tworoom_doors, where the door is somewhere else in every episode (twice the
    time); pointmaze_medium, pointmaze_giant, …"""
    planner: str = "auto"
    """What searches; auto: the hybrid, led by landmarks where the recipe makes them."""
    minutes: float = 4.0
    """Training time."""
    recorded: int | None = None
    """Episodes that are recorded to learn from; by default as the task's recipe says."""
    episodes: int = 50
    """Episodes that are planned and scored."""
    seed: int = 0
    """Seed of all of it."""

    def execute(self, reporter: Reporter) -> Outcome:
        """Run every stage that is not done."""
        from monde.cli.demo_stages import run_demo
        from monde.recipes import RECIPES

        if self.task not in RECIPES:
            raise unknown_name("task", self.task, sorted(RECIPES))
        make = RECIPES[self.task]
        recipe = make(
            self._folder(), minutes=self.minutes, episodes=self.episodes, seed=self.seed, planner=self.planner
        )
        if self.recorded is not None:
            recipe = replace(recipe, episodes=self.recorded)
        return run_demo(recipe, reporter)

    def kept(self) -> str:
        """Every finished stage."""
        return f"Every stage that was finished is kept in {self._folder()}; the same command goes on with the next."

    def _folder(self) -> Path:
        return self.out or Path("runs") / ("demo" if self.task == "tworoom" else f"demo_{self.task}")
