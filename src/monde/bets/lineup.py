"""Contestants by name: floors and ceilings."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from monde.bets.files import QuestionSet
from monde.bets.foresight import ConstantVelocity, CopyLast, Simulated
from monde.bets.majority import Majority
from monde.bets.sensing import SensorReader
from monde.bets.situations import read_text
from monde.bets.solving import Guessing, Solver
from monde.bets.types import Contestant
from monde.errors import UsageError, unknown_name

UNTAUGHT: Mapping[str, Callable[[], Contestant]] = MappingProxyType(
    {
        "random": Guessing,
        "copy-last": lambda: Solver("copy-last", read_text, CopyLast()),
        "constant-velocity": lambda: Solver("constant-velocity", read_text, ConstantVelocity()),
        "text-simulator": lambda: Solver("text-simulator", read_text, Simulated()),
    }
)
"""Those that need nothing."""

TAUGHT: Mapping[str, Callable[[QuestionSet], Contestant]] = MappingProxyType(
    {
        "majority": Majority,
        "sensor-readout": lambda training: Solver(
            "sensor-readout", SensorReader(training), Simulated(), fitted_on=training.content_hash
        ),
    }
)
"""Those that are fitted on a set of the train split."""

NAMES = (*UNTAUGHT, *TAUGHT)


def contestant(name: str, training: QuestionSet | None = None) -> Contestant:
    """The contestant of this name.

    Raises:
        UsageError: There is none, or it needs a training set of the train split.
        DataError: The training set holds nothing that it can be fitted on.
    """
    if name in UNTAUGHT:
        return UNTAUGHT[name]()
    if name not in TAUGHT:
        raise unknown_name("contestant", name, list(NAMES))
    if training is None or training.split != "train":
        raise UsageError(
            f"{name} is fitted on a training set",
            got="none" if training is None else f"a set of the {training.split} split",
            remedy="build one with --split train, and give it",
        )
    return TAUGHT[name](training)
