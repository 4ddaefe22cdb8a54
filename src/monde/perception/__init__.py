"""Sensors to latents: one encoder a sensor kind, fused to one token a frame; or a frozen encoder's tokens."""

from monde.perception.backbone import Backbone, BackboneConfig, describe_backbone, find_again
from monde.perception.cloud import CloudEncoder
from monde.perception.conv import ConvEncoder
from monde.perception.depth import DepthEncoder
from monde.perception.encoders import READABLE, PerceptionConfig, check_readable
from monde.perception.focus import FocusEncoder
from monde.perception.frozen import FrozenPerception, check_cameras, tokens_name
from monde.perception.fuse import Perception
from monde.perception.grid import GridEncoder
from monde.perception.scan import ScanEncoder
from monde.perception.sense import SenseEncoder
from monde.perception.state import StateEncoder
from monde.perception.things import ThingPerception, ThingsConfig
from monde.perception.vit import ViTEncoder

__all__ = [
    "READABLE",
    "Backbone",
    "BackboneConfig",
    "CloudEncoder",
    "ConvEncoder",
    "DepthEncoder",
    "FocusEncoder",
    "FrozenPerception",
    "GridEncoder",
    "Perception",
    "PerceptionConfig",
    "ScanEncoder",
    "SenseEncoder",
    "StateEncoder",
    "ThingPerception",
    "ThingsConfig",
    "ViTEncoder",
    "check_cameras",
    "check_readable",
    "describe_backbone",
    "find_again",
    "tokens_name",
]
