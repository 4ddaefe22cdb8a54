"""`monde push RUN user/name`."""

from dataclasses import dataclass
from typing import Annotated

import tyro

from monde.cli.progress import Reporter
from monde.cli.verb import Outcome, Run

Name = Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="USER/NAME", help_behavior_hint="")]
"""A repository on the hub, as the verb's own argument."""


@dataclass(frozen=True, kw_only=True)
class Push:
    """Push a run to the Hugging Face Hub, with a model card written from its scorecards; log in with hf auth login."""

    run: Run
    """Run folder."""
    name: Name
    """Repository; it is made where it does not exist."""
    public: tyro.conf.FlagCreatePairsOff[bool] = False
    """Let everybody see a repository that is made."""

    def execute(self, reporter: Reporter) -> Outcome:
        """Push; see `monde.export.push_run`."""
        from monde.export import push_run

        reporter.say(f"pushing {self.run} to {self.name}")
        done = push_run(self.run, self.name, public=self.public)
        document = {
            "verb": "push",
            "run": str(self.run),
            "name": done.name,
            "commit": done.commit,
            "files": list(done.files),
            "bytes": done.bytes,
        }
        text = f"{done.name}: {len(done.files)} files, {done.bytes / 2**20:.1f} MiB, commit {done.commit[:12]}"
        return Outcome(f"{text}; get it with `monde pull {done.name}`", document)

    def kept(self) -> str:
        """A commit is made whole."""
        return "The run is as it was; a push that was stopped is not to be seen on the hub."
