"""PHYRE's puzzles (arXiv 1908.05656): one ball placed so that, once all is let go, A touches B."""

from monde.bets.puzzles.auccess import MAX_ATTEMPTS, auccess
from monde.bets.puzzles.simulate import Outcome, place, try_placement
from monde.bets.puzzles.tasks import Task, load_tasks, read_task, tell_task

__all__ = [
    "MAX_ATTEMPTS",
    "Outcome",
    "Task",
    "auccess",
    "load_tasks",
    "place",
    "read_task",
    "tell_task",
    "try_placement",
]
