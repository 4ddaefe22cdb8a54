"""Small heads on frozen latents: linear state probes, and a decoder for looking."""

from monde.readouts.decoder import DecoderConfig, FrameDecoder, fit_decoder, load_decoder, save_decoder
from monde.readouts.linear import LinearReadout, fit_linear

__all__ = [
    "DecoderConfig",
    "FrameDecoder",
    "LinearReadout",
    "fit_decoder",
    "fit_linear",
    "load_decoder",
    "save_decoder",
]
