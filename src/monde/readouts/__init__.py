"""Small heads on frozen latents: linear and nonlinear state probes, temporal distance, and a decoder for looking."""

from monde.readouts.decoder import DecoderConfig, FrameDecoder, fit_decoder, load_decoder, save_decoder
from monde.readouts.linear import LinearReadout, fit_linear
from monde.readouts.mlp import MLPReadout, MLPReadoutConfig, fit_mlp
from monde.readouts.temporal_distance import TemporalDistance, TemporalDistanceConfig

__all__ = [
    "DecoderConfig",
    "FrameDecoder",
    "LinearReadout",
    "MLPReadout",
    "MLPReadoutConfig",
    "TemporalDistance",
    "TemporalDistanceConfig",
    "fit_decoder",
    "fit_linear",
    "fit_mlp",
    "load_decoder",
    "save_decoder",
]
