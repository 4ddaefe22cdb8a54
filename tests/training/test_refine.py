"""Dynamics trained further on latents that are computed once."""

import shutil
import signal
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from jaxtyping import TypeCheckError

from monde.agents import record_scenes
from monde.dynamics import ThingDynamics, ThingDynamicsConfig
from monde.errors import DataError, TrainingError, UsageError
from monde.export.onnx_files import open_parts
from monde.models import JEPA, load_model
from monde.objectives import ObjectiveConfig
from monde.store import RunFolder, load_artefact
from monde.training import AdaptConfig, RefineConfig, TrainConfig, adapt, refine, train
from monde.training.muon import Muon
from monde.training.refining.films import Encoded, encode_episodes
from monde.training.refining.refine import optimisers_of, refine_dynamics
from monde.training.setup import reopen


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("refine")
    record_scenes("gravity", root / "data", films=8, seed=3)
    train(configured(root / "data", root / "run", steps=4))
    return root / "run"


def configured(data: Path, run: Path, steps: int) -> TrainConfig:
    objective = ObjectiveConfig(context=2, rollout_steps=2, outliers=0.1, within_weight=1.0)
    return TrainConfig(
        data=str(data),
        run=str(run),
        size="memory",
        block=4,
        window=6,
        batch=4,
        steps=steps,
        warmup_steps=1,
        device="cpu",
        mirror=True,
        channels=True,
        objective=objective,
    )


def test_dynamics_learn_and_the_encoder_stays(run: Path) -> None:
    before, losses, looked = load_model(run), list[float](), list[tuple[int, int]]()
    summary = refine(
        run,
        RefineConfig(minutes=None, steps=102, windows=(6, 7), batch=16, learning_rate=2e-3, device="cpu"),
        lambda step, done, parts: losses.append(parts["prediction"] / parts["copy_last"]),
        looked=lambda done, wanted: looked.append((done, wanted)),
    )
    assert looked[-1] == (looked[-1][1],) * 2
    assert 0 < looked[-1][0] < 8  # of eight films those that are not held out
    after = load_model(run)
    assert RunFolder(run).latest() == summary.checkpoint
    assert summary.checkpoint.name == "step-00000106"
    assert (summary.steps, summary.step, summary.finished) == (102, 106, True)
    assert "refined" in RunFolder(run).read_config()
    for name, tensor in before.perception.state_dict().items():
        assert torch.equal(tensor, after.perception.state_dict()[name]), name
    assert len(losses) == 6
    assert losses[-1] < 0.8 * losses[0]
    data = Path(str(RunFolder(run).read_config()["data_path"]))
    resumed = train(configured(data, run, steps=108), resume=True)
    assert resumed.step == 108


def test_films_are_encoded_whole_and_only_as_many_as_asked(run: Path) -> None:
    trained, setup = reopen(run)
    model = load_model(run).eval()
    data = encode_episodes(model, setup, trained, RefineConfig(most_frames=1))
    assert len(data.starts) == 5  # one film from each of the four frames that a step may begin at
    assert data.latents.shape == (int(data.starts[-1]), 1, model.latent)
    assert int(data.starts[-1]) in setup.cache.lengths


def test_what_cannot_be_refined_is_refused(run: Path, recording: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs an end"):
        RefineConfig(minutes=None)
    with pytest.raises((UsageError, TypeCheckError), match="adamw"):
        RefineConfig(optimiser="sgd")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="seed is negative"):
        RefineConfig(seed=-1)
    looked = list[int]()
    with pytest.raises(DataError, match="no film is as long") as told:
        refine(
            run,
            RefineConfig(minutes=None, steps=1, windows=(4, 100), device="cpu"),
            looked=lambda done, _: looked.append(done),
        )
    assert not looked
    assert told.value.expected == "100 model steps"
    assert told.value.remedy is not None
    acted = tmp_path / "acted"
    train(TrainConfig(data=str(recording), run=str(acted), steps=1, batch=4, device="cpu"))
    with pytest.raises(UsageError, match="somebody acts"):
        refine(acted, RefineConfig(minutes=None, steps=1))


def test_a_signal_keeps_what_was_learned(run: Path, tmp_path: Path) -> None:
    copy = RunFolder(tmp_path / "run")
    shutil.copytree(run, copy.root)
    before, step = copy.config.read_bytes(), load_artefact(copy.latest()).meta["step"]
    stop = RefineConfig(minutes=None, steps=10_000, windows=(4,), batch=4, device="cpu")
    summary = refine(copy.root, stop, lambda step, done, losses: signal.raise_signal(signal.SIGTERM))
    assert not summary.finished
    assert summary.steps == 1
    assert load_artefact(copy.latest()).meta["step"] == step + 1
    assert copy.config.read_bytes() == before  # nobody says that it was refined
    assert refine(copy.root, replace(stop, steps=2)).step == step + 3


