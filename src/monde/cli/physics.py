"""`monde physics RUN`."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from monde.cli.progress import Reporter, stages
from monde.cli.verb import Outcome, Run
from monde.errors import UsageError

if TYPE_CHECKING:
    from monde.evaluation.physics import FieldSetScore

Names = Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME ...", help_behavior_hint="(default: all)")]
"""Some of several."""

SHOWN = 20
"""Missing films, and notes on films, that are named on a terminal; the document names all."""


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
    set: Annotated[Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="")] = None
    """Judge instead on a set of the field that lies in this folder: IntPhys, IntPhys 2, GRASP or InfLevel-Lab."""

    def execute(self, reporter: Reporter) -> Outcome:
        """Score; see `score_physics`, `score_hidden_run` and `score_field_set` of `monde.evaluation.physics`."""
        if self.set is not None:
            return self._field_set(self.set, reporter)
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

    def _field_set(self, folder: Path, reporter: Reporter) -> Outcome:
        pairs = {"grades": self.grades, "principles": self.principles, "space": self.space != "auto"}
        self._refuse_beside("--set", **pairs, hidden=self.hidden, n=self.n != Physics.n, seed=self.seed != 0)
        from monde.evaluation.physics import score_field_set

        with stages(reporter, f"{folder} by {self.run}") as progress:
            found = score_field_set(self.run, folder, progress=progress)
        document = {
            "verb": "physics",
            "run": str(self.run),
            "set": str(folder),
            "score": found.score.to_json(),
            "absent": [{"film": a.id, "file": a.file, "why": a.why} for a in found.report.absent],
            "told": dict(found.told),
        }
        return Outcome(_set_text(found), document)

    def _refuse_beside(self, flag: str, **given: object) -> None:
        """Refuse what says which pairs are judged where no pairs are."""
        named = [f"--{name}" for name, value in given.items() if value]
        if named:
            raise UsageError(
                f"{flag} asks about other films than pairs", got=", ".join(named), remedy=f"leave out {named[0]}"
            )

    def kept(self) -> str:
        """Scorecards are written whole, at the end."""
        return f"What {self.run} holds of physics.json, hidden.json and sets/ is as it was."


def _set_text(found: "FieldSetScore") -> str:
    from monde.cli.scores import score_table

    absent = [f"not judged: {one}" for one in found.report.absent]
    notes = [f"note: {films} films: {line}" for line, films in found.told.items()]
    count = f"{found.score.protocol['films']} films judged, {len(absent)} missing or left out"
    return "\n".join([score_table(found.score), count, *_some(absent), *_some(notes)])


def _some(lines: list[str]) -> list[str]:
    more = len(lines) - SHOWN
    return [*lines[:SHOWN], *([f"… and {more} more (--json FILE holds all)"] if more > 0 else [])]
