"""The training loop: device and precision by what the machine has, checkpoints that survive anything, loud alarms."""

from monde.training.actor import ActorSummary, FitActorConfig, fit_actor
from monde.training.actor_step import GoalShares
from monde.training.adapting.adapt import AdaptConfig, AdaptSummary, adapt
from monde.training.body_motion import BodyMotionSummary, FitBodyMotionConfig, fit_body_motion
from monde.training.cloning import clone_recording
from monde.training.config import TrainConfig, default_learning_rate
from monde.training.device import choose_device, choose_precision
from monde.training.far.landmarks import FitLandmarksConfig, LandmarkSummary, fit_landmarks
from monde.training.far.levels import FitLevelsConfig, LevelSummary, fit_levels
from monde.training.finishing import finish_training, is_finished
from monde.training.loop import TrainProgress, TrainSummary, train
from monde.training.refining.config import RefineConfig
from monde.training.refining.refine import RefineSummary, refine
from monde.training.scan_forecast import FitScanForecastConfig, fit_scan_forecast
from monde.training.scan_matcher import FitScanMatcherConfig, fit_scan_matcher
from monde.training.step import TrainStep

__all__ = [
    "ActorSummary",
    "AdaptConfig",
    "AdaptSummary",
    "BodyMotionSummary",
    "FitActorConfig",
    "FitBodyMotionConfig",
    "FitLandmarksConfig",
    "FitLevelsConfig",
    "FitScanForecastConfig",
    "FitScanMatcherConfig",
    "GoalShares",
    "LandmarkSummary",
    "LevelSummary",
    "RefineConfig",
    "RefineSummary",
    "TrainConfig",
    "TrainProgress",
    "TrainStep",
    "TrainSummary",
    "adapt",
    "choose_device",
    "choose_precision",
    "clone_recording",
    "default_learning_rate",
    "finish_training",
    "fit_actor",
    "fit_body_motion",
    "fit_landmarks",
    "fit_levels",
    "fit_scan_forecast",
    "fit_scan_matcher",
    "is_finished",
    "refine",
    "train",
]
