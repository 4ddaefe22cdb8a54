"""Training to its end, over as many calls as it takes: what recipes and benchmarks build on."""

from pathlib import Path

from monde.store import RunFolder, read_manifest
from monde.training.config import TrainConfig
from monde.training.loop import ProgressCallback, train
from monde.training.schedule import share_done


def is_finished(config: TrainConfig) -> bool:
    """Whether the run of this configuration has used up its budget: run.json alone says only that it was begun.

    Raises:
        StoreError: Its newest checkpoint is malformed.
    """
    run = RunFolder(Path(config.run))
    if not run.config.exists() or not run.steps():
        return False
    meta = read_manifest(run.latest(), "checkpoint").get("meta")
    step, seconds = (meta.get("step"), meta.get("seconds")) if isinstance(meta, dict) else (None, None)
    if not isinstance(step, int) or not isinstance(seconds, (int, float)):
        return False
    return share_done(step, config.steps, seconds, config.minutes) >= 1


def finish_training(config: TrainConfig, progress: ProgressCallback | None = None) -> None:
    """Begin a run, go on with one that was interrupted, or leave one that is finished as it is.

    Args:
        config: What is trained.
        progress: Told at every log line.

    Raises:
        KeyboardInterrupt: It was asked to stop (SIGINT or SIGTERM) before its end; the same call goes on from there.
        UsageError: The run was begun with other settings.
        DataError: The recording cannot be trained on.
        StoreError: A checkpoint was altered, or the disk is full.
        TrainingError: As `train`.
    """
    if is_finished(config):
        return
    # `train` takes the first signal for itself and says that it did not come to its end: nothing may stand on that.
    if not train(config, progress, resume=RunFolder(Path(config.run)).config.exists()).finished:
        raise KeyboardInterrupt
