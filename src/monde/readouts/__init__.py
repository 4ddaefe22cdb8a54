"""Small heads on frozen latents: linear state probes, temporal distance, and a decoder for looking."""

from monde.readouts.decoder import DecoderConfig, FrameDecoder, fit_decoder, load_decoder, save_decoder
from monde.readouts.linear import LinearReadout, fit_linear
from monde.readouts.temporal_distance import TemporalDistance, TemporalDistanceConfig

__all__ = [
    "DecoderConfig",
    "FrameDecoder",
    "LinearReadout",
    "TemporalDistance",
    "TemporalDistanceConfig",
    "fit_decoder",
    "fit_linear",
    "load_decoder",
    "save_decoder",
]
