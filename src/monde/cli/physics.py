"""`monde physics RUN`."""

from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

from monde.cli.progress import Reporter, stages
from monde.cli.verb import Outcome, Run
from monde.errors import UsageError

Names = Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME ...", help_behavior_hint="(default: all)")]
"""Some of several."""


@dataclass(frozen=True, kw_only=True)
class Physics:
    """What intuitive physics a model knows: how often an impossible film surprises it more than its possible twin."""

    run: Run
    """Run folder, of a model without actions that reads one camera."""
    n: Annotated[int, tyro.conf.arg(metavar="N")] = 100
    """Sets of four films for each principle and grade; with --hidden, films of each event and time."""
    grades: Names = ()
    """How long what matters is out of sight: easy, hidden, long-hidden."""
    principles: Names = ()
    """permanence, continuity, solidity, gravity, inertia, support, collision, shape-constancy, colour-constancy."""
    space: Literal["auto", "2d", "3d"] = "auto"
    """What the films are of; auto: what the run's recording is of."""
    seed: int = 0
    """Seed of the films and of resampling; with --hidden, of readouts and resampling."""
    hidden: tyro.conf.FlagCreatePairsOff[bool] = False
    """Ask instead where an object is thought to be while it is out of sight, for up to two seconds (in the plane)."""

    def execute(self, reporter: Reporter) -> Outcome:
        """Score; see `monde.evaluation.physics.score_physics` and `score_hidden_run`."""
        if self.hidden:
            return self._hidden(reporter)
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

    def _hidden(self, reporter: Reporter) -> Outcome:
        self._refuse_beside("--hidden", grades=self.grades, principles=self.principles, space=self.space == "3d")
        if self.n < 2 or self.seed < 0:
            raise UsageError(
                "these films cannot be judged",
                got=f"n={self.n}, seed={self.seed}",
                expected="n ≥ 2, seed ≥ 0",
                remedy="--n 80 --seed 0",
            )
        from monde.cli.scores import hidden_table
        from monde.evaluation.physics import HiddenFilmsConfig, score_hidden_run
        from monde.evaluation.physics.hidden import HiddenConfig

        config = HiddenFilmsConfig(judged=self.n, fit=5 * self.n // 2, hidden=HiddenConfig(seed=self.seed))
        with stages(reporter, f"hidden objects by {self.run}") as progress:
            score = score_hidden_run(self.run, config, progress)
        return Outcome(hidden_table(score), score.to_json())

    def _refuse_beside(self, flag: str, **given: object) -> None:
        """Refuse what says which pairs are judged where no pairs are."""
        named = [f"--{name}" for name, value in given.items() if value]
        if named:
            raise UsageError(
                f"{flag} asks about other films than pairs", got=", ".join(named), remedy=f"leave out {named[0]}"
            )

    def kept(self) -> str:
        """Scorecards are written whole, at the end."""
        return f"What {self.run} holds of physics.json and hidden.json is as it was."
