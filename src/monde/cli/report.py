"""`monde report RUN`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from monde.cli.progress import Reporter
from monde.cli.verb import Outcome, Run


@dataclass(frozen=True, kw_only=True)
class Report:
    """Write one HTML file that shows everything of a run and opens without network."""

    run: Run
    """Run folder."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="(default: RUN/report.html)")] = None
    """File to write."""

    def execute(self, reporter: Reporter) -> Outcome:
        """Write it; see `monde.report.build_report`."""
        from monde.report import build_report
        from monde.report.numbers import size_bytes

        reporter.say(f"drawing the report of {self.run}")
        path = build_report(self.run, self.out)
        size = path.stat().st_size
        text = f"{path} ({size_bytes(size)}): open it in any browser; it needs no network"
        return Outcome(text, {"verb": "report", "run": str(self.run), "report": str(path), "bytes": size})

    def kept(self) -> str:
        """The page is written whole or not at all."""
        return "No report was written; an older one is as it was."
