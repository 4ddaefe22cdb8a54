"""Recordings: written, read, checked, cached and cut into windows."""

from monde.data.blocks import read_blocks
from monde.data.cache import FrameCache
from monde.data.checking import Finding, check_dataset
from monde.data.convert import ConvertSummary, convert
from monde.data.episode import EpisodeData, LazyFrames
from monde.data.lerobot.storage import storage_for
from monde.data.mixture import Mixture
from monde.data.recording import open_recording
from monde.data.resize import resize_depth, resize_frames, resize_pictures, resized, thinned
from monde.data.sampler import Sampler
from monde.data.segments import Segments
from monde.data.split import Split, TimeSplit, fold_episodes, split_episodes, split_in_time
from monde.data.statistics import Moments, action_moments, sensor_moments
from monde.data.windows import Windows
from monde.data.writer import RecordingWriter

__all__ = [
    "ConvertSummary",
    "EpisodeData",
    "Finding",
    "FrameCache",
    "LazyFrames",
    "Mixture",
    "Moments",
    "RecordingWriter",
    "Sampler",
    "Segments",
    "Split",
    "TimeSplit",
    "Windows",
    "action_moments",
    "check_dataset",
    "convert",
    "fold_episodes",
    "open_recording",
    "read_blocks",
    "resize_depth",
    "resize_frames",
    "resize_pictures",
    "resized",
    "sensor_moments",
    "split_episodes",
    "split_in_time",
    "storage_for",
    "thinned",
]
