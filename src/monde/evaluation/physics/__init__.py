"""What intuitive physics a model knows: surprise, pairs scored by it, shortcuts that must not do, one's own films."""

from monde.evaluation.physics.edits import Region, background, freeze, recolour, reverse, splice, teleport, vanish
from monde.evaluation.physics.floors import PixelPredictor, copy_last, fit_pixels
from monde.evaluation.physics.scoring import FilmScorer, PairsConfig, score_pairs
from monde.evaluation.physics.shortcuts import Features, ShortcutScore, features, pairwise, shortcut_scores
from monde.evaluation.physics.surprise import Surprise, SurpriseConfig, surprise

__all__ = [
    "Features",
    "FilmScorer",
    "PairsConfig",
    "PixelPredictor",
    "Region",
    "ShortcutScore",
    "Surprise",
    "SurpriseConfig",
    "background",
    "copy_last",
    "features",
    "fit_pixels",
    "freeze",
    "pairwise",
    "recolour",
    "reverse",
    "score_pairs",
    "shortcut_scores",
    "splice",
    "surprise",
    "teleport",
    "vanish",
]
