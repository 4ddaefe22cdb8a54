"""From a recording's path to everything the loop needs, and the run.json that says what was chosen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from monde.data import (
    FrameCache,
    Mixture,
    Moments,
    Segments,
    Split,
    Windows,
    action_moments,
    fold_episodes,
    open_recording,
    split_episodes,
    split_in_time,
)
from monde.errors import DataError, StoreError, UsageError
from monde.models import JEPA, ModelConfig, model_config, untrained
from monde.perception import BackboneConfig, ThingsConfig, tokens_name
from monde.protocols import Recording
from monde.store import RunFolder, commit, machine, utc_now, write_json
from monde.store.typed import from_json, to_json
from monde.training.config import TrainConfig
from monde.training.latent_cache import Progress as EncodingProgress
from monde.training.latent_windows import on_frozen_encoder
from monde.training.moments import standardise_senses
from monde.training.sensors import select_sensors, unread
from monde.types import ActionSpec, Sensor

SCHEMA = "monde.run/1"
ASKED = frozenset({"state", "pose"})
"""Kinds of sensors that say how the world is: what the latents are asked about."""


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What is trained on what.

    Args:
        recording: The data.
        cache: Its decoded frames.
        split: Episodes trained on and held out.
        train: Training windows.
        held_out: Windows of the held-out episodes.
        model: Sensors as the model sees them, action blocks and sizes.
        moments: Mean and spread of the training episodes' actions, one control step.
    """

    recording: Recording
    cache: FrameCache
    split: Split
    train: Windows
    held_out: Windows
    model: ModelConfig
    moments: Moments

    @property
    def judged(self) -> tuple[str, ...]:
        """What clips for judging show: the sensors that the model reads, and all that training windows show."""
        return tuple(dict.fromkeys([*(sensor.name for sensor in self.model.sensors), *self.train.sensors]))

    @property
    def left_out(self) -> tuple[str, ...]:
        """Recorded sensors that were not even decoded: large ones that the model does not read."""
        return unread(self.recording.sensors, [sensor.name for sensor in self.model.sensors])

    @property
    def probed(self) -> Sensor | None:
        """A recorded state or pose that the model does not see, to probe for while training; none where perception
        learns nothing."""
        if isinstance(self.model.perception, BackboneConfig | ThingsConfig):
            return None
        seen = {sensor.name for sensor in self.model.sensors}
        return next((s for s in self.recording.sensors if s.kind in ASKED and s.name not in seen), None)


def prepare(
    config: TrainConfig,
    recording: Recording | None = None,
    backbone: BackboneConfig | None = None,
    progress: EncodingProgress | None = None,
) -> Setup:
    """Open the recording, decode it once (encode it once, with a frozen encoder), split it and choose the model.

    Args:
        config: What is trained.
        recording: It, if it is open already.
        backbone: The encoder as a run knows it; none to take what `config.backbone` names now.
        progress: Told while frames are encoded.

    Raises:
        DataError: The recording cannot be read, or is too short for the windows.
        UsageError: An unknown sensor, size or encoder.
        StoreError: The encoder is not the one that the run knows.
    """
    recording = recording or open_recordings(config)
    actions = action_blocks(recording, config)
    if config.mirror and not actions.unactuated:
        raise UsageError(
            "actions mean something else in a mirror",
            got="mirror, and a recording in which somebody acts",
            remedy="leave --mirror out, or the actions (--action-free)",
        )
    recording, split = held_out_part(recording, config, actions)
    sensors = select_sensors(recording.sensors, config.sensors, config.frame, config.points)
    read = [sensor.name for sensor in sensors]
    if config.mirror and any(sensor.kind != "rgb" for sensor in sensors):
        raise UsageError(
            "only colours can be shown in a mirror",
            got=[sensor.name for sensor in sensors if sensor.kind != "rgb"],
            remedy="leave --mirror out, or these sensors",
        )
    # What is large and not read is not decoded either: depth is four bytes a pixel.
    cached = [s.name for s in recording.sensors if s.name not in unread(recording.sensors, read)]
    cache = FrameCache.open_or_build(recording, size=config.frame, sensors=cached, points=config.points)
    probed = [s.name for s in recording.sensors if s.kind in ASKED]
    if config.backbone is None:
        aged = tuple(name for name in read if cache.age_seconds(name) is not None)
        model = model_config(config.size, sensors, actions, aged, config.encoder)
    else:
        model, cache = on_frozen_encoder(config, cache, sensors, actions, backbone, progress)
        read = [tokens_name(name) for name in read]
    names = tuple(dict.fromkeys([*read, *probed]))
    return Setup(
        recording=recording,
        cache=cache,
        split=split,
        train=Windows(cache, split.train, names, config.window, actions),
        held_out=Windows(cache, split.held_out, names, config.window, actions),
        model=model,
        moments=Moments(np.zeros(0), np.zeros(0)) if actions.unactuated else action_moments(cache, split.train),
    )


