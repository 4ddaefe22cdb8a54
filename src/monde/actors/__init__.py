"""The fast path: an actor that proposes action blocks without search."""

from monde.actors.actor import Actor, ActorConfig
from monde.actors.propose import proposal

__all__ = ["Actor", "ActorConfig", "proposal"]
