"""`monde ask RUN VERB`."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from monde.cli.progress import Reporter, stages
from monde.cli.verb import Outcome, Run

if TYPE_CHECKING:
    from monde.mind import Answer, Mind, Request

Question = Literal["perceive", "imagine", "compare", "plan", "surprise", "explain", "goal_of", "state"]
Words = Annotated[tuple[str, ...], tyro.conf.arg(metavar="TEXT ...", help_behavior_hint="")]
Word = Annotated[str | None, tyro.conf.arg(metavar="TEXT", help_behavior_hint="")]
File = Annotated[Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="")]


@dataclass(frozen=True, kw_only=True)
class Ask:
    """Ask a trained model: what if, which is better, how, what was unexpected, why, what for, and what is there.

    perceive (--see), state (--see or --belief), imagine (and --do), compare (and --do --goal), plan (and --goal),
    surprise (--see FIRST-LAST), explain (--see --do --instead --goal), goal_of (--see FIRST-LAST --goal ...).
    """

    run: Run
    """Run folder."""
    question: Annotated[Question, tyro.conf.Positional, tyro.conf.arg(help_behavior_hint="")]
    """What is asked."""
    see: Word = None
    """What the sensors show: EPISODE:FRAME of the run's recording, EPISODE:FIRST-LAST for a stretch of it, or a
    picture's path."""
    belief: File = None
    """A belief that an earlier answer holds (its --json), in place of --see; a future's, after imagine."""
    do: Words = ()
    """Courses of action, NAME=STEP*TIMES+STEP*TIMES: right=1,0*20+0,1*10, wait*5; or as recorded, NAME=3:40-60."""
    instead: Word = None
    """explain: the course that --do is compared with; nothing is done otherwise."""
    instead_see: Word = None
    """explain: what was seen in the case that --see is compared with."""
    goal: Words = ()
    """What is wanted: EPISODE:FRAME, a picture's path, a target of a readout (state=40,20±3) or bounds (state.x>40)."""
    keep_out: Words = ()
    """compare and plan: balls that a readout must stay out of, state=32,10:5."""
    within: Words = ()
    """compare and plan: ranges that a readout must stay in, state=5,-:60,- (- for no bound)."""
    part: tuple[Literal["action", "sensor", "region"], ...] = ("action",)
    """explain: what is asked about."""
    moment: Literal["end", "soonest"] = "end"
    """compare: judge courses by where they end, or by the soonest that they come to the goal."""
    hypotheses: int = 1
    """imagine and compare: futures of each course, as the members of the model differ."""
    readouts: Words = ("*",)
    """What is read along the way; by default all that the run can read."""
    blocks: int = 20
    """plan: most action blocks."""
    deadline: Annotated[float | None, tyro.conf.arg(metavar="F", help_behavior_hint="")] = None
    """plan: seconds for the answer."""
    pictures: Annotated[Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="")] = None
    """Folder to draw what is imagined to, PNG."""
    request: File = None
    """The whole request as JSON, in place of all else."""
    planner: str = "auto"
    """What searches; see `monde plan`."""
    cost: Literal["auto", "latent", "time"] = "auto"
    """What it minimises."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1, …"""

    def execute(self, reporter: Reporter) -> Outcome:
        """Ask; see `monde.mind`."""
        from monde.cli.ask_words import drawn, words
        from monde.mind import Mind
        from monde.store.typed import to_json

        if self.request is None:
            from monde.cli.ask_requests import check_words

            check_words(self)
        with stages(reporter, f"looking through the recording of {self.run}") as progress:
            mind = Mind(self.run, planner=self.planner, cost=self.cost, device=self.device, progress=progress)
        request = self._request(mind)
        answer: Answer = mind.ask(request)
        pictures = drawn(answer, self.pictures) if self.pictures is not None else []
        document = {
            "verb": "ask",
            "run": str(self.run),
            "question": self.question,
            "answer": to_json(answer),
            "pictures": list(map(str, pictures)),
        }
        return Outcome("\n".join([*words(answer), *map(str, pictures)]), document)

    def _request(self, mind: "Mind") -> "Request":
        from monde.mind import VERBS
        from monde.store import read_json
        from monde.store.typed import from_json

        if self.request is not None:
            cls = VERBS[self.question][0]
            return from_json(cls, read_json(self.request), str(self.request))
        from monde.cli.ask_requests import asked

        return asked(self, mind)

    def kept(self) -> str:
        """What a run learns when it is first asked is written whole."""
        return "Asking changes nothing but what the run learns when it is first asked, and that is written whole."
