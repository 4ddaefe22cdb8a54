"""A small run of a real recording, trained just long enough that its answers mean something; and a mind of it."""

from pathlib import Path

import pytest
import torch

from monde.agents import record
from monde.mind import Mind
from monde.models import load_model
from monde.readouts import fit_decoder, save_decoder
from monde.store import RunFolder
from monde.training import FitActorConfig, TrainConfig, fit_actor, train
from monde.training.frame_latents import encode_frames
from monde.training.setup import reopen


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("mind")
    record("tworoom", out / "tworoom", episodes=48, steps=40, seed=1, batch=48)
    data, held_out = str(out / "tworoom"), 0.3  # episodes enough to tell how surely readouts read
    train(TrainConfig(data=data, run=str(out / "run"), steps=120, batch=32, held_out=held_out, precision="fp32"))
    fit_actor(out / "run", FitActorConfig(minutes=None, steps=60, frames=16))
    _, setup = reopen(out / "run")
    latents = encode_frames(load_model(out / "run"), setup).latents[:64]
    frames = torch.zeros(64, 3, 64, 64, dtype=torch.uint8)
    # A decoder of hardly any steps: what it draws is not looked at here.
    save_decoder(fit_decoder(latents, frames, 2, torch.Generator()), RunFolder(out / "run").readouts / "decoder")
    return out / "run"


@pytest.fixture(scope="session")
def mind(run: Path) -> Mind:
    return Mind(run, device="cpu")
