"""Scores: control, prediction, ranking, probes; each beside its floors and with its interval."""

from monde.evaluation.control import ControlConfig, ControlScore, score_control
from monde.evaluation.exhibits import Exhibit, Film, Imagination, Scatter, exhibits, load_exhibit
from monde.evaluation.imagining import PredictionConfig
from monde.evaluation.latents import ClipSource, EpisodeClips
from monde.evaluation.prediction import score_prediction
from monde.evaluation.probes import ProbeScore, Target, score_probes, targets
from monde.evaluation.protocol import describe_planner, protocol_card, scorecard
from monde.evaluation.ranking import RankingConfig, score_ranking
from monde.evaluation.showing import decoder_data, films, imagination

__all__ = [
    "ClipSource",
    "ControlConfig",
    "ControlScore",
    "EpisodeClips",
    "Exhibit",
    "Film",
    "Imagination",
    "PredictionConfig",
    "ProbeScore",
    "RankingConfig",
    "Scatter",
    "Target",
    "decoder_data",
    "describe_planner",
    "exhibits",
    "films",
    "imagination",
    "load_exhibit",
    "protocol_card",
    "score_control",
    "score_prediction",
    "score_probes",
    "score_ranking",
    "scorecard",
    "targets",
]
