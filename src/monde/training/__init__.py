"""The training loop: device and precision by what the machine has, checkpoints that survive anything, loud alarms."""

from monde.training.actor import ActorSummary, FitActorConfig, fit_actor
from monde.training.actor_step import GoalShares
from monde.training.config import TrainConfig, default_learning_rate
from monde.training.device import choose_device, choose_precision
from monde.training.loop import TrainProgress, TrainSummary, train
from monde.training.refine import RefineConfig, refine
from monde.training.step import TrainStep

__all__ = [
    "ActorSummary",
    "FitActorConfig",
    "GoalShares",
    "RefineConfig",
    "TrainConfig",
    "TrainProgress",
    "TrainStep",
    "TrainSummary",
    "choose_device",
    "choose_precision",
    "default_learning_rate",
    "fit_actor",
    "refine",
    "train",
]
