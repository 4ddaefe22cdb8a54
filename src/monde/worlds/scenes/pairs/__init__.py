"""Minimal pairs: films of equal parts, of which some are possible and some are not."""

from monde.worlds.scenes.pairs.make import PairSet, make_pairs, possible_shots
from monde.worlds.scenes.pairs.parts import GRADES, Grade
from monde.worlds.scenes.pairs.principles import Design, Principle, principle, principles

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
