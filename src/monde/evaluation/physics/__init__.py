"""What intuitive physics a model knows: shortcuts that must not do, and pairs made of films of one's own."""

from monde.evaluation.physics.edits import Region, background, freeze, recolour, reverse, splice, teleport, vanish
from monde.evaluation.physics.shortcuts import Features, ShortcutScore, features, pairwise, shortcut_scores

__all__ = [
    "Features",
    "Region",
    "ShortcutScore",
    "background",
    "features",
    "freeze",
    "pairwise",
    "recolour",
    "reverse",
    "shortcut_scores",
    "splice",
    "teleport",
    "vanish",
]
