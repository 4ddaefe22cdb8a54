"""`monde view RECORDING|RUN`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from monde.cli.progress import Reporter
from monde.cli.verb import Outcome

Seen = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RECORDING|RUN", help_behavior_hint="")]


@dataclass(frozen=True, kw_only=True)
class View:
    """Write an episode as a file for Rerun's viewer: cameras, depth, points, scans, trajectories; of a run, what its
    model imagines and plans besides."""

    source: Seen
    """Folder or file of a recording, or a run folder."""
    out: Annotated[Path, tyro.conf.arg(metavar="FILE.rrd", help_behavior_hint="(default: view.rrd)")] = Path("view.rrd")
    """File to write; open it with `rerun FILE.rrd` or at rerun.io/viewer."""
    episode: Annotated[int | None, tyro.conf.arg(metavar="INT", help_behavior_hint="(default: the first)")] = None
    """Which episode; of a run the first held out by default."""
    steps: Annotated[int | None, tyro.conf.arg(metavar="INT", help_behavior_hint="(default: all)")] = None
    """Steps to show."""

    def execute(self, reporter: Reporter) -> Outcome:
        """Write it; see `monde.report.view.build_view`."""
        from monde.report.numbers import size_bytes
        from monde.report.view import build_view

        with reporter.count(f"viewing {self.source}", "steps") as progress:
            summary = build_view(self.source, self.out, episode=self.episode, steps=self.steps, progress=progress)
        size = summary.out.stat().st_size
        told = f", {summary.futures} imagined and planned futures" if summary.futures else ""
        text = f"{summary.out} ({size_bytes(size)}): {summary.steps} steps of episode {summary.episode}{told}"
        document = {
            "verb": "view",
            "source": str(self.source),
            "view": str(summary.out),
            "bytes": size,
            "episode": summary.episode,
            "steps": summary.steps,
            "futures": summary.futures,
        }
        return Outcome(text, document)

    def kept(self) -> str:
        """The file is written whole or not at all."""
        return "No view was written; an older one is as it was."
