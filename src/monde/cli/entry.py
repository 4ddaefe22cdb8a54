"""`main`: words in, verb chosen, outcome written, errors told."""

import os
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import get_terminal_size
from typing import Annotated

import tyro
from tyro.conf import subcommand

import monde
from monde.cli.actor import Actor
from monde.cli.adapt import Adapt
from monde.cli.ask import Ask
from monde.cli.bets import Bets
from monde.cli.check import Check
from monde.cli.convert import Convert
from monde.cli.demo import Demo
from monde.cli.export import Export
from monde.cli.far import Far
from monde.cli.mcp import Mcp
from monde.cli.physics import Physics
from monde.cli.plan import Plan
from monde.cli.progress import Reporter
from monde.cli.pull import Pull
from monde.cli.push import Push
from monde.cli.record import Record
from monde.cli.refine import Refine
from monde.cli.report import Report
from monde.cli.score import Score
from monde.cli.serve import Serve
from monde.cli.surprise import Surprise
from monde.cli.train import Train
from monde.cli.trust import Trust
from monde.cli.verb import DONE, INTERRUPTED, REFUSED, Outcome
from monde.cli.view import View
from monde.errors import MondeError, UsageError

AnyVerb = (
    Annotated[Record, subcommand("record", prefix_name=False)]
    | Annotated[Convert, subcommand("convert", prefix_name=False)]
    | Annotated[Check, subcommand("check", prefix_name=False)]
    | Annotated[Train, subcommand("train", prefix_name=False)]
    | Annotated[Refine, subcommand("refine", prefix_name=False)]
    | Annotated[Actor, subcommand("actor", prefix_name=False)]
    | Annotated[Far, subcommand("far", prefix_name=False)]
    | Annotated[Trust, subcommand("trust", prefix_name=False)]
    | Annotated[Adapt, subcommand("adapt", prefix_name=False)]
    | Annotated[Plan, subcommand("plan", prefix_name=False)]
    | Annotated[Serve, subcommand("serve", prefix_name=False)]
    | Annotated[Mcp, subcommand("mcp", prefix_name=False)]
    | Annotated[Score, subcommand("score", prefix_name=False)]
    | Annotated[Physics, subcommand("physics", prefix_name=False)]
    | Annotated[Surprise, subcommand("surprise", prefix_name=False)]
    | Annotated[Ask, subcommand("ask", prefix_name=False)]
    | Annotated[Report, subcommand("report", prefix_name=False)]
    | Annotated[View, subcommand("view", prefix_name=False)]
    | Annotated[Export, subcommand("export", prefix_name=False)]
    | Annotated[Push, subcommand("push", prefix_name=False)]
    | Annotated[Pull, subcommand("pull", prefix_name=False)]
    | Annotated[Bets, subcommand("bets", prefix_name=False)]
    | Annotated[Demo, subcommand("demo", prefix_name=False)]
)


@dataclass(frozen=True, kw_only=True)
class Command:
    """World models from recordings of the physical world: record, train, plan, score, look."""

    verb: AnyVerb
    json: Annotated[Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="")] = None
    """Write the result as JSON to this file; - writes it to standard output."""
    quiet: tyro.conf.FlagCreatePairsOff[bool] = False
    """Say nothing but errors."""


CONFIG = (tyro.conf.OmitArgPrefixes, tyro.conf.CascadeSubcommandArgs)
"""How the command line is made of `Command`: no prefixes, and common flags before or after the verb."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line.

    Args:
        arguments: Its words without the program's name; by default those of the process.

    Returns:
        The exit status, one of those in `monde.cli.verb`. Errors that nobody foresaw are raised, and a command line
        that cannot be read ends in SystemExit(2).
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words == ["--version"]:
        print(f"monde {monde.__version__}")
        return DONE
    command = tyro.cli(Command, prog="monde", args=words or ["--help"], config=CONFIG)
    try:
        _check_target(command.json)
        outcome = command.verb.execute(Reporter(quiet=command.quiet))
        _tell(outcome, command)
        return outcome.status
    except MondeError as error:
        print(block(error, get_terminal_size().columns), file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        print(f"\nmonde: stopped. {command.verb.kept()}", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has heard enough; Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE


def block(error: MondeError, columns: int = 100) -> str:
    """An error as one readable block: what was wrong, then what was got, what was expected, and the remedy."""
    parts = (("got", error.got), ("expected", error.expected), ("remedy", error.remedy))
    lines = [f"monde: {error.what.rstrip('.')}"]
    lines += [f"  {name + ':':<10}{text}" for name, text in parts if text is not None]
    width = max(40, min(columns, 120))
    wrapped = (
        textwrap.wrap(
            line,
            width,
            subsequent_indent=" " * (7 if index == 0 else 12),
            break_long_words=False,
            break_on_hyphens=False,
        )
        for index, line in enumerate(lines)
    )
    return "\n".join(line for lines in wrapped for line in lines)


def _tell(outcome: Outcome, command: Command) -> None:
    to_stdout = command.json == Path("-")
    if not command.quiet:
        # Standard output holds nothing but the document when the document goes there.
        print(outcome.text, file=sys.stderr if to_stdout else sys.stdout, flush=True)
    if to_stdout:
        import json

        print(json.dumps(outcome.document, indent=2, allow_nan=False, ensure_ascii=False), flush=True)
    elif command.json is not None:
        from monde.store import write_json

        write_json(command.json, outcome.document)


def _check_target(path: Path | None) -> None:
    """Refuse a result file that cannot be written before the work that leads to it is done."""
    if path is None or path == Path("-"):
        return
    if path.is_dir():
        raise UsageError(f"--json {path} is a folder", remedy="give the name of a file")
    folder = path.absolute().parent
    while not folder.exists():
        folder = folder.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise UsageError(
            f"--json {path} cannot be written", got=f"{folder} is not writable", remedy="choose another folder"
        )
