"""`monde bets build|teach|curves|run|report`."""

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
class Teach:
    """Teach the four corners, {sensors, exact state} × {latent prediction, token prediction}, with equal episodes,
    compute and tuning."""

    out: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DIR", help_behavior_hint="")]
    """Folder of the episodes and the corners; what is there is not made again."""
    corners: Names = ()
    """sensors-latent, state-latent, sensors-tokens, state-tokens."""
    films: int = 4000
    """Films recorded that nobody acts in."""
    walks: int = 2000
    """Episodes of acting recorded."""
    flops: Annotated[float, tyro.conf.arg(metavar="FLOPS")] = 4e13
    """Floating-point operations of the training of each."""
    validation: Optional = None
    """Set of the train split: each corner's learning rate is tuned on it; without it the usual one is taken."""
    seed: int = 0
    """Of episodes, weights and batches."""

    def execute(self, reporter: Reporter) -> Outcome:
        """Record and teach; see `monde.bets.corners`."""
        from monde.bets.corners.episodes import EPISODES, record_episodes
        from monde.bets.corners.four import teach_all
        from monde.bets.corners.lessons import Lesson
        from monde.bets.files import open_set

        validation = None if self.validation is None else open_set(self.validation)
        with reporter.count("recording", "episodes") as counted:
            where = self.out / EPISODES
            episodes = record_episodes(where, films=self.films, walks=self.walks, seed=self.seed, progress=counted)
        taught = teach_all(
            self.out,
            episodes,
            Lesson(flops=self.flops, seed=self.seed),
            self.corners,
            validation,
            lambda name, what: reporter.say(f"{name}: {what}"),
        )
        lines, told = [], []
        for name, one in taught.items():
            rate = one.lesson.rate
            lines.append(f"{name}: {one.total:.3g} FLOPs, {one.cpu_seconds:.0f} s of processor time, rate × {rate:g}")
            told.append({"corner": name, "flops": one.total, "seconds": one.cpu_seconds, "rate": rate})
        return Outcome("\n".join(lines), {"verb": "bets teach", "folder": str(self.out), "corners": told})

    def kept(self) -> str:
        """Corners appear one after another."""
        return f"Episodes and corners that are finished are kept in {self.out}; the same command goes on."


@dataclass(frozen=True, kw_only=True)
class Curves:
    """Learning curves of corners that were taught: against compute and against episodes."""

    out: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DIR", help_behavior_hint="")]
    """Folder of `monde bets teach`; further teachings are kept in its folder "curves"."""
    questions: Annotated[Path, tyro.conf.arg(metavar="SET")]
    """Set that every point is asked, in easy and middle grades."""

    def execute(self, reporter: Reporter) -> Outcome:
        """Teach and ask; see `monde.bets.corners.curves`."""
        from monde.bets.corners.curves import curves_card
        from monde.bets.files import open_set
        from monde.store import write_json

        card = curves_card(self.out, open_set(self.questions), reporter.say)
        write_json(self.out / "bets_curves.json", card.to_json())
        return Outcome(str(card), card.to_json())

    def kept(self) -> str:
        """Points appear one after another."""
        return f"Points that are finished are kept in {self.out}; the same command goes on."


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
    corners: Optional = None
    """Folder of `monde bets teach`: the corners in it take part too."""
    training: Optional = None
    """Set of the train split: majority and sensor-readout are fitted on it, and few-shot shows from it."""
    url: str = ""
    """Base URL of an OpenAI-compatible server, up to /v1: a language model takes part too."""
    model: str = ""
    """Model on that server."""
    style: Literal["zero-shot", "few-shot", "chain-of-thought", "with-world-model"] = "zero-shot"
    """How it is asked; with-world-model: it may ask the world model of --corners (sensors-latent); where there is none
    sensor-readout, the state of things read off the sensors."""
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
        if self.corners is not None:
            from monde.bets.corners.four import open_corners

            chosen += open_corners(self.corners)
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
        if self.style == "few-shot":
            if training is None or training.split != "train":
                raise UsageError(
                    "what few-shot shows is of the train split",
                    got="no --training" if training is None else f"a set of the {training.split} split",
                    remedy="build one with --split train, and give it as --training",
                )
            truths = training.truths()
            seen: dict[str, int] = {}
            for question in training.questions(sensors=False):
                seen[question.family] = seen.get(question.family, 0) + 1
                if seen[question.family] <= 3:
                    shots.append((question, truths[question.id]))
        tool = None
        if self.style == "with-world-model":
            from monde.bets.corners.four import WORLD_MODEL, open_corner

            tool = (
                contestant("sensor-readout", training)
                if self.corners is None
                else open_corner(WORLD_MODEL, self.corners / WORLD_MODEL)
            )
        return LanguageModel(endpoint, self.style, images=self.images, shots=shots, tool=tool)


@dataclass(frozen=True, kw_only=True)
class Report:
    """Judge a run offline: scorecard, leaderboard, and one page that anyone can read."""

    run: Played
    """Folder of the run."""
    questions: Annotated[Path, tyro.conf.arg(metavar="SET")]
    """Set that it was run on."""
    curves: Optional = None
    """Result file of `monde bets curves`, to be shown on the page."""

    def execute(self, reporter: Reporter) -> Outcome:
        """Judge, and write bets.json, leaderboard.json and report.html into the run."""
        from monde.bets.files import open_set
        from monde.bets.leaderboard import leaderboard
        from monde.bets.running import contestants_of, marks_of
        from monde.bets.verdict import verdict
        from monde.report.bets import build_bets_report
        from monde.scorecard import Scorecard
        from monde.store import read_json, write_json

        questions = open_set(self.questions)
        reporter.say(f"judging {self.run}")
        marks = marks_of(self.run, questions)
        card = verdict(questions, marks)
        write_json(self.run / "bets.json", card.to_json())
        board = leaderboard(questions, marks, contestants_of(self.run))
        write_json(self.run / "leaderboard.json", board)
        curves = None if self.curves is None else Scorecard.from_json(read_json(self.curves))
        page = build_bets_report(self.run, questions, marks, card, curves)
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
    """The world model and language models on the same physical questions: build, teach, run, report."""

    step: (
        Annotated[Build, subcommand("build", prefix_name=False)]
        | Annotated[Teach, subcommand("teach", prefix_name=False)]
        | Annotated[Curves, subcommand("curves", prefix_name=False)]
        | Annotated[Run, subcommand("run", prefix_name=False)]
        | Annotated[Report, subcommand("report", prefix_name=False)]
    )

    def execute(self, reporter: Reporter) -> Outcome:
        """Do the step."""
        return self.step.execute(reporter)

    def kept(self) -> str:
        """As the step tells."""
        return self.step.kept()
