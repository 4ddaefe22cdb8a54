"""The command line: thin verbs over the rooms below. Nothing heavy is imported until a verb runs."""

from monde.cli.entry import main

__all__ = ["main"]
