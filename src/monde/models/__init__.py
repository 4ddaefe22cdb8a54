"""World models: perception and dynamics composed; one paper per short file."""

from monde.models.checks import check_model
from monde.models.config import ModelConfig, model_config
from monde.models.dino_wm import dino_wm, dino_wm_config
from monde.models.graphs import GraphedModel, graphed
from monde.models.jepa import JEPA
from monde.models.lewm import lewm
from monde.models.lewm_published import export_lewm, import_lewm, save_lewm
from monde.models.load import load_acting, load_model, refuse_placed, weights_hash
from monde.models.placed import PlacedModel, nearest, place
from monde.models.untrained import initialised, untrained

__all__ = [
    "JEPA",
    "GraphedModel",
    "ModelConfig",
    "PlacedModel",
    "check_model",
    "dino_wm",
    "dino_wm_config",
    "export_lewm",
    "graphed",
    "import_lewm",
    "initialised",
    "lewm",
    "load_acting",
    "load_model",
    "model_config",
    "nearest",
    "place",
    "refuse_placed",
    "save_lewm",
    "untrained",
    "weights_hash",
]
