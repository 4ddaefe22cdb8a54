"""What intuitive physics a model knows: surprise, pairs scored by it, shortcuts that must not do, one's own films."""

from monde.evaluation.physics.edits import Region, background, freeze, recolour, reverse, splice, teleport, vanish
from monde.evaluation.physics.field_sets import FieldSetScore, score_field_set
from monde.evaluation.physics.film import FilmSurprise, surprise_of_film
from monde.evaluation.physics.floors import PixelPredictor, copy_last, fit_pixels
from monde.evaluation.physics.footage import Footage, read_footage
from monde.evaluation.physics.hidden_run import HiddenFilmsConfig, score_hidden_run, untrained_twin
from monde.evaluation.physics.run import physics_config, score_physics
from monde.evaluation.physics.scoring import FilmScorer, PairsConfig, score_pairs
from monde.evaluation.physics.shortcuts import Features, ShortcutScore, features, pairwise, shortcut_scores
from monde.evaluation.physics.surprise import Surprise, SurpriseConfig, judging, surprise

__all__ = [
    "Features",
    "FieldSetScore",
    "FilmScorer",
    "FilmSurprise",
    "Footage",
    "HiddenFilmsConfig",
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
    "judging",
    "pairwise",
    "physics_config",
    "read_footage",
    "recolour",
    "reverse",
    "score_field_set",
    "score_hidden_run",
    "score_pairs",
    "score_physics",
    "shortcut_scores",
    "splice",
    "surprise",
    "surprise_of_film",
    "teleport",
    "untrained_twin",
    "vanish",
]
