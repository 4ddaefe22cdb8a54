"""Sensors to latents: one encoder a sensor kind, fused to one token a frame."""

from monde.perception.conv import ConvEncoder
from monde.perception.fuse import Perception, PerceptionConfig
from monde.perception.state import StateEncoder
from monde.perception.vit import ViTEncoder

__all__ = ["ConvEncoder", "Perception", "PerceptionConfig", "StateEncoder", "ViTEncoder"]
