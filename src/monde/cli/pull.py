"""`monde pull user/name`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from monde.cli.progress import Reporter
from monde.cli.push import Name
from monde.cli.verb import Outcome


@dataclass(frozen=True, kw_only=True)
class Pull:
    """Download a run from the Hugging Face Hub and verify it."""

    name: Name
    """Repository, user/name or user/name@revision."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="(default: runs/NAME)")] = None
    """Folder to make."""

    def execute(self, reporter: Reporter) -> Outcome:
        """Pull; see `monde.export.pull_run`."""
        from monde.export import pull_run
        from monde.export.repository import repository

        place = self.out or Path("runs") / repository(self.name).repository.split("/")[1]
        reporter.say(f"pulling {self.name}")
        folder = pull_run(self.name, place)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        document = {"verb": "pull", "name": self.name, "run": str(folder), "bytes": size}
        return Outcome(
            f"{folder}: {size / 2**20:.1f} MiB, every hash verified; ask it with `monde ask {folder}`", document
        )

    def kept(self) -> str:
        """The folder appears whole."""
        return "What has arrived is kept in the hub's cache; the run appears whole or not at all."
