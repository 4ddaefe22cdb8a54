"""How well a model of moving points predicts, and whether it notices what cannot be."""

from monde.evaluation.motion.edits import KINDS, Edit, plant
from monde.evaluation.motion.flights import Bounce, FlightRule, ballistic, bounces, flights, gravity_of, restitution
from monde.evaluation.motion.judging import (
    Predictions,
    Thresholds,
    false_alarms,
    imagine_from,
    imagined_restitution,
    is_found,
    predict_flights,
    set_thresholds,
)
from monde.evaluation.motion.losses import Loss, judge_loss
from monde.evaluation.motion.surprise import alarms, surprise

__all__ = [
    "KINDS",
    "Bounce",
    "Edit",
    "FlightRule",
    "Loss",
    "Predictions",
    "Thresholds",
    "alarms",
    "ballistic",
    "bounces",
    "false_alarms",
    "flights",
    "gravity_of",
    "imagine_from",
    "imagined_restitution",
    "is_found",
    "judge_loss",
    "plant",
    "predict_flights",
    "restitution",
    "set_thresholds",
    "surprise",
]
