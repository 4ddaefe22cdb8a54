"""What the tensors of a published LeWM are called, in `stable-worldmodel` 0.1.1 and in `torch-world` 0.2.0."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from monde.dynamics.lewm_predictor import LewmPredictorConfig
from monde.errors import unknown_name
from monde.perception.lewm_vit import LewmPerceptionConfig

Layout = Literal["stable-worldmodel", "torch-world"]
LAYOUTS: tuple[Layout, ...] = ("stable-worldmodel", "torch-world")


def known_layout(layout: str) -> Layout:
    """The layout of this name.

    Raises:
        UsageError: An unknown name.
    """
    for known in LAYOUTS:
        if layout == known:
            return known
    raise unknown_name("layout", layout, list(LAYOUTS))


@dataclass(frozen=True)
class Named:
    """One of our tensors in their layout.

    Args:
        ours: Its name in our model.
        theirs: Its name in theirs; several where they keep its rows in parts.
        before: Axes of length 1 that theirs has before ours.
        after: Axes of length 1 that theirs has after ours.
    """

    ours: str
    theirs: tuple[str, ...]
    before: int = 0
    after: int = 0

    def export(self, tensor: Tensor) -> dict[str, Tensor]:
        """Theirs from ours."""
        parts = tensor.chunk(len(self.theirs))
        return {
            name: part.reshape((1,) * self.before + tuple(part.shape) + (1,) * self.after).contiguous()
            for name, part in zip(self.theirs, parts, strict=True)
        }

    def load(self, tensors: Mapping[str, Tensor]) -> Tensor:
        """Ours from theirs, whose shapes were checked."""
        parts = [tensors[name] for name in self.theirs]
        shapes = [part.shape[self.before : part.ndim - self.after] for part in parts]
        return torch.cat([part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)])


def names(layout: Layout, perception: LewmPerceptionConfig, dynamics: LewmPredictorConfig) -> tuple[Named, ...]:
    """All of a model's tensors, but for those that only its training uses."""
    if layout == "torch-world":
        return tuple(_torch_world(perception, dynamics))
    return tuple(_stable_worldmodel(perception, dynamics))


def training_only(layout: Layout) -> dict[str, Tensor]:
    """Tensors that no prediction depends on, as a fresh model of theirs has them."""
    if layout == "stable-worldmodel":
        return {f"{part}.net.1.num_batches_tracked": torch.tensor(0) for part in ("projector", "pred_proj")}
    t = torch.linspace(0, 3, 17)  # SIGReg's knots and weights (arXiv 2511.08544), in a buffer each
    weights = torch.full((17,), 2 * 3 / 16)
    weights[[0, -1]] = 3 / 16
    phi = (-t.square() / 2).exp()
    counts = {f"{part}.1.num_batches_tracked": torch.tensor(0) for part in ("projector", "pred_proj")}
    return counts | {"sigreg.t": t, "sigreg.phi": phi, "sigreg.weights": weights * phi}


def _affine(ours: str, *theirs: str) -> Iterator[Named]:
    for part in ("weight", "bias"):
        yield Named(f"{ours}.{part}", tuple(f"{name}.{part}" for name in theirs))


def _projector(ours: str, theirs: str) -> Iterator[Named]:
    for index in (0, 1, 3):
        yield from _affine(f"{ours}.{index}", f"{theirs}.{index}")
    for part in ("running_mean", "running_var"):
        yield Named(f"{ours}.1.{part}", (f"{theirs}.1.{part}",))


