"""What was seen is written over what onnxruntime imagined, three times: that makes the belief of `JEPA.update`."""

import tempfile
from pathlib import Path

import numpy as np
import torch

from monde.dynamics import RecurrentDynamicsConfig, TransformerDynamicsConfig
from monde.export.agreement import TOLERANCE, session
from monde.export.graphs import graphs_of
from monde.export.onnx_files import write_graph
from monde.models import JEPA, ModelConfig
from monde.perception import PerceptionConfig
from monde.types import ActionSpec, Clip, Sensor, Stream

ACTIONS = ActionSpec(low=(-1.0, 0.0), high=(1.0, 2.0), block=3, dt_seconds=0.1)
SENSORS = (
    Sensor(name="top", kind="rgb", shape=(3, 16, 16), rate_hz=10.0),
    Sensor(name="joints", kind="state", shape=(4,), unit="rad", rate_hz=10.0),
)
PERCEPTION = PerceptionConfig(latent=8, encoder="conv", conv_base=2)
RECURRENT = RecurrentDynamicsConfig(latent=8, actions=6, hidden=8, head=8)
TRANSFORMER = TransformerDynamicsConfig(
    latent=8, actions=6, window=3, hidden=8, depth=1, heads=2, head_width=4, members=2
)


def main() -> None:
    """Both kinds; names those that agree."""
    for name, dynamics in (("recurrent", RECURRENT), ("transformer", TRANSFORMER)):
        torch.manual_seed(0)
        config = ModelConfig(sensors=SENSORS, actions=ACTIONS, perception=PERCEPTION, dynamics=dynamics)
        model = JEPA(config).eval().requires_grad_(False)
        with tempfile.TemporaryDirectory() as folder:
            agrees(model, Path(folder), encoder=name == "recurrent")
        print(name)


def agrees(model: JEPA, folder: Path, encoder: bool) -> None:
    """Three steps of three rows in both."""
    graphs = {graph.name: graph for graph in graphs_of(model, None, None)}
    names = ["encoder", "begin", "step"] if encoder else ["begin", "step"]
    for name in names:
        write_graph(graphs[name], folder / f"{name}.onnx")
    running = {name: session(folder / f"{name}.onnx") for name in names}

    def seen(clip: Clip) -> np.ndarray:
        if not encoder:
            return model.encode(clip).values[:, 0].numpy()
        samples = {name: stream.values[:, 0].numpy() for name, stream in clip.streams.items()}
        return np.asarray(running["encoder"].run(None, samples)[0])

    generator = torch.Generator().manual_seed(1)
    clips = [moment(generator, 3) for _ in range(4)]
    blocks = torch.rand(3, 3, ACTIONS.width, generator=generator)
    belief = model.begin(clips[0])
    there = list(running["begin"].run(None, {"seen": seen(clips[0])}))
    befores = [name for name in graphs["step"].inputs if name != "action"]
    for clip, block in zip(clips[1:], blocks, strict=True):
        belief = model.update(belief, clip, block)
        before = dict(zip(befores, there, strict=True))
        there = list(running["step"].run(None, {"action": block.numpy(), **before}))
        there[0] = np.concatenate([there[0][:, :-1], seen(clip)[:, None]], axis=1)
    here = [belief.latents, belief.valid, *belief.memory]
    for one, other in zip(here, there, strict=True):
        np.testing.assert_allclose(one.numpy().astype(np.float64), other.astype(np.float64), atol=TOLERANCE)


def moment(generator: torch.Generator, rows: int) -> Clip:
    """One moment of both sensors."""
    times, valid = torch.zeros(rows, 1, dtype=torch.float64), torch.ones(rows, 1, dtype=torch.bool)
    top = torch.randint(0, 256, (rows, 1, 3, 16, 16), dtype=torch.uint8, generator=generator)
    joints = torch.randn(rows, 1, 4, generator=generator)
    return Clip({"top": Stream(top, times, valid), "joints": Stream(joints, times, valid)})


if __name__ == "__main__":
    main()
