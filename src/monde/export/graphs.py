"""The parts of a run as functions of plain tensors: what an exporter can trace. Batch B is free in all of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monde.actors import Actor
from monde.models import JEPA
from monde.readouts import TemporalDistance
from monde.types import Belief, Clip, Latents, Stream


@dataclass(frozen=True, kw_only=True)
class Graph:
    """One function to export.

    Args:
        name: Of its file.
        module: The function.
        inputs: Examples, by name, with B = 2.
        outputs: Names.
    """

    name: str
    module: nn.Module
    inputs: dict[str, Tensor]
    outputs: tuple[str, ...]


class Encoder(nn.Module):
    """One sample of each sensor, [B, ...] in the order of the model's sensors, to latents [B, N, D]."""

    def __init__(self, model: JEPA) -> None:
        super().__init__()
        self.perception, self.names = model.perception, [sensor.name for sensor in model.sensors]

    def forward(self, *samples: Tensor) -> Float[Tensor, "B N D"]:
        """The latents."""
        first = samples[0]
        times = torch.zeros(first.shape[0], 1, dtype=torch.float64, device=first.device)
        valid = torch.ones(first.shape[0], 1, dtype=torch.bool, device=first.device)
        streams = {
            name: Stream(sample[:, None], times, valid) for name, sample in zip(self.names, samples, strict=True)
        }
        return self.perception(Clip(streams)).values[:, 0]


class Begin(nn.Module):
    """The latents of a first moment to a belief: `latents` [B, W, N, D], `valid` [B, W] and the memory."""

    def __init__(self, model: JEPA) -> None:
        super().__init__()
        self.model, self.width = model, model.actions.width

    def forward(self, latents: Float[Tensor, "B N D"]) -> tuple[Tensor, ...]:
        """The belief's parts."""
        times = torch.zeros(latents.shape[0], 1, dtype=torch.float64, device=latents.device)
        nothing = latents.new_zeros(latents.shape[0], 0, self.width)
        return parts_of(self.model.recall(Latents(latents[:, None], times), nothing))


class Step(nn.Module):
    """A belief and an action block [B, A] in the world's units to the belief after it, its newest latent imagined.

    What is then seen takes the place of what was imagined: write the encoder's latents over `latents[:, -1]`.
    """

    def __init__(self, model: JEPA) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, action: Float[Tensor, "B A"], latents: Tensor, valid: Tensor, *memory: Tensor
    ) -> tuple[Tensor, ...]:
        """The belief's parts."""
        times = torch.zeros(latents.shape[0], dtype=torch.float64, device=latents.device)
        belief = Belief(latents, valid, memory, times)
        imagined = self.model.imagine(belief, action[:, None, None], beliefs=True).beliefs
        if imagined is None:
            raise RuntimeError("a model asked for beliefs gives them")
        return parts_of(imagined)


class Acting(nn.Module):
    """Latents now and wanted, [B, N, D] each, to the action block [B, A] that the actor would take."""

    def __init__(self, actor: Actor) -> None:
        super().__init__()
        self.actor = actor

    def forward(self, latents: Tensor, goal: Tensor) -> Tensor:
        """The block, in the world's units."""
        return self.actor.mode(latents, goal)


class Distance(nn.Module):
    """Latents now and wanted, [B, N, D] each, to the learned time between them in action blocks, [B]."""

    def __init__(self, head: TemporalDistance) -> None:
        super().__init__()
        self.head = head

    def forward(self, latents: Tensor, goal: Tensor) -> Tensor:
        """Blocks."""
        return self.head.distance(latents, goal)


def parts_of(belief: Belief) -> tuple[Tensor, ...]:
    """A belief's tensors, but for its time."""
    return belief.latents, belief.valid, *belief.memory


@torch.no_grad()
def graphs_of(model: JEPA, actor: Actor | None, distance: TemporalDistance | None, batch: int = 2) -> Sequence[Graph]:
    """All that a run can export, with examples drawn from a fixed seed."""
    generator = torch.Generator().manual_seed(0)
    samples = {
        sensor.name: torch.randint(0, 256, (batch, *sensor.shape), dtype=torch.uint8, generator=generator)
        if sensor.kind == "rgb"
        else torch.randn(batch, *sensor.shape, generator=generator)
        for sensor in model.sensors
    }
    encoder, begin = Encoder(model).eval(), Begin(model).eval()
    latents = encoder(*samples.values())
    # Clones: a tensor that is given twice would be traced as one input.
    belief = tuple(part.clone() for part in begin(latents))
    names = ("latents", "valid", *(f"memory_{index}" for index in range(len(belief) - 2)))
    low, high = model.actions.bounds()
    action = low + (high - low) * torch.rand(batch, model.actions.width, generator=generator)
    found = [
        Graph(name="encoder", module=encoder, inputs=samples, outputs=("latents",)),
        Graph(name="begin", module=begin, inputs={"seen": latents}, outputs=names),
        Graph(
            name="step",
            module=Step(model).eval(),
            inputs={"action": action} | {f"{name}_before": part for name, part in zip(names, belief, strict=True)},
            outputs=names,
        ),
    ]
    now_and_goal = {"now": latents, "goal": latents.flip(0)}
    if actor is not None:
        found.append(Graph(name="actor", module=Acting(actor).eval(), inputs=now_and_goal, outputs=("action",)))
    if distance is not None:
        found.append(Graph(name="distance", module=Distance(distance).eval(), inputs=now_and_goal, outputs=("blocks",)))
    return found