def open_recordings(config: TrainConfig) -> Recording:
    """The recording that is trained on, or several as one.

    Raises:
        DataError: One cannot be read, or they do not go together.
    """
    first = open_recording(Path(config.data), config.rate_hz)
    if not config.also or config.step_seconds is None:
        return first
    rest = [open_recording(Path(path)) for path in config.also]
    return Mixture([first, *rest], config.step_seconds, config.sensors)


def held_out_part(recording: Recording, config: TrainConfig, actions: ActionSpec) -> tuple[Recording, Split]:
    """What is learned from and what is kept for judging: episodes, or the end of a film where there is only one.

    Frames just before the end of a film look like those just after: as many as a window spans are left out between.

    Raises:
        DataError: Too few episodes, or a film too short to be parted.
    """
    # Several of a mixture's episodes are one episode of a recording: these stay on one side.
    groups = recording.groups if isinstance(recording, Mixture) else tuple(range(len(recording.lengths)))
    count = 1 + max(groups)
    if config.folds or count > 1:
        split = (
            fold_episodes(count, config.folds, config.seed)[config.fold]
            if config.folds
            else split_episodes(count, config.held_out, config.seed)
        )
        sides = (set(_some(split.train, config)), set(split.held_out))
        train, held_out = (tuple(i for i, group in enumerate(groups) if group in side) for side in sides)
        return recording, Split(train, held_out)
    parts = split_in_time(recording.lengths[0], config.held_out, gap_frames=config.window * actions.block)
    return Segments(recording, [(0, *parts.train), (0, *parts.held_out)]), Split((0,), (1,))


def _some(episodes: Sequence[int], config: TrainConfig) -> Sequence[int]:
    if not config.train_episodes:
        return episodes
    if not 0 < config.train_episodes <= len(episodes):
        raise DataError(
            "there are not so many episodes to learn from", got=config.train_episodes, expected=f"1 to {len(episodes)}"
        )
    return np.random.default_rng(config.seed).permutation(episodes)[: config.train_episodes].tolist()


def action_blocks(recording: Recording, config: TrainConfig) -> ActionSpec:
    """What is done in one model step: so many control steps of the recording, or nothing but waiting.

    Raises:
        UsageError: A model step that is shorter than half a control step.
    """
    recorded = recording.actions
    if recorded is None or config.action_free:
        dt = 1 / max(sensor.rate_hz for sensor in recording.sensors) if recorded is None else recorded.dt_seconds
        recorded = ActionSpec(unactuated=True, dt_seconds=dt)
    if config.step_seconds is None:
        return recorded.with_block(config.block)
    block = round(config.step_seconds / recorded.dt_seconds)
    if block < 1:
        raise UsageError(
            "a model step is shorter than a control step of the recording",
            got=f"{config.step_seconds:g} s",
            expected=f"at least {recorded.dt_seconds:g} s",
            remedy="give a longer --step-seconds",
        )
    return recorded.with_block(block)


