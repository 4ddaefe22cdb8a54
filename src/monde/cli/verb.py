"""What every verb is: arguments that can be run, an outcome for people and machines, words for when it is stopped."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Protocol

import tyro

from monde.cli.progress import Reporter

DONE, FAILED, REFUSED, INTERRUPTED = 0, 1, 2, 130
"""Exit statuses: done; the answer is no (a check that found errors), or an error that nobody foresaw; refused, with the
reason on standard error; stopped by a signal."""

Run = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN", help_behavior_hint="")]
"""A run folder, as the verb's own argument."""

Data = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DATA", help_behavior_hint="")]
"""Folder of a recording, as the verb's own argument."""


Rate = Annotated[float | None, tyro.conf.arg(metavar="HZ", help_behavior_hint="(default: as declared)")]
"""Frames per second of a recording that does not store it, as a flag."""


@dataclass(frozen=True)
class Outcome:
    """What a verb found or did.

    Args:
        text: For people, on standard output.
        document: For machines, as `--json` writes it.
        status: Exit status of the process.
    """

    text: str
    document: Mapping[str, object]
    status: int = DONE


class Verb(Protocol):
    """The arguments of one verb. Its docstring is the verb's help."""

    def execute(self, reporter: Reporter) -> Outcome:
        """Do it; heavy rooms are imported in here."""
        ...

    def kept(self) -> str:
        """One sentence for someone who pressed Ctrl-C: what is kept, and how to go on."""
        ...
