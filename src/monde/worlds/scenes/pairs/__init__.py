"""Minimal pairs: films of equal parts, of which some are possible and some are not."""

from monde.worlds.minimal_pairs import GRADES, Design, Grade, Principle, principle, principles
from monde.worlds.scenes.pairs.make import PairSet, make_pairs, possible_shots

__all__ = [
    "GRADES",
    "Design",
    "Grade",
    "PairSet",
    "Principle",
    "make_pairs",
    "possible_shots",
    "principle",
    "principles",
]
