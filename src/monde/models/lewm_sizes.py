"""The sizes of a published LeWM, read off the shapes of its tensors."""

import math
import re
from collections.abc import Mapping

from torch import Tensor

from monde.dynamics.lewm_predictor import LewmPredictorConfig
from monde.errors import ContractError, StoreError
from monde.models.lewm_names import Layout
from monde.perception.lewm_vit import LewmPerceptionConfig
from monde.types import Sensor

HEAD_WIDTH = 64
"""Numbers a head, in the ViT and the predictor, of every LeWM published."""


def read_sizes(
    tensors: Mapping[str, Tensor], layout: Layout, camera: Sensor, heads: Mapping[str, int]
) -> tuple[LewmPerceptionConfig, LewmPredictorConfig]:
    """The configurations that the tensors were made for.

    Args:
        tensors: By name; the ViT's as in transformers 5.
        layout: Which package's.
        camera: Its frames' size is that of fixed positions.
        heads: Attention heads of "encoder" and "predictor" where known; the shapes do not tell.

    Raises:
        StoreError: A tensor that is missing or of another rank.
        ContractError: Widths that the heads do not divide.
    """
    if layout == "torch-world":
        return _torch_world(tensors, camera, heads)
    return _stable_worldmodel(tensors, heads)


def _stable_worldmodel(
    tensors: Mapping[str, Tensor], heads: Mapping[str, int]
) -> tuple[LewmPerceptionConfig, LewmPredictorConfig]:
    vit = "encoder.embeddings"
    hidden, _, patch, _ = _shape(tensors, f"{vit}.patch_embeddings.projection.weight", 4)
    positions = _shape(tensors, f"{vit}.position_embeddings", 3)[1]
    projector = _shape(tensors, "projector.net.0.weight", 2)[0]
    latent = _shape(tensors, "projector.net.3.weight", 2)[0]
    perception = LewmPerceptionConfig(
        latent=latent,
        patch=patch,
        grid=math.isqrt(positions - 1),
        hidden=hidden,
        depth=_depth(tensors, "encoder.layers."),
        heads=_heads("encoder", hidden, heads),
        mlp=_shape(tensors, "encoder.layers.0.mlp.fc1.weight", 2)[0],
        projector=projector,
    )
    block = "predictor.transformer.layers.0"
    inner, width = _shape(tensors, f"{block}.attn.to_qkv.weight", 2)
    predictor_heads = _heads("predictor", inner // 3, heads)
    action_hidden, smoothed = _shape(tensors, "action_encoder.embed.0.weight", 2)
    dynamics = LewmPredictorConfig(
        latent=latent,
        actions=_shape(tensors, "action_encoder.patch_embed.weight", 3)[1],
        window=_shape(tensors, "predictor.pos_embedding", 3)[1],
        hidden=width,
        outputs=_shape(tensors, "pred_proj.net.0.weight", 2)[1],
        depth=_depth(tensors, "predictor.transformer.layers."),
        heads=predictor_heads,
        head_width=inner // 3 // predictor_heads,
        mlp=_shape(tensors, f"{block}.mlp.net.1.weight", 2)[0],
        smoothed=smoothed,
        action_hidden=action_hidden,
        projector=_shape(tensors, "pred_proj.net.0.weight", 2)[0],
    )
    return perception, dynamics


def _torch_world(
    tensors: Mapping[str, Tensor], camera: Sensor, heads: Mapping[str, int]
) -> tuple[LewmPerceptionConfig, LewmPredictorConfig]:
    hidden, _, patch, _ = _shape(tensors, "encoder.vit.patch_embed.proj.weight", 4)
    perception = LewmPerceptionConfig(
        latent=hidden,
        patch=patch,
        grid=camera.shape[-1] // patch,
        hidden=hidden,
        depth=_depth(tensors, "encoder.vit.transformer.blocks."),
        heads=_heads("encoder", hidden, heads),
        mlp=_shape(tensors, "encoder.vit.transformer.blocks.0.mlp.0.weight", 2)[0],
        projector=_shape(tensors, "projector.0.weight", 2)[0],
        positions="sines",
        norm_eps=1e-6,
        pixel_mean=(0.0, 0.0, 0.0),
        pixel_std=(1.0, 1.0, 1.0),
    )
    inner = _shape(tensors, "predictor.blocks.0.attn.qkv.weight", 2)[0] // 3
    predictor_heads = _heads("predictor", inner, heads)
    action_hidden, smoothed = _shape(tensors, "action_encoder.1.0.weight", 2)
    dynamics = LewmPredictorConfig(
        latent=hidden,
        actions=_shape(tensors, "action_encoder.0.weight", 2)[1],
        window=_shape(tensors, "pos_embed", 3)[1],
        hidden=hidden,
        outputs=hidden,
        depth=_depth(tensors, "predictor.blocks."),
        heads=predictor_heads,
        head_width=inner // predictor_heads,
        mlp=_shape(tensors, "predictor.blocks.0.mlp.0.weight", 2)[0],
        smoothed=smoothed,
        action_hidden=action_hidden,
        projector=_shape(tensors, "pred_proj.0.weight", 2)[0],
        inner_norm=False,
        norm_eps=1e-6,
        dropout=0.0 if "predictor.blocks.0.mlp.2.weight" in tensors else 0.1,
        residual_dropout=0.0,
    )
    return perception, dynamics


def _shape(tensors: Mapping[str, Tensor], name: str, rank: int) -> tuple[int, ...]:
    if name not in tensors:
        raise StoreError(
            f"the weights have no tensor {name!r}",
            got=f"{len(tensors)} others, such as {sorted(tensors)[:3]}",
            remedy="choose the layout of the package that wrote them",
        )
    shape = tuple(tensors[name].shape)
    if len(shape) != rank or not all(shape):
        raise StoreError(f"tensor {name!r} has an unusable shape", got=list(shape), expected=f"{rank} axes, none empty")
    return shape


def _depth(tensors: Mapping[str, Tensor], prefix: str) -> int:
    found = (re.match(re.escape(prefix) + r"(\d+)\.", name) for name in tensors)
    return 1 + max((int(match[1]) for match in found if match), default=0)


def _heads(part: str, width: int, known: Mapping[str, int]) -> int:
    heads = known.get(part, max(1, width // HEAD_WIDTH))
    if heads < 1 or width % heads:
        raise ContractError(
            f"the {part}'s attention cannot have that many heads",
            got=f"{heads} heads for a width of {width}",
            expected="a divisor of the width",
            remedy=f"give {part}_heads as in their training",
        )
    return heads