def test_last_layers_are_left_to_adamw(tmp_path: Path) -> None:
    dynamics = ThingDynamics(ThingDynamicsConfig())
    (muon, _), (adamw, _) = optimisers_of(dynamics, RefineConfig(optimiser="muon"))
    assert isinstance(muon, Muon)
    names = {id(weight): name for name, weight in dynamics.named_parameters()}
    left = {names[id(weight)] for group in adamw.param_groups for weight in group["params"] if weight.ndim == 2}
    assert left == {"head.4.weight", "judgement.sight.head.2.weight"}
    taken = {names[id(weight)] for group in muon.param_groups for weight in group["params"]}
    assert taken | left == {name for name, weight in dynamics.named_parameters() if weight.ndim == 2}


def test_who_only_looked_is_not_refined(run: Path, tmp_path: Path) -> None:
    """All minutes went into looking at the films: that is said, and the run stays as it was."""
    copy = RunFolder(tmp_path / "run")
    shutil.copytree(run, copy.root)
    before, latest = copy.config.read_bytes(), copy.latest()
    with pytest.raises(TrainingError, match="went into looking at"):
        refine(copy.root, RefineConfig(minutes=1e-6, windows=(4,), device="cpu"))
    assert copy.config.read_bytes() == before
    assert copy.latest() == latest


@torch.no_grad()
def foreseen_wrong(model: JEPA, films: Encoded) -> float:
    """What dynamics of things say of their own errors one step ahead, over all films."""
    errors = [
        model.dynamics.error(model.dynamics(film[:, :-1], film.new_zeros(1, len(film[0]) - 1, 0))[0], film[:, 1:])
        for film in (films.latents[a:b][None] for a, b in pairwise(films.starts))
    ]
    return float(torch.cat([error.flatten() for error in errors]).mean())


def test_things_learn_from_whole_films(tmp_path: Path) -> None:
    record_scenes("inertia", tmp_path / "data", films=24, seed=3)
    config = TrainConfig(
        data=str(tmp_path / "data"),
        run=str(tmp_path / "run"),
        size="things",
        block=4,
        window=6,
        batch=4,
        steps=2,
        warmup_steps=1,
        device="cpu",
        mirror=True,
        channels=True,
        objective=ObjectiveConfig(context=2, rollout_steps=3, regulariser_weight=0.0),
    )
    train(config)
    trained, setup = reopen(tmp_path / "run")
    films = encode_episodes(load_model(tmp_path / "run").eval(), setup, trained, RefineConfig())
    before = foreseen_wrong(load_model(tmp_path / "run"), films)
    refine(
        tmp_path / "run",
        RefineConfig(minutes=None, steps=250, windows=(), batch=4, optimiser="muon", learning_rate=2e-3, device="cpu"),
    )
    assert foreseen_wrong(load_model(tmp_path / "run"), films) < 0.8 * before
    model = load_model(tmp_path / "run")
    assert not list(model.perception.parameters())


def test_films_of_two_steps_are_refused(tmp_path: Path) -> None:
    record_scenes("inertia", tmp_path / "data", films=8, seed=3)
    train(configured(tmp_path / "data", tmp_path / "run", steps=1))
    _, setup = reopen(tmp_path / "run")
    model = load_model(tmp_path / "run")
    data = encode_episodes(model, setup, configured(tmp_path / "data", tmp_path / "run", 1), RefineConfig(windows=()))
    short = replace(data, starts=np.arange(0, len(data.latents), 2))
    with pytest.raises(DataError, match="too short to learn from"):
        refine_dynamics(model, short, ObjectiveConfig(context=1), RefineConfig(minutes=None, steps=1, windows=()), 0.0)


def test_things_are_neither_exported_nor_adapted(tmp_path: Path) -> None:
    record_scenes("inertia", tmp_path / "data", films=8, seed=3)
    config = replace(configured(tmp_path / "data", tmp_path / "run", steps=1), size="things")
    train(config)
    assert config.minimised.outliers is None
    with pytest.raises(UsageError, match="sees things"):
        open_parts(tmp_path / "run")
    adapting = AdaptConfig(run=str(tmp_path / "run"), data=str(tmp_path / "data"), out=str(tmp_path / "out"), steps=1)
    with pytest.raises(UsageError, match="no encoder to adapt"):
        adapt(adapting)
