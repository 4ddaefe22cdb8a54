"""The fast path: an actor that proposes action blocks without search."""

from monde.actors.actor import Actor, ActorConfig
from monde.actors.foresight import Foresight, ForesightConfig, foresee
from monde.actors.propose import proposal

__all__ = ["Actor", "ActorConfig", "Foresight", "ForesightConfig", "foresee", "proposal"]
