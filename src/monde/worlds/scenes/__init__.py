"""Films of possible physics, drawn and simulated, with the exact state behind every pixel."""

from monde.worlds.scenes.config import SceneConfig
from monde.worlds.scenes.film import SceneFilm
from monde.worlds.scenes.free import free_films
from monde.worlds.scenes.splits import VARIETIES, Split, Variety, variety

__all__ = ["VARIETIES", "SceneConfig", "SceneFilm", "Split", "Variety", "free_films", "variety"]
