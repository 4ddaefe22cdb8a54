"""Small heads on frozen latents: state probes, motions, scans, temporal distance, and a decoder for looking."""

from monde.readouts.body_motion import BodyMotion, BodyMotionConfig
from monde.readouts.decoder import DecoderConfig, FrameDecoder, fit_decoder, load_decoder, save_decoder
from monde.readouts.familiarity import REFERENCES, Familiarity, fit_familiarity
from monde.readouts.linear import LinearReadout, fit_linear
from monde.readouts.mlp import MLPReadout, MLPReadoutConfig, fit_mlp
from monde.readouts.motion import MotionReadout, fit_motion
from monde.readouts.scan import ScanReadout, fit_scan
from monde.readouts.scan_forecast import ScanForecast, ScanForecastConfig
from monde.readouts.scan_inputs import PAST, ScanInputs, scan_inputs
from monde.readouts.scan_matcher import ScanMatcher, ScanMatcherConfig, flow
from monde.readouts.success_probability import (
    SuccessProbability,
    SuccessProbabilityConfig,
    fit_success_probability,
)
from monde.readouts.temporal_distance import TemporalDistance, TemporalDistanceConfig
from monde.readouts.tokens import TokenReadout, TokenReadoutConfig, fit_tokens

__all__ = [
    "PAST",
    "REFERENCES",
    "BodyMotion",
    "BodyMotionConfig",
    "DecoderConfig",
    "Familiarity",
    "FrameDecoder",
    "LinearReadout",
    "MLPReadout",
    "MLPReadoutConfig",
    "MotionReadout",
    "ScanForecast",
    "ScanForecastConfig",
    "ScanInputs",
    "ScanMatcher",
    "ScanMatcherConfig",
    "ScanReadout",
    "SuccessProbability",
    "SuccessProbabilityConfig",
    "TemporalDistance",
    "TemporalDistanceConfig",
    "TokenReadout",
    "TokenReadoutConfig",
    "fit_decoder",
    "fit_familiarity",
    "fit_linear",
    "fit_mlp",
    "fit_motion",
    "fit_scan",
    "fit_success_probability",
    "fit_tokens",
    "flow",
    "load_decoder",
    "save_decoder",
    "scan_inputs",
]
