"""`monde physics RUN`."""

from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

from monde.cli.progress import Reporter, stages
from monde.cli.verb import Outcome, Run

Names = Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME ...", help_behavior_hint="(default: all)")]
"""Some of several."""


@dataclass(frozen=True, kw_only=True)
class Physics:
    """What intuitive physics a model knows: how often an impossible film surprises it more than its possible twin."""

    run: Run
    """Run folder, of a model without actions that reads one camera."""
    n: Annotated[int, tyro.conf.arg(metavar="N")] = 100
    """Sets of four films for each principle and grade."""
    grades: Names = ()
    """How long what matters is out of sight: easy, hidden, long-hidden."""
    principles: Names = ()
    """permanence, continuity, solidity, gravity, inertia, support, collision, shape-constancy, colour-constancy."""
    space: Literal["auto", "2d", "3d"] = "auto"
    """What the films are of; auto: what the run's recording is of."""
    seed: int = 0
    """Seed of the films and of resampling."""

    def execute(self, reporter: Reporter) -> Outcome:
        """Score; see `monde.evaluation.physics.score_physics`."""
        from monde.cli.scores import physics_table
        from monde.evaluation.physics import physics_config, score_physics

        config = physics_config(
            self.run,
            sets=self.n,
            grades=self.grades,
            principles=self.principles,
            space=None if self.space == "auto" else self.space,
            seed=self.seed,
        )
        with stages(reporter, f"physics of {self.run}") as progress:
            score = score_physics(self.run, config, progress)
        return Outcome(physics_table(score), score.to_json())

    def kept(self) -> str:
        """The scorecard is written whole, at the end."""
        return f"physics.json in {self.run}, if there is one, is as it was."
