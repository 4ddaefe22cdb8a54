"""Tiny pretrained encoders with random weights, written as the hub's own are."""

import json
from pathlib import Path

import torch

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
FAMILIES = ("dinov2", "dinov2_with_registers", "dinov3_vit", "vjepa2")


def write_encoder(folder: Path, family: str = "dinov2", seed: int = 0) -> Path:
    """A model folder: patches of 8 px, made for frames of 32 px, D = 16."""
    import transformers as t

    torch.manual_seed(seed)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "patch_size": 8}
    network: t.PreTrainedModel
    if family == "dinov2":
        network = t.Dinov2Model(t.Dinov2Config(**sizes, image_size=32, mlp_ratio=2))
    elif family == "dinov2_with_registers":
        network = t.Dinov2WithRegistersModel(
            t.Dinov2WithRegistersConfig(**sizes, image_size=32, mlp_ratio=2, num_register_tokens=3)
        )
    elif family == "dinov3_vit":
        network = t.DINOv3ViTModel(
            t.DINOv3ViTConfig(**sizes, image_size=32, intermediate_size=32, num_register_tokens=2)
        )
    else:
        predictor = {"pred_hidden_size": 16, "pred_num_attention_heads": 2, "pred_num_hidden_layers": 1}
        network = t.VJEPA2Model(t.VJEPA2Config(**sizes, crop_size=32, frames_per_clip=4, mlp_ratio=2, **predictor))
    for parameter in network.parameters():  # as large as trained ones: fresh weights tell frames apart by little
        torch.nn.init.normal_(parameter, std=0.2)
    network.save_pretrained(folder)
    preprocessing = {"image_mean": MEAN, "image_std": STD, "resample": 3, "crop_size": {"height": 32, "width": 32}}
    name = "video_preprocessor_config.json" if family == "vjepa2" else "preprocessor_config.json"
    (folder / name).write_text(json.dumps(preprocessing), encoding="utf-8")
    return folder
