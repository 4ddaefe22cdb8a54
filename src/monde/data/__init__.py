"""Recordings: written, read, checked, cached and cut into windows."""

from monde.data.blocks import read_blocks
from monde.data.cache import FrameCache
from monde.data.check import Finding, check_dataset
from monde.data.episode import EpisodeData
from monde.data.recording import open_recording
from monde.data.sampler import Sampler
from monde.data.split import Split, split_episodes
from monde.data.statistics import Moments, action_moments, sensor_moments
from monde.data.windows import Windows
from monde.data.writer import RecordingWriter

__all__ = [
    "EpisodeData",
    "Finding",
    "FrameCache",
    "Moments",
    "RecordingWriter",
    "Sampler",
    "Split",
    "Windows",
    "action_moments",
    "check_dataset",
    "open_recording",
    "read_blocks",
    "sensor_moments",
    "split_episodes",
]