def block_moments(moments: Moments, actions: ActionSpec) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and spread of a whole action block, [A] each; one-hot actions are left as they are."""
    if actions.discrete or actions.unactuated:
        return torch.zeros(actions.width), torch.ones(actions.width)
    mean = torch.as_tensor(moments.mean, dtype=torch.float32).repeat(actions.block)
    std = torch.as_tensor(moments.std, dtype=torch.float32).repeat(actions.block)
    # A component that never moved says nothing; scale 1 keeps it at its constant instead of dividing by zero.
    return mean, torch.where(std > 1e-8, std, torch.ones_like(std))


def untrained_floor(setup: Setup, seed: int, clips: int = 1024) -> JEPA:
    """The run's model before training, its running statistics taken from spread-out training windows."""
    index = np.linspace(0, len(setup.train) - 1, min(clips, len(setup.train))).astype(np.int64)
    pieces = np.array_split(np.random.default_rng(seed).permutation(index), max(1, len(index) // 128))
    shown = (setup.train.clip(piece).window(0, 1) for piece in pieces)
    return untrained(setup.model, seed, shown, lambda model: standardise_senses(model, setup.cache, setup.split.train))


def reopen(run: Path) -> tuple[TrainConfig, Setup]:
    """What a run was trained on, as it was then.

    Raises:
        StoreError: Not a run, or run.json is malformed.
        DataError: The recording is not where it was, or is no longer the same.
    """
    folder = RunFolder(run)
    document = folder.read_config()
    train, path, data = document.get("train"), document.get("data_path"), document.get("data")
    if not isinstance(train, dict) or not isinstance(path, str) or not isinstance(data, dict):
        raise StoreError(f"{folder.config} is malformed", expected="'train', 'data' and 'data_path'")
    also = document.get("also_paths", [])
    config = from_json(TrainConfig, {**train, "data": path, "also": also, "run": str(run), "steps": 1}, "train")
    model = from_json(ModelConfig, document.get("model"), "model")
    known = model.perception if isinstance(model.perception, BackboneConfig) else None
    setup = prepare(config, backbone=known)
    if setup.recording.fingerprint != data.get("fingerprint"):
        raise DataError(
            f"{path} is not the recording that {run} was trained on",
            got=f"fingerprint {setup.recording.fingerprint[:16]}…",
            expected=f"{str(data.get('fingerprint'))[:16]}…",
            remedy="restore the recording, or train a new run on what is there now",
        )
    return config, setup


def claim_run(config: TrainConfig, setup: Setup, resume: bool, more: Mapping[str, object] | None = None) -> RunFolder:
    """Make the run folder and its run.json, or find it there and equal.

    Args:
        config: What is trained.
        setup: On what.
        resume: Whether it may be there already.
        more: Further entries of run.json, which must be equal too.

    Raises:
        UsageError: The folder exists and is not to be resumed, or was started with other settings.
    """
    run = RunFolder(Path(config.run))
    document = describe_run(config, setup) | dict(more or {})
    if not run.config.exists():
        if run.root.exists() and any(run.root.iterdir()):
            raise UsageError(
                f"{run.root} exists and is not a run", remedy="choose another --run, or remove what is in the folder"
            )
        write_json(run.config, document | {"commit": commit(), "machine": machine(), "created": utc_now()})
        return run
    if not resume:
        raise UsageError(
            f"{run.root} holds a run already",
            remedy="go on with it (--resume), or choose another --run; nothing was changed",
        )
    before = run.read_config()
    changed = [key for key in ("model", "train", "data", "split", *(more or {})) if before.get(key) != document[key]]
    if changed:
        told = "; ".join(_difference(key, before.get(key), document[key]) for key in changed)
        raise UsageError(
            f"{run.root} was started with other settings",
            got=told,
            remedy="give the same settings to resume, or choose another --run",
        )
    return run


def describe_run(config: TrainConfig, setup: Setup) -> dict[str, object]:
    """run.json, without provenance: budget and paths may change between sessions of one run, the rest may not."""
    train = to_json(config)
    if not isinstance(train, dict):
        raise StoreError("the training configuration is no JSON object", got=type(train).__name__)
    free = {"run", "data", "also", "steps", "minutes", "log_seconds", "checkpoint_seconds", "device", "type"}
    return {
        "schema": SCHEMA,
        "model": to_json(setup.model),
        "train": {key: value for key, value in train.items() if key not in free},
        "data": {"fingerprint": setup.recording.fingerprint, "episodes": len(setup.recording.lengths)},
        "left_out": list(setup.left_out),
        "split": {"train": list(setup.split.train), "held_out": list(setup.split.held_out)},
        "action_mean": [float(x) for x in setup.moments.mean],
        "action_std": [float(x) for x in setup.moments.std],
        "data_path": str(Path(config.data).resolve()),
        "also_paths": [str(Path(path).resolve()) for path in config.also],
    }


def _difference(key: str, before: object, now: object) -> str:
    if isinstance(before, dict) and isinstance(now, dict):
        fields = sorted(name for name in set(before) | set(now) if before.get(name) != now.get(name))
        return "; ".join(f"{key}.{name} was {before.get(name)}, is {now.get(name)}" for name in fields[:3])
    return f"{key} differs"
