"""A trained model from its run folder."""

from pathlib import Path

import torch

from monde.errors import StoreError, UsageError
from monde.models.config import ModelConfig
from monde.models.jepa import JEPA
from monde.models.placed import PlacedModel
from monde.readouts import BodyMotion
from monde.store import RunFolder, load_artefact, read_manifest
from monde.store.hashing import sha256_bytes
from monde.store.typed import from_json


def load_model(run: Path | str, device: torch.device | str = "cpu", step: int | None = None) -> JEPA:
    """The model of a run, in evaluation mode.

    Args:
        run: Run folder.
        device: Where to put it.
        step: Which checkpoint; the newest if none.

    Raises:
        StoreError: Not a run, no checkpoint, or a checkpoint that was altered or does not fit.
    """
    folder = RunFolder(Path(run))
    config = folder.read_config()
    if "model" not in config:
        raise StoreError(f"{folder.config} does not say what model this is", expected="a 'model' entry")
    model = JEPA(from_json(ModelConfig, config["model"], "model"))
    checkpoint = folder.latest() if step is None else folder.checkpoint(step)
    weights = model.state_dict()
    # A checkpoint also holds the optimiser; the model's own tensors carry the prefix.
    artefact = load_artefact(checkpoint, "checkpoint")
    found = {n.removeprefix("model."): t for n, t in artefact.tensors.items() if n.startswith("model.")}
    from monde.store.artefact import TENSORS, check_tensors

    check_tensors(checkpoint / TENSORS, found, weights)
    model.load_state_dict(found)
    return model.to(device).eval()


def load_acting(run: Path | str, device: torch.device | str = "cpu") -> JEPA | PlacedModel:
    """The model of a run as what acts with it sees it: with the body's place, where a motion head was fitted.

    Raises:
        StoreError: As `load_model`; or the motion head was fitted on another model, or altered.
    """
    model, folder = load_model(run, device), RunFolder(Path(run)).motion
    if not folder.exists():
        return model
    motion = BodyMotion.load(folder, weights_hash(run)).to(device).requires_grad_(False)
    return PlacedModel(model, motion, motion.config.pose)


def refuse_placed(run: Path | str, what: str) -> None:
    """Refuse what does not know the body's place yet, for a run whose heads see it.

    Raises:
        UsageError: The run has a motion head.
    """
    if RunFolder(Path(run)).motion.exists():
        raise UsageError(
            f"{what} is not there yet for runs that know how actions move the body",
            got=f"{RunFolder(Path(run)).motion}",
            remedy="plan towards the world's own goals: monde plan RUN --goal env",
        )


def weights_hash(run: Path | str) -> str:
    """The hash of the newest checkpoint of a run: what a head that was fitted on its latents belongs to.

    Raises:
        StoreError: Not a run, or no checkpoint.
    """
    folder = RunFolder(Path(run)).latest()
    files = read_manifest(folder, "checkpoint").get("files")
    if not isinstance(files, dict) or not files:
        raise StoreError(f"{folder} has no hashes in its manifest", remedy="restore the checkpoint, or train again")
    return sha256_bytes("\n".join(f"{name} {files[name]}" for name in sorted(files)).encode())
