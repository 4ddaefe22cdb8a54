"""`monde serve RUN`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from monde.cli.progress import Reporter
from monde.cli.verb import Outcome, Run
from monde.errors import UsageError

File = Annotated[Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="")]
Seconds = Annotated[float | None, tyro.conf.arg(metavar="SECONDS", help_behavior_hint="")]


@dataclass(frozen=True, kw_only=True)
class Serve:
    """Serve a trained run over the network: control sessions for robots, and its mind's verbs."""

    run: Run
    """Run folder."""
    host: str = "127.0.0.1"
    """Address to listen on; this machine only, unless told otherwise."""
    port: int = 8420
    """Port to listen on; 0 takes a free one."""
    token_file: File = None
    """File that holds the token which clients must send; without it the variable MONDE_TOKEN does."""
    planner: str = "auto"
    """What searches, as of `monde plan`."""
    deadline: Seconds = None
    """Time for one answer where a client does not say (default: one control step); later, the safe action is it."""
    stale: Seconds = None
    """Age from which on an observation is not acted on (default: one action block)."""
    sessions: int = 16
    """Robots served at once."""
    safe: Annotated[
        str | None, tyro.conf.arg(metavar="NUMBERS", help_behavior_hint="(default: the action at rest)")
    ] = None
    """The control step to answer with when there is no plan: one number for each component, with commas."""
    abstain: tyro.conf.FlagCreatePairsOff[bool] = False
    """Answer with the safe action where the goal cannot be reached, as `monde trust` learned to tell."""
    certificate: File = None
    """TLS certificate; with --key, the server speaks https and wss."""
    key: File = None
    """Key of the certificate."""
    seed: int = 0
    """Seed of the planner's noise."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1, …"""

    def execute(self, reporter: Reporter) -> Outcome:
        """Serve until stopped; see `monde.serving`."""
        try:
            from monde.serving import ServeConfig, find_token, open_desk, serve
        except ImportError as error:
            raise UsageError("serving needs more packages", got=error, remedy="pip install 'monde[serve]'") from error
        config = ServeConfig(
            token=find_token(self.token_file),
            host=self.host,
            port=self.port,
            deadline_seconds=self.deadline,
            stale_seconds=self.stale,
            sessions=self.sessions,
            safe=numbers(self.safe),
            abstain=self.abstain,
            seed=self.seed,
            certificate=self.certificate,
            key=self.key,
        )
        with reporter.track(f"opening {self.run}") as advance:
            desk = open_desk(
                self.run, config, self.planner, self.device, lambda stage, done, wanted: advance(done, wanted, stage)
            )
        reporter.say(f"loaded {self.run}: {', '.join(sensor.name for sensor in desk.pilot.model.sensors)} in")
        served = serve(desk, lambda url: reporter.say(f"serving {self.run} at {url}; Ctrl-C ends it"))
        document = {"verb": "serve", "run": str(self.run), "url": served.url, "answers": served.answers}
        return Outcome(f"{self.run} was served at {served.url}: {served.answers:,} answers", document)

    def kept(self) -> str:
        """What was learned when the run was first opened."""
        return f"What was learned of the recording is kept in {self.run}/mind; nothing else was written."


def numbers(text: str | None) -> tuple[float, ...] | None:
    """Numbers with commas between them.

    Raises:
        UsageError: Something else.
    """
    if text is None:
        return None
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise UsageError("--safe is unreadable", got=text, expected="numbers with commas: 0,0") from error
