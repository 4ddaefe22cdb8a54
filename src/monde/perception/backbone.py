"""Frozen pretrained encoders (DINOv2, DINOv3, V-JEPA 2): frames to a grid of patch tokens."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from typing import Literal, Self

import torch
from jaxtyping import Float, Shaped, UInt8
from torch import Tensor, nn

from monde.errors import ContractError, StoreError, UsageError, unknown_name
from monde.perception.backbone_files import BackboneFiles, find_backbone

Family = Literal["dinov2", "dinov2_with_registers", "dinov3_vit", "vjepa2"]
_FAMILIES: dict[str, Family] = {
    "dinov2": "dinov2",
    "dinov2_with_registers": "dinov2_with_registers",
    "dinov3_vit": "dinov3_vit",
    "vjepa2": "vjepa2",
}
TUBELET = 2
"""Frames in the shortest clip that V-JEPA 2 takes."""

BATCH = 32
"""Frames that are encoded at once."""


@dataclass(frozen=True, kw_only=True)
class BackboneConfig:
    """Which encoder, and how it is shown frames. Its weights are not stored with a model: their hash is.

    Args:
        name: Folder, or name on the hub.
        revision: Commit on the hub, or empty for a folder.
        weights: SHA-256 of the files that decide what it says (`BackboneFiles.hash`).
        family: Kind of network.
        latent: D, width of a token.
        patch: Side of a patch in pixels.
        side: Frames are brought to side × side pixels.
        resample: How.
        mean: Subtracted from each channel (of 0 to 1).
        std: Divides each channel then.
        grid: Tokens a side after pooling: N = grid² for each camera.
    """

    name: str
    revision: str
    weights: str
    family: Family
    latent: int
    patch: int
    side: int
    resample: Literal["bilinear", "bicubic"]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    grid: int

    @property
    def patches(self) -> int:
        """Patches a side, before pooling."""
        return self.side // self.patch


def describe_backbone(name: str, *, frame: int, grid: int) -> BackboneConfig:
    """The configuration of an encoder, read from its files without loading it.

    Frames are never enlarged beyond the next whole patch: what is not in them costs time and says nothing. (V-JEPA 2
    knows one size only.)

    Args:
        name: Folder; or `user/model`, `user/model@revision` on the hub.
        frame: Side in pixels of the frames that it is shown.
        grid: Tokens a side that are kept; patches are averaged down to them.

    Raises:
        UsageError: Not a model folder nor on the hub; no safetensors; another kind of network; more tokens than there
            are patches.
        StoreError: Its JSON files are malformed.
    """
    files = find_backbone(name)
    kind = files.config.get("model_type")
    if not isinstance(kind, str) or kind not in _FAMILIES:
        raise unknown_name("kind of encoder", str(kind), sorted(_FAMILIES))
    family, patch = _FAMILIES[kind], files.integer("patch_size")
    if family == "vjepa2" and files.integer("tubelet_size", TUBELET) != TUBELET:
        raise UsageError(
            f"{name} takes longer clips", got=f"tubelet_size {files.config['tubelet_size']}", expected=TUBELET
        )
    native = files.integer("crop_size") if family == "vjepa2" else files.side
    # Only whole patches are looked at.
    side = native if family == "vjepa2" else min(native // patch, -(-frame // patch)) * patch
    if not 1 <= grid <= side // patch:
        raise UsageError(
            f"{name} does not give that many tokens",
            got=f"--grid {grid}",
            expected=f"1 to {side // patch}: frames of {frame} px are shown as {side} px in patches of {patch}",
            remedy="give a smaller --grid or a larger --frame",
        )
    return BackboneConfig(
        name=name.partition("@")[0] if files.revision else str(files.folder.resolve()),
        revision=files.revision,
        weights=files.hash(),
        family=family,
        latent=files.integer("hidden_size"),
        patch=patch,
        side=side,
        resample="bicubic" if files.resample == "bicubic" else "bilinear",
        mean=files.colours("image_mean"),
        std=files.colours("image_std"),
        grid=grid,
    )


def find_again(config: BackboneConfig) -> BackboneFiles:
    """The files of an encoder that was described before.

    Raises:
        UsageError: They are gone.
        StoreError: They are others than they were.
    """
    files = find_backbone(f"{config.name}@{config.revision}" if config.revision else config.name)
    found = files.hash()
    if found != config.weights:
        raise StoreError(
            f"{config.name} is another encoder than the model was trained with",
            got=f"sha256 {found[:16]}…",
            expected=f"{config.weights[:16]}…",
            remedy="put the encoder's files back, or train again with this one",
        )
    return files


class Backbone:
    """A frozen encoder: evaluation mode, no gradient, no part of any checkpoint. Made by `load` or `untrained`.

    Frames are resized as a whole (no crop), scaled to 0 to 1 and standardised as the encoder's own preprocessing says.
    Class and register tokens are dropped. V-JEPA 2 is shown each frame as a still clip of one tubelet, so that a step's
    latent does not depend on its neighbours.

    Attributes:
        config: What it is.
    """

    def __init__(self, config: BackboneConfig, network: nn.Module) -> None:
        self.config = config
        self._network = network.eval().requires_grad_(False)
        self._mean = torch.tensor(config.mean).reshape(3, 1, 1)
        self._std = torch.tensor(config.std).reshape(3, 1, 1)

    @classmethod
    def load(cls, config: BackboneConfig) -> Self:
        """The encoder with its pretrained weights, on the CPU.

        Raises:
            UsageError: Its files, or transformers, are not there.
            StoreError: The files are others than `config` says, or lack weights.
        """
        require_transformers()
        from transformers import AutoModel

        folder = find_again(config).folder
        try:
            with _without_bars():
                network, report = AutoModel.from_pretrained(
                    folder,
                    use_safetensors=True,
                    trust_remote_code=False,
                    local_files_only=True,
                    dtype=torch.float32,
                    output_loading_info=True,
                )
        except (OSError, ValueError, RuntimeError) as error:
            raise StoreError(f"the weights in {folder} cannot be loaded", got=str(error)[:200]) from error
        missing = sorted(key for key in report["missing_keys"] if not key.startswith("predictor."))
        if missing or report["mismatched_keys"]:
            raise StoreError(
                f"{folder} lacks weights of its encoder",
                got=f"missing {missing[:5]}, of another shape {[str(key) for key in report['mismatched_keys']][:5]}",
                expected=f"all weights of a {config.family}",
                remedy="fetch it again from where it came",
            )
        return cls(config, network)

    @classmethod
    def untrained(cls, config: BackboneConfig, seed: int) -> Self:
        """The same network with random weights: the floor that pretraining must beat.

        Raises:
            UsageError: Its files, or transformers, are not there.
            StoreError: The files are others than `config` says.
        """
        require_transformers()
        from transformers import AutoConfig, AutoModel

        described = AutoConfig.from_pretrained(find_again(config).folder, local_files_only=True)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return cls(config, AutoModel.from_config(described))

    def to(self, device: torch.device | str) -> Self:
        """Move it there; returns itself."""
        self._network.to(device)
        self._mean, self._std = self._mean.to(device), self._std.to(device)
        return self

    @torch.no_grad()
    def __call__(self, frames: Shaped[Tensor, "M 3 h w"]) -> Float[Tensor, "M g g D"]:
        """Tokens of frames uint8 [M, 3, h, w] (on its device) as float32 [M, grid, grid, D], rows from the top.

        Raises:
            ContractError: Frames that are not uint8.
        """
        if frames.dtype != torch.uint8:
            raise ContractError("an encoder takes uint8 frames", got=str(frames.dtype), expected="0 to 255")
        with torch.autocast(frames.device.type, enabled=False):
            return torch.cat([self._encode(part) for part in frames.split(BATCH)])

    def _encode(self, frames: UInt8[Tensor, "M 3 h w"]) -> Float[Tensor, "M g g D"]:
        config = self.config
        pixels = self.preprocess(frames)
        if config.family == "vjepa2":
            still = pixels[:, None].expand(-1, TUBELET, -1, -1, -1)
            output = self._network(pixel_values_videos=still, skip_predictor=True)
        else:
            output = self._network(pixel_values=pixels)
        tokens: Tensor = output.last_hidden_state
        P = config.patches
        # Class and register tokens come first.
        maps = tokens[:, -P * P :].unflatten(1, (P, P))
        if config.grid == P:
            return maps
        pooled = nn.functional.adaptive_avg_pool2d(maps.permute(0, 3, 1, 2), config.grid)
        return pooled.permute(0, 2, 3, 1)

    def preprocess(self, frames: UInt8[Tensor, "M 3 h w"]) -> Float[Tensor, "M 3 s s"]:
        """Frames as the network is shown them: side × side, (x / 255 - mean) / std."""
        values, side = frames.float(), self.config.side
        if tuple(frames.shape[-2:]) != (side, side):
            resized = nn.functional.interpolate(
                values, (side, side), mode=self.config.resample, align_corners=False, antialias=True
            )
            values = resized.clamp(0, 255)  # bicubic overshoots at edges
        return (values / 255 - self._mean) / self._std


@lru_cache(maxsize=1)
def shared_backbone(config: BackboneConfig) -> Backbone:
    """`Backbone.load`, once a process: models of one encoder share its weights."""
    return Backbone.load(config)


@contextmanager
def _without_bars() -> Iterator[None]:
    """transformers draws a progress bar of its own for every model that it loads."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def require_transformers() -> None:
    """Refuse early where the package that holds the networks is not installed.

    Raises:
        UsageError: It is not.
    """
    if find_spec("transformers") is None:
        raise UsageError(
            "pretrained encoders need transformers", got="not installed", remedy="pip install 'monde[backbones]'"
        )
