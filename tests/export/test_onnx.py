"""What onnxruntime says is what torch says, of every kind of dynamics and for any batch."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

from monde.dynamics import RecurrentDynamicsConfig, TransformerDynamicsConfig
from monde.errors import StoreError, UsageError
from monde.export import MANIFEST, agreement, export_run
from monde.export.agreement import TOLERANCE, session
from monde.export.graphs import graphs_of
from monde.export.onnx_files import write_graph
from monde.models import JEPA, ModelConfig, load_model
from monde.perception import PerceptionConfig
from monde.types import ActionSpec, Clip, Sensor, Stream

ACTIONS = ActionSpec(low=(-1.0, 0.0), high=(1.0, 2.0), block=3, dt_seconds=0.1)
SENSORS = (
    Sensor(name="top", kind="rgb", shape=(3, 16, 16), rate_hz=10.0),
    Sensor(name="joints", kind="state", shape=(4,), unit="rad", rate_hz=10.0),
)
PERCEPTION = PerceptionConfig(latent=8, encoder="conv", conv_base=2)
DYNAMICS = {
    "recurrent": RecurrentDynamicsConfig(latent=8, actions=6, hidden=8, head=8),
    "transformer": TransformerDynamicsConfig(
        latent=8, actions=6, window=3, hidden=8, depth=1, heads=2, head_width=4, members=2
    ),
}


@pytest.fixture(scope="module")
def exported(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_run(run, tmp_path_factory.mktemp("onnx") / "out").folder


def test_a_whole_run_agrees(run: Path, exported: Path) -> None:
    found = {one.graph: one for one in agreement(run, exported, calls=3)}
    assert set(found) == {"encoder", "begin", "step", "actor", "distance", "chain"}
    assert max(one.max_abs_difference for one in found.values()) <= TOLERANCE
    assert found["step"].torch_seconds is not None
    assert found["step"].torch_seconds > 0
    told = json.loads((exported / MANIFEST).read_text())
    assert set(told["graphs"]) == set(found) - {"chain"}
    assert told["graphs"]["encoder"]["inputs"] == {"top": {"dtype": "uint8", "shape": ["B", 3, 64, 64]}}
    assert told["actions"]["block"] == 5


@pytest.mark.parametrize("kind", DYNAMICS)
def test_a_belief_steps_as_the_model_updates(kind: str, tmp_path: Path) -> None:
    """Two sensors and a memory: in onnxruntime what was seen is written over what was imagined, three times; that makes
    the belief that `JEPA.update` makes."""
    torch.manual_seed(0)
    config = ModelConfig(sensors=SENSORS, actions=ACTIONS, perception=PERCEPTION, dynamics=DYNAMICS[kind])
    model = JEPA(config).eval().requires_grad_(False)
    graphs = {graph.name: graph for graph in graphs_of(model, None, None)}
    for name in ("encoder", "begin", "step"):
        write_graph(graphs[name], tmp_path / f"{name}.onnx")
    encoder, begin, step = (session(tmp_path / f"{name}.onnx") for name in ("encoder", "begin", "step"))
    generator = torch.Generator().manual_seed(1)
    clips = [_moment(generator, 3) for _ in range(4)]
    blocks = torch.rand(3, 3, ACTIONS.width, generator=generator)
    belief = model.begin(clips[0])
    there = begin.run(None, {"seen": encoder.run(None, _samples(clips[0]))[0]})
    for clip, block in zip(clips[1:], blocks, strict=True):
        belief = model.update(belief, clip, block)
        names = [name for name in graphs["step"].inputs if name != "action"]
        there = list(step.run(None, {"action": block.numpy(), **dict(zip(names, there, strict=True))}))
        latents = np.array(there[0])
        latents[:, -1] = encoder.run(None, _samples(clip))[0]
        there[0] = latents
    here = [belief.latents, belief.valid, *belief.memory]
    assert len(here) == len(there)
    for one, other in zip(here, there, strict=True):
        np.testing.assert_allclose(one.numpy().astype(np.float64), other.astype(np.float64), atol=TOLERANCE)


def test_what_was_altered_is_refused(run: Path, exported: Path, tmp_path: Path) -> None:
    import shutil

    with pytest.raises(UsageError, match="exists"):
        export_run(run, exported)
    shutil.copytree(exported, tmp_path / "copy")
    data = bytearray((tmp_path / "copy/step.onnx").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "copy/step.onnx").write_bytes(data)
    with pytest.raises(StoreError, match="altered"):
        agreement(run, tmp_path / "copy")
    with pytest.raises(StoreError, match="no export"):
        agreement(run, tmp_path)
    told = json.loads((exported / MANIFEST).read_text())
    shutil.copytree(exported, tmp_path / "other")
    (tmp_path / "other" / MANIFEST).write_text(json.dumps(told | {"of": "0" * 64}))
    with pytest.raises(StoreError, match="other weights"):
        agreement(run, tmp_path / "other")


def test_a_run_is_what_it_was(run: Path) -> None:
    assert load_model(run).actions.block == 5
    assert not (run / "onnx").exists()


def _moment(generator: torch.Generator, rows: int) -> Clip:
    times, valid = torch.zeros(rows, 1, dtype=torch.float64), torch.ones(rows, 1, dtype=torch.bool)
    top = torch.randint(0, 256, (rows, 1, 3, 16, 16), dtype=torch.uint8, generator=generator)
    joints = torch.randn(rows, 1, 4, generator=generator)
    return Clip({"top": Stream(top, times, valid), "joints": Stream(joints, times, valid)})


def _samples(clip: Clip) -> dict[str, np.ndarray]:
    return {name: stream.values[:, 0].numpy() for name, stream in clip.streams.items()}
