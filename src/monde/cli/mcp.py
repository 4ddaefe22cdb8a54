"""`monde mcp RUN`."""

import sys
from dataclasses import dataclass

import tyro

from monde.cli.progress import Reporter
from monde.cli.serve import File
from monde.cli.verb import Outcome, Run
from monde.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Mcp:
    """Offer a trained run's mind to language-model agents, as tools of the Model Context Protocol."""

    run: Run
    """Run folder."""
    http: tyro.conf.FlagCreatePairsOff[bool] = False
    """Serve over streamable HTTP, at /mcp, instead of standard input and output."""
    host: str = "127.0.0.1"
    """Address to listen on; this machine only, unless told otherwise."""
    port: int = 8421
    """Port to listen on."""
    token_file: File = None
    """File that holds the token which HTTP clients must send; without it the variable MONDE_TOKEN does."""
    planner: str = "auto"
    """What searches, as of `monde plan`."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1, …"""

    def execute(self, reporter: Reporter) -> Outcome:
        """Serve until the client leaves, or until stopped; see `monde.serving.mcp`."""
        try:
            from monde.serving import ServeConfig, find_token
            from monde.serving.mcp import serve_http, serve_stdio
        except ImportError as error:
            raise UsageError("MCP needs more packages", got=error, remedy="pip install 'monde[serve]'") from error
        from monde.mind import Mind

        token = find_token(self.token_file) if self.http else ""
        config = ServeConfig(token=token, host=self.host, port=self.port) if self.http else None
        with reporter.track(f"opening {self.run}") as advance:
            mind = Mind(
                self.run,
                planner=self.planner,
                device=self.device,
                progress=lambda stage, done, wanted: advance(done, wanted, stage),
            )
        if config is None:
            serve_stdio(mind)
            sys.stdout = sys.stderr  # standard output is the protocol's
        else:
            reporter.say(f"serving {self.run} at http://{self.host}:{self.port}/mcp; Ctrl-C ends it")
            serve_http(mind, config.token, config.host, config.port)
        document = {"verb": "mcp", "run": str(self.run), "http": self.http}
        return Outcome(f"{self.run} was served", document)

    def kept(self) -> str:
        """What was learned when the run was first opened."""
        return f"What was learned of the recording is kept in {self.run}/mind; nothing else was written."
