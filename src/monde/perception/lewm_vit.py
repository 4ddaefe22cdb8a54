"""LeWM's perception as published: a ViT's class token and a projector, one camera, one token a frame."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from monde.errors import ContractError
from monde.nn import BatchNorm, Block, sincos_2d
from monde.perception.frames import camera_frames
from monde.types import Clip, Latents, Sensor


@dataclass(frozen=True, kw_only=True)
class LewmPerceptionConfig:
    """Sizes and conventions of a published LeWM encoder (arXiv 2603.19312, section 3).

    Args:
        latent: D, width of the latent.
        patch: Side of a patch in pixels.
        grid: Patches a side of the frames that learned positions belong to; other frames interpolate them.
        hidden: ViT token width.
        depth: ViT blocks.
        heads: ViT heads.
        mlp: Hidden width of the ViT's MLPs.
        projector: Hidden width of the projector.
        positions: "learned", for the class token too, or fixed "sines" for the patches alone.
        norm_eps: Epsilon of the ViT's norms.
        pixel_mean: What is subtracted from channels scaled to 0..1.
        pixel_std: What they are then divided by.
    """

    latent: int = 192
    patch: int = 14
    grid: int = 16
    hidden: int = 192
    depth: int = 12
    heads: int = 3
    mlp: int = 768
    projector: int = 2048
    positions: Literal["learned", "sines"] = "learned"
    norm_eps: float = 1e-12
    pixel_mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    pixel_std: tuple[float, float, float] = (0.229, 0.224, 0.225)


class LewmViT(nn.Module):
    """ViT (arXiv 2010.11929) whose class token stands for the frame.

    Raises:
        ContractError: A frame that is not a whole number of patches.
    """

    fixed: Tensor

    def __init__(self, height: int, width: int, config: LewmPerceptionConfig) -> None:
        super().__init__()
        if height % config.patch or width % config.patch:
            raise ContractError(
                "the frame is not a whole number of patches",
                got=f"{height}×{width} with patches of {config.patch}",
                expected="sides that are multiples of the patch",
                remedy="resize the frames to what the weights were trained on",
            )
        self.rows, self.columns, self.grid = height // config.patch, width // config.patch, config.grid
        self.patches = nn.Conv2d(3, config.hidden, config.patch, config.patch)
        self.token = nn.Parameter(torch.randn(config.hidden) * 0.02)
        self.learned = config.positions == "learned"
        if self.learned:
            self.positions = nn.Parameter(torch.randn(1 + config.grid**2, config.hidden) * 0.02)
        else:
            sines = sincos_2d(self.rows, self.columns, config.hidden)
            self.register_buffer("fixed", nn.functional.pad(sines, (0, 0, 1, 0)), persistent=False)
        self.layers = [Block(config.hidden, config.heads, config.mlp) for _ in range(config.depth)]
        self.blocks = nn.ModuleList(self.layers)
        self.norm = nn.LayerNorm(config.hidden)
        for module in self.modules():
            if isinstance(module, nn.LayerNorm):
                module.eps = config.norm_eps

    def forward(self, frames: Float[Tensor, "M 3 h w"]) -> Float[Tensor, "M d"]:
        """Normalised frames to the class token [M, hidden]."""
        tokens = self.patches(frames).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.token.to(tokens.dtype).expand(len(tokens), 1, -1), tokens], dim=1)
        tokens = tokens + self.codes().to(tokens.dtype)
        *layers, last = self.layers
        for block in layers:
            tokens = block(tokens)
        return self.norm(last.first(tokens))

    def codes(self) -> Float[Tensor, "L d"]:
        """Position codes of the class token and the patches, interpolated where the frames are of another size."""
        if not self.learned:
            return self.fixed
        if (self.rows, self.columns) == (self.grid, self.grid):
            return self.positions
        square = self.positions[1:].unflatten(0, (self.grid, self.grid)).permute(2, 0, 1)[None]
        resized = nn.functional.interpolate(square, (self.rows, self.columns), mode="bicubic", align_corners=False)
        return torch.cat([self.positions[:1], resized[0].flatten(1).transpose(0, 1)])


class LewmPerception(nn.Module):
    """ViT, then a projector with batch norm (arXiv 2603.19312, section 3); a missing frame becomes the zero latent.

    Raises:
        ContractError: Other sensors than one camera.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, sensors: tuple[Sensor, ...], config: LewmPerceptionConfig) -> None:
        super().__init__()
        if len(sensors) != 1 or sensors[0].kind != "rgb":
            raise ContractError(
                "LeWM as published reads one camera",
                got=[f"{sensor.name} ({sensor.kind})" for sensor in sensors],
                expected="one sensor of kind rgb",
                remedy="name one camera; models of several sensors are trained with monde.models.lewm",
            )
        self.sensors = sensors
        _, height, width = sensors[0].shape
        self.encoder = LewmViT(height, width, config)
        self.projector = nn.Sequential(
            nn.Linear(config.hidden, config.projector),
            BatchNorm(config.projector),
            nn.GELU(),
            nn.Linear(config.projector, config.latent),
        )
        mean, std = torch.tensor(config.pixel_mean), torch.tensor(config.pixel_std)
        self.register_buffer("scale", (1 / (255 * std))[:, None, None], persistent=False)
        self.register_buffer("shift", (-mean / std)[:, None, None], persistent=False)

    def forward(self, clip: Clip) -> Latents:
        """An aligned clip to latents [B, T, 1, D].

        Raises:
            ContractError: Frames of another shape or type than the model was made for.
        """
        stream = camera_frames(self.sensors[0], clip)
        latents = self._encode(stream.values.flatten(0, 1)).unflatten(0, stream.values.shape[:2])
        latents = torch.where(stream.valid[..., None], latents, torch.zeros_like(latents))
        return Latents(latents[:, :, None], stream.times_seconds)

    def _encode(self, frames: Shaped[Tensor, "M 3 h w"]) -> Float[Tensor, "M d"]:
        values = frames.float() * self.scale + self.shift
        return self.projector(self.encoder(values)).float()
