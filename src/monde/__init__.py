"""monde: world models from recordings of the physical world.

Importing this package does nothing but name what there is; each name loads its room on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # type checkers see the real names; at run time each is loaded on first use
    from monde.agents import record as record
    from monde.data import check_dataset as check_dataset
    from monde.data import convert as convert
    from monde.data import open_recording as open_recording
    from monde.data import read_blocks as read_blocks
    from monde.errors import MondeError as MondeError
    from monde.evaluation import score_run as score_run
    from monde.mind import Mind as Mind
    from monde.models import check_model as check_model
    from monde.models import load_model as load_model
    from monde.scorecard import Scorecard as Scorecard
    from monde.training import TrainConfig as TrainConfig
    from monde.training import train as train
    from monde.types import ActionSpec as ActionSpec
    from monde.types import Belief as Belief
    from monde.types import Clip as Clip
    from monde.types import Latents as Latents
    from monde.types import Plan as Plan
    from monde.types import Problem as Problem
    from monde.types import Rollout as Rollout
    from monde.types import Sensor as Sensor
    from monde.types import Stream as Stream
    from monde.worlds import check_env as check_env

__version__ = "0.1.0"

_ROOMS = {
    "ActionSpec": "monde.types",
    "Belief": "monde.types",
    "Clip": "monde.types",
    "Latents": "monde.types",
    "Mind": "monde.mind",
    "MondeError": "monde.errors",
    "Plan": "monde.types",
    "Problem": "monde.types",
    "Rollout": "monde.types",
    "Scorecard": "monde.scorecard",
    "Sensor": "monde.types",
    "Stream": "monde.types",
    "TrainConfig": "monde.training",
    "check_dataset": "monde.data",
    "check_env": "monde.worlds",
    "check_model": "monde.models",
    "convert": "monde.data",
    "load_model": "monde.models",
    "open_recording": "monde.data",
    "read_blocks": "monde.data",
    "record": "monde.agents",
    "score_run": "monde.evaluation",
    "train": "monde.training",
}

__all__ = ["__version__", *sorted(_ROOMS)]


def __getattr__(name: str) -> object:
    if name in _ROOMS:
        return getattr(import_module(_ROOMS[name]), name)
    raise AttributeError(f"module 'monde' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return __all__
