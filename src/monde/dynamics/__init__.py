"""Latent + action → next latent: the part of a world model that knows what comes of what is done."""

from monde.dynamics.base import Dynamics
from monde.dynamics.mlp import MLPDynamics, MLPDynamicsConfig
from monde.dynamics.recurrent import RecurrentDynamics, RecurrentDynamicsConfig
from monde.dynamics.things import ThingDynamics, ThingDynamicsConfig
from monde.dynamics.transformer import TransformerDynamics, TransformerDynamicsConfig

__all__ = [
    "Dynamics",
    "MLPDynamics",
    "MLPDynamicsConfig",
    "RecurrentDynamics",
    "RecurrentDynamicsConfig",
    "ThingDynamics",
    "ThingDynamicsConfig",
    "TransformerDynamics",
    "TransformerDynamicsConfig",
]
