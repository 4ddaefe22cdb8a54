"""Films of possible physics in space, simulated and drawn by MuJoCo, with depth, segmentation and exact state."""

from monde.worlds.scenes3d.config import SceneConfig3D
from monde.worlds.scenes3d.film import SceneFilm3D
from monde.worlds.scenes3d.free import free_films
from monde.worlds.scenes3d.kinds import films_of
from monde.worlds.scenes3d.pairs import make_pairs
from monde.worlds.scenes3d.splits import VARIETIES, variety

__all__ = ["VARIETIES", "SceneConfig3D", "SceneFilm3D", "films_of", "free_films", "make_pairs", "variety"]
