"""`monde bets build|run|report`."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from tyro.conf import subcommand

from monde.cli.progress import Reporter
from monde.cli.verb import Outcome
from monde.errors import UsageError

if TYPE_CHECKING:
    from monde.bets.files import QuestionSet
    from monde.bets.types import Contestant

Folder = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="SET", help_behavior_hint="")]
"""Folder of a set of questions."""

Played = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN", help_behavior_hint="")]
"""Folder of a run of bets."""

Names = Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME ...", help_behavior_hint="(default: all)")]
Optional = Annotated[Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="")]


@dataclass(frozen=True, kw_only=True)
class Build:
    """Build a set of questions on small physical worlds, answers taken from what really happened."""

    out: Folder
    """Folder to write."""
    n: Annotated[int, tyro.conf.arg(metavar="N")] = 100
    """Questions of each family and grade."""
    seed: int = 0
    """Equal seeds give equal questions."""
    families: Names = ()
    """what-happens-next, where-will-it-be, possible-or-not, what-if, why, which-goal, how-to-get-there,
    spatial-relations, hidden-things, puzzles; stepgame, planbench and bbh, which are text alone."""
    grades: Names = ()
    """easy, middle, hard."""
    split: Literal["test", "train"] = "test"
    """train: to fit floors and ceilings on."""
    standard: tyro.conf.FlagCreatePairsOff[bool] = False
    """Build bets-v1, whatever else is given: the standard bench, of fixed seed and size."""
    shared: Optional = None
    """Folder of puzzles and text tasks; by default what MONDE_SHARED_DATA names."""

    def execute(self, reporter: Reporter) -> Outcome:
        """Build; see `monde.bets.questions.build.build_set`."""
        from monde.bets.leaderboard import build_standard
        from monde.bets.questions.build import build_set

        with reporter.count(f"building {self.out}", "questions") as progress:
            made = (
                build_standard(self.out, self.shared, progress)
                if self.standard
                else build_set(
                    self.out,
                    name=self.out.name or "bets",
                    n=self.n,
                    seed=self.seed,
                    families=self.families,
                    grades=self.grades,
                    split=self.split,
                    shared=self.shared,
                    progress=progress,
                )
            )
        families = ", ".join(made.families)
        text = f"{self.out}: {len(made)} questions of {families} (content {made.content_hash[:12]})"
        document = {"verb": "bets build", "set": str(self.out), "questions": len(made), "content": made.content_hash}
        return Outcome(text, document)

    def kept(self) -> str:
        """A set is written whole or not at all."""
        return "No set was written."


@dataclass(frozen=True, kw_only=True)
class Run:
    """Ask contestants a set of questions; what was asked before is not asked again."""

    set: Folder
    """Set of questions."""
    out: Annotated[Path, tyro.conf.arg(metavar="DIR")] = Path("runs/bets")
    """Folder of the run; it can be resumed."""
    contestants: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME ...")] = (
        "random",
        "copy-last",
        "constant-velocity",
        "text-simulator",
    )
    """random, copy-last, constant-velocity, text-simulator; majority and sensor-readout, which need --training."""
    training: Optional = None
    """Set of the train split: majority and sensor-readout are fitted on it, and few-shot shows from it."""
    url: str = ""
    """Base URL of an OpenAI-compatible server, up to /v1: a language model takes part too."""
    model: str = ""
    """Model on that server."""
    style: Literal["zero-shot", "few-shot", "chain-of-thought", "with-world-model"] = "zero-shot"
    """How it is asked; with-world-model: it may ask sensor-readout, the state of things read off the sensors."""
    images: tyro.conf.FlagCreatePairsOff[bool] = False
    """Send pictures too."""
    key_variable: str = "OPENAI_API_KEY"
    """Environment variable that holds the key; empty for none."""
    local: Optional = None
    """Folder of a causal language model, through transformers."""
    usd: float = 1.0
    """Most US dollars for each contestant, over all resumptions."""
    tokens: int = 2_000_000
    """Most tokens for each."""
    minutes: float = 60.0
    """Most minutes for each."""
    usd_in: float = 0.0
    """Price of a million tokens read."""
    usd_out: float = 0.0
    """Price of a million tokens written."""
    max_tokens: int = 1024
    """Most tokens of a reply."""
    timeout: float = 60.0
    """Seconds that a request may take."""
    per_minute: float = 600.0
    """Most requests a minute."""

    def execute(self, reporter: Reporter) -> Outcome:
        """Ask; see `monde.bets.running.run_bets`."""
        from monde.bets.files import open_set
        from monde.bets.running import Budget, run_bets

        questions = open_set(self.set)
        training = None if self.training is None else open_set(self.training)
        budget = Budget(usd=self.usd, tokens=self.tokens, minutes=self.minutes)
        lines, told = [], []
        for contestant in self._contestants(training):
            with reporter.count(f"asking {contestant.name}", "questions") as progress:
                summary = run_bets(questions, contestant, self.out, budget, progress)
            left = f", {summary.left} left out: the budget is spent" if summary.left else ""
            lines.append(
                f"{summary.name}: {summary.answered} of {len(questions)} answered, {summary.new} of them now{left}; "
                f"{summary.spent.usd:.4f} USD, {summary.spent.tokens:,} tokens, {summary.spent.seconds:.0f} s"
            )
            told.append({"name": summary.name, "answered": summary.answered, "new": summary.new, "left": summary.left})
        return Outcome("\n".join(lines), {"verb": "bets run", "run": str(self.out), "contestants": told})

    def kept(self) -> str:
        """Every answer is written as it comes."""
        return f"Every answer so far is kept in {self.out}; the same command goes on."

    def _contestants(self, training: "QuestionSet | None") -> "list[Contestant]":
        from monde.bets.lineup import contestant

        chosen = [contestant(name, training) for name in self.contestants]
        if bool(self.url) != bool(self.model):
            raise UsageError("a language model needs --url and --model", got=f"url {self.url!r}, model {self.model!r}")
        if self.url:
            chosen.append(self._language_model(training))
        if self.local is not None:
            from monde.bets.language.local import LocalModel

            chosen.append(LocalModel(self.local))
        return chosen

    def _language_model(self, training: "QuestionSet | None") -> "Contestant":
        from monde.bets.language import Endpoint, LanguageModel
        from monde.bets.lineup import contestant

        endpoint = Endpoint(
            url=self.url,
            model=self.model,
            key_variable=self.key_variable,
            timeout_seconds=self.timeout,
            per_minute=self.per_minute,
            max_tokens=self.max_tokens,
            usd_per_million_in=self.usd_in,
            usd_per_million_out=self.usd_out,
        )
        shots = []
        if self.style == "few-shot" and training is not None:
            truths = training.truths()
            seen: dict[str, int] = {}
            for question in training.questions(sensors=False):
                seen[question.family] = seen.get(question.family, 0) + 1
                if seen[question.family] <= 3:
                    shots.append((question, truths[question.id]))
        tool = contestant("sensor-readout", training) if self.style == "with-world-model" else None
        return LanguageModel(endpoint, self.style, images=self.images, shots=shots, tool=tool)


@dataclass(frozen=True, kw_only=True)
class Report:
    """Judge a run offline: scorecard, leaderboard, and one page that anyone can read."""

    run: Played
    """Folder of the run."""
    questions: Annotated[Path, tyro.conf.arg(metavar="SET")]
    """Set that it was run on."""

    def execute(self, reporter: Reporter) -> Outcome:
        """Judge, and write bets.json, leaderboard.json and report.html into the run."""
        from monde.bets.files import open_set
        from monde.bets.leaderboard import leaderboard
        from monde.bets.running import contestants_of, marks_of
        from monde.bets.verdict import verdict
        from monde.report.bets import build_bets_report
        from monde.store import write_json

        questions = open_set(self.questions)
        reporter.say(f"judging {self.run}")
        marks = marks_of(self.run, questions)
        card = verdict(questions, marks)
        write_json(self.run / "bets.json", card.to_json())
        board = leaderboard(questions, marks, contestants_of(self.run))
        write_json(self.run / "leaderboard.json", board)
        page = build_bets_report(self.run, questions, marks, card)
        entries = board["entries"]
        lines = [
            f"{entry['mean']:.3f}  {entry['contestant']}" for entry in (entries if isinstance(entries, list) else [])
        ]
        text = "\n".join([*lines, f"{page}: open it in any browser; it needs no network"])
        return Outcome(text, card.to_json())

    def kept(self) -> str:
        """Files are written whole."""
        return "What was not finished is as it was."


@dataclass(frozen=True, kw_only=True)
class Bets:
    """The world model and language models on the same physical questions: build, run, report."""

    step: (
        Annotated[Build, subcommand("build", prefix_name=False)]
        | Annotated[Run, subcommand("run", prefix_name=False)]
        | Annotated[Report, subcommand("report", prefix_name=False)]
    )

    def execute(self, reporter: Reporter) -> Outcome:
        """Do the step."""
        return self.step.execute(reporter)

    def kept(self) -> str:
        """As the step tells."""
        return self.step.kept()
