"""Scores: control, prediction, ranking, probes; each beside its floors and with its interval."""

from monde.evaluation.control import ControlConfig, ControlScore, score_control
from monde.evaluation.exhibits import Exhibit, Film, Imagination, Scatter, exhibits, load_exhibit
from monde.evaluation.imagining import PredictionConfig
from monde.evaluation.latents import ClipSource, EpisodeClips
from monde.evaluation.plan_config import PlanConfig
from monde.evaluation.plannable_range import RangeConfig, score_plannable_range, score_recorded_range
from monde.evaluation.planned import plan_run
from monde.evaluation.prediction import score_prediction
from monde.evaluation.probes import ProbeScore, Target, score_probes, targets
from monde.evaluation.protocol import describe_strategy, protocol_card, scorecard
from monde.evaluation.ranking import RankingConfig, score_ranking
from monde.evaluation.run import ScoreConfig, check_world, recorded_world, score_run
from monde.evaluation.senses import score_senses
from monde.evaluation.showing import decoder_data, films, imagination
from monde.evaluation.space import SpaceScore, score_space
from monde.evaluation.trust import fit_trust, load_heads, planner_name
from monde.evaluation.trust_config import TrustConfig

__all__ = [
    "ClipSource",
    "ControlConfig",
    "ControlScore",
    "EpisodeClips",
    "Exhibit",
    "Film",
    "Imagination",
    "PlanConfig",
    "PredictionConfig",
    "ProbeScore",
    "RangeConfig",
    "RankingConfig",
    "Scatter",
    "ScoreConfig",
    "SpaceScore",
    "Target",
    "TrustConfig",
    "check_world",
    "decoder_data",
    "describe_strategy",
    "exhibits",
    "films",
    "fit_trust",
    "imagination",
    "load_exhibit",
    "load_heads",
    "plan_run",
    "planner_name",
    "protocol_card",
    "recorded_world",
    "score_control",
    "score_plannable_range",
    "score_prediction",
    "score_probes",
    "score_ranking",
    "score_recorded_range",
    "score_run",
    "score_senses",
    "score_space",
    "scorecard",
    "targets",
]