def _stable_worldmodel(perception: LewmPerceptionConfig, dynamics: LewmPredictorConfig) -> Iterator[Named]:
    vit = "encoder.embeddings"
    yield Named("perception.encoder.token", (f"{vit}.cls_token",), before=2)
    yield Named("perception.encoder.positions", (f"{vit}.position_embeddings",), before=1)
    yield from _affine("perception.encoder.patches", f"{vit}.patch_embeddings.projection")
    for depth in range(perception.depth):
        ours, theirs = f"perception.encoder.blocks.{depth}", f"encoder.layers.{depth}"
        yield from _affine(f"{ours}.attention_norm", f"{theirs}.layernorm_before")
        yield from _affine(f"{ours}.attention.qkv", *(f"{theirs}.attention.{part}_proj" for part in "qkv"))
        yield from _affine(f"{ours}.attention.out", f"{theirs}.attention.o_proj")
        yield from _affine(f"{ours}.mlp_norm", f"{theirs}.layernorm_after")
        yield from _affine(f"{ours}.mlp.up", f"{theirs}.mlp.fc1")
        yield from _affine(f"{ours}.mlp.down", f"{theirs}.mlp.fc2")
    yield from _affine("perception.encoder.norm", "encoder.layernorm")
    yield from _projector("perception.projector", "projector.net")
    yield Named("dynamics.action.0.weight", ("action_encoder.patch_embed.weight",), after=1)
    yield Named("dynamics.action.0.bias", ("action_encoder.patch_embed.bias",))
    yield from _affine("dynamics.action.1", "action_encoder.embed.0")
    yield from _affine("dynamics.action.3", "action_encoder.embed.2")
    yield Named("dynamics.positions", ("predictor.pos_embedding",), before=1)
    if dynamics.latent != dynamics.hidden:
        yield from _affine("dynamics.embed", "predictor.transformer.input_proj")
        yield from _affine("dynamics.condition", "predictor.transformer.cond_proj")
    if dynamics.hidden != dynamics.outputs:
        yield from _affine("dynamics.resize", "predictor.transformer.output_proj")
    for depth in range(dynamics.depth):
        ours, theirs = f"dynamics.blocks.{depth}", f"predictor.transformer.layers.{depth}"
        yield from _affine(f"{ours}.attention_inner_norm", f"{theirs}.attn.norm")
        yield Named(f"{ours}.qkv.weight", (f"{theirs}.attn.to_qkv.weight",))
        yield from _affine(f"{ours}.out", f"{theirs}.attn.to_out.0")
        yield from _affine(f"{ours}.mlp_inner_norm", f"{theirs}.mlp.net.0")
        yield from _affine(f"{ours}.mlp.up", f"{theirs}.mlp.net.1")
        yield from _affine(f"{ours}.mlp.down", f"{theirs}.mlp.net.4")
        yield from _affine(f"{ours}.modulation", f"{theirs}.adaLN_modulation.1")
    yield from _affine("dynamics.norm", "predictor.transformer.norm")
    yield from _projector("dynamics.projector", "pred_proj.net")


def _torch_world(perception: LewmPerceptionConfig, dynamics: LewmPredictorConfig) -> Iterator[Named]:
    yield Named("perception.encoder.token", ("encoder.vit.cls_token",), before=2)
    yield from _affine("perception.encoder.patches", "encoder.vit.patch_embed.proj")
    for depth in range(perception.depth):
        ours, theirs = f"perception.encoder.blocks.{depth}", f"encoder.vit.transformer.blocks.{depth}"
        yield from _affine(f"{ours}.attention_norm", f"{theirs}.norm1")
        yield from _affine(f"{ours}.attention.qkv", f"{theirs}.attn.qkv")
        yield from _affine(f"{ours}.attention.out", f"{theirs}.attn.proj")
        yield from _affine(f"{ours}.mlp_norm", f"{theirs}.norm2")
        yield from _affine(f"{ours}.mlp.up", f"{theirs}.mlp.0")
        yield from _affine(f"{ours}.mlp.down", f"{theirs}.mlp.2")
    yield from _affine("perception.encoder.norm", "encoder.vit.transformer.norm")
    yield from _projector("perception.projector", "projector")
    for index, name in {0: "0", 1: "1.0", 3: "1.2"}.items():
        yield from _affine(f"dynamics.action.{index}", f"action_encoder.{name}")
    yield Named("dynamics.positions", ("pos_embed",), before=1)
    down = 3 if dynamics.dropout else 2  # their MLP has a layer more where it drops units
    for depth in range(dynamics.depth):
        ours, theirs = f"dynamics.blocks.{depth}", f"predictor.blocks.{depth}"
        yield from _affine(f"{ours}.qkv", f"{theirs}.attn.qkv")
        yield from _affine(f"{ours}.out", f"{theirs}.attn.proj")
        yield from _affine(f"{ours}.mlp.up", f"{theirs}.mlp.0")
        yield from _affine(f"{ours}.mlp.down", f"{theirs}.mlp.{down}")
        yield from _affine(f"{ours}.modulation", f"{theirs}.modulation.1")
    yield from _affine("dynamics.norm", "predictor.norm")
    yield from _projector("dynamics.projector", "pred_proj")


# transformers 4 → 5; the weights on the hub were written with 4.
_RENAMED = (
    (r"^encoder\.encoder\.layer\.", "encoder.layers."),
    (r"\.attention\.attention\.(query|key|value)\.", lambda found: f".attention.{found[1][0]}_proj."),
    (r"\.attention\.output\.dense\.", ".attention.o_proj."),
    (r"\.intermediate\.dense\.", ".mlp.fc1."),
    (r"\.output\.dense\.", ".mlp.fc2."),
)


def modern(name: str) -> str:
    """A tensor's name with the ViT's parts called as transformers 5 does, whichever version wrote it."""
    if name.startswith("encoder.encoder.layer."):
        for old, new in _RENAMED:
            name = re.sub(old, new, name)
    return name
