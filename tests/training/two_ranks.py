"""Run by test_distributed.py in each of two processes: the gradient that DDP leaves, written by rank 0."""

import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

from monde.models import JEPA, model_config
from monde.objectives import ObjectiveConfig
from monde.training import TrainStep
from monde.types import ActionSpec, Clip, Sensor, Stream

ACTIONS = ActionSpec(low=(-1.0,), high=(1.0,), block=2, dt_seconds=0.1)


def build(regulariser: str) -> TrainStep:
    torch.manual_seed(0)
    sensor = Sensor(name="top", kind="rgb", shape=(3, 16, 16), rate_hz=10)
    objective = ObjectiveConfig(regulariser=regulariser, inverse_weight=0.5, projections=32)  # type: ignore[arg-type]
    return TrainStep(JEPA(model_config("nano", (sensor,), ACTIONS)), objective)


def clip_of(frames: torch.Tensor, actions: torch.Tensor) -> Clip:
    return Clip({"top": Stream.regular(frames, 5)}, Stream.regular(actions, 5))


def gradients(module: torch.nn.Module, step: TrainStep, clip: Clip) -> dict[str, torch.Tensor]:
    losses = module(clip, torch.Generator().manual_seed(7))
    losses.total.backward()
    found = {n: p.grad.clone() for n, p in step.named_parameters() if p.grad is not None}
    return found | {"running_var": step.model.perception.norm.running_var.clone(), "loss": losses.total.detach()}


def main(data: str, out: str, *regularisers: str) -> None:
    """Writes a file for each regulariser, of its name, into a folder."""
    distributed.init_process_group("gloo")
    rank = distributed.get_rank()
    tensors = load_file(data)
    half = len(tensors["frames"]) // 2
    mine = slice(rank * half, (rank + 1) * half)
    clip = clip_of(tensors["frames"][mine], tensors["actions"][mine])
    for regulariser in regularisers:
        step = build(regulariser)
        found = gradients(DistributedDataParallel(step), step, clip)
        distributed.all_reduce(found["loss"], distributed.ReduceOp.SUM)
        found["loss"] = found["loss"] / 2
        if rank == 0:
            save_file(found, Path(out) / regulariser)
    distributed.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
