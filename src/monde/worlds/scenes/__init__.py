"""Films of possible physics, drawn and simulated, with the exact state behind every pixel; and pairs cut from them."""

from monde.worlds.minimal_pairs.variety import Split, Variety
from monde.worlds.scenes.config import SceneConfig
from monde.worlds.scenes.film import SceneFilm
from monde.worlds.scenes.free import free_films
from monde.worlds.scenes.hidden import HIDDEN_SECONDS, HiddenFilm, hidden_films
from monde.worlds.scenes.hidden_events import EVENTS, Event
from monde.worlds.scenes.kinds import films_of, kinds, object_slots
from monde.worlds.scenes.pairs import GRADES, Grade, PairSet, Principle, make_pairs, principle, principles
from monde.worlds.scenes.splits import VARIETIES, variety

__all__ = [
    "EVENTS",
    "GRADES",
    "HIDDEN_SECONDS",
    "VARIETIES",
    "Event",
    "Grade",
    "HiddenFilm",
    "PairSet",
    "Principle",
    "SceneConfig",
    "SceneFilm",
    "Split",
    "Variety",
    "films_of",
    "free_films",
    "hidden_films",
    "kinds",
    "make_pairs",
    "object_slots",
    "principle",
    "principles",
    "variety",
]
