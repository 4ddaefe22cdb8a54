"""LeWM in another package's own code and environment: random or given weights, and what they make of given inputs.

Run by `backbones.py` with the Python of `peer_environment`; monde is not installed there.

PEER_PYTHON benchmarks/peers/lewm_peer.py SPEC.json

SPEC: {"peer", "sizes", "seed", "inputs": FILE, "weights": FILE or null, "save": FILE or null, "outputs": FILE}; files
are safetensors. Inputs: frames uint8 [B, T, 3, s, s]; actions [B, S, U, A], standardised; sequences of S share their
first T - 1 blocks. Outputs: latents, predicted, and a rollout after each length of history from 1 to T.
"""

import json
import sys
from collections.abc import Mapping
from importlib import import_module
from operator import methodcaller
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def allow_torchvision() -> None:
    """Let a torchvision whose compiled operators do not fit this torch be imported: none of them is used here."""
    try:
        import_module("torchvision")
    except (RuntimeError, ImportError) as error:
        if "torchvision::nms does not exist" not in str(error):
            raise
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        import_module("torchvision")
        KEPT.append(library)


KEPT: list[torch.library.Library] = []  # an operator lives as long as its library


def stable_worldmodel(sizes: Mapping[str, int]) -> nn.Module:
    """As its training script and its published configuration build it, the ViT from `vit_hf`'s settings."""
    allow_torchvision()
    lewm = import_module("stable_worldmodel.wm.lewm")
    module = import_module("stable_worldmodel.wm.lewm.module")
    transformers = import_module("transformers")
    vit = transformers.ViTConfig(
        hidden_size=sizes["hidden"],
        num_hidden_layers=sizes["depth"],
        num_attention_heads=sizes["heads"],
        intermediate_size=4 * sizes["hidden"],
        image_size=sizes["trained_side"],
        patch_size=sizes["patch"],
    )
    hidden, latent = sizes["hidden"], sizes["latent"]

    def projector(inputs: int) -> object:
        return module.MLP(inputs, sizes["projector"], latent, norm_fn=nn.BatchNorm1d)

    made: nn.Module = lewm.LeWM(
        encoder=transformers.ViTModel(vit, add_pooling_layer=False, use_mask_token=False),
        predictor=module.Predictor(
            num_frames=sizes["window"],
            depth=sizes["predictor_depth"],
            heads=sizes["predictor_heads"],
            mlp_dim=sizes["mlp"],
            input_dim=latent,
            hidden_dim=hidden,
            output_dim=hidden,
            dim_head=sizes["head_width"],
            dropout=0.1,
        ),
        action_encoder=module.Embedder(input_dim=sizes["actions"], emb_dim=latent),
        projector=projector(hidden),
        pred_proj=projector(hidden),
    )
    return made


def torch_world(sizes: Mapping[str, int]) -> nn.Module:
    """As its README builds it."""
    encoder = import_module("torch_world.nn").CLSEncoder(
        sizes["side"], sizes["patch"], embed_dim=sizes["hidden"], depth=sizes["depth"], num_heads=sizes["heads"]
    )
    made: nn.Module = import_module("torch_world.models").LeWM(
        encoder,
        sizes["actions"],
        embed_dim=sizes["hidden"],
        history=sizes["window"],
        depth=sizes["predictor_depth"],
        num_heads=sizes["predictor_heads"],
        head_dim=sizes["head_width"],
        mlp_dim=sizes["mlp"],
        proj_dim=sizes["projector"],
    )
    return made


def run_stable_worldmodel(model: nn.Module, frames: Tensor, actions: Tensor, window: int) -> dict[str, Tensor]:
    """Latents, one-step predictions and rollouts through its own methods."""
    pixels = (frames.float() / 255 - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]
    info = methodcaller("encode", {"pixels": pixels, "action": actions[:, 0]})(model)
    predicted = methodcaller("predict", info["emb"][:, :window], info["act_emb"][:, :window])(model)
    found = {"latents": info["emb"], "predicted": predicted}
    S, T = actions.shape[1], frames.shape[1]
    for length in range(1, T + 1):
        given = {"pixels": pixels[:, None, T - length :].expand(-1, S, *[-1] * 4)}
        done = methodcaller("rollout", given, actions[:, :, T - length :])(model)
        found[f"rollout{length}"] = done["predicted_emb"][:, :, length:]
    return found


def run_torch_world(model: nn.Module, frames: Tensor, actions: Tensor, window: int) -> dict[str, Tensor]:
    """The same of this package."""
    z = methodcaller("encode", frames.float() / 255)(model)
    found = {"latents": z, "predicted": methodcaller("predict", z[:, :window], actions[:, 0, :window])(model)}
    S, T = actions.shape[1], frames.shape[1]
    for length in range(1, T + 1):
        repeated = z[:, T - length :].repeat_interleave(S, dim=0)
        done = methodcaller("rollout", repeated, actions[:, :, T - length :].flatten(0, 1))(model)
        found[f"rollout{length}"] = done[:, length:].unflatten(0, (-1, S))
    return found


MAKE = {"stable-worldmodel": stable_worldmodel, "torch-world": torch_world}
RUN = {"stable-worldmodel": run_stable_worldmodel, "torch-world": run_torch_world}


def shake(model: nn.Module, seed: int) -> None:
    """Random weights that leave nothing at zero or one: fresh gates pass nothing on, fresh norms hide their gains."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        parameter.data.add_(0.05 * torch.randn(parameter.shape, generator=generator))
    for name, buffer in model.named_buffers():
        if name.endswith("running_mean"):
            buffer.copy_(0.3 * torch.randn(buffer.shape, generator=generator))
        elif name.endswith("running_var"):
            buffer.copy_(0.5 + torch.rand(buffer.shape, generator=generator))


@torch.no_grad()
def main() -> None:
    """Build, load or shake, run, and write."""
    spec = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    torch.manual_seed(spec["seed"])
    model = MAKE[spec["peer"]](spec["sizes"]).eval()
    if spec["weights"]:
        model.load_state_dict(load_file(spec["weights"]))
    else:
        shake(model, spec["seed"])
    if spec["save"]:
        save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, spec["save"])
    inputs = load_file(spec["inputs"])
    outputs = RUN[spec["peer"]](model, inputs["frames"], inputs["actions"], spec["sizes"]["window"])
    save_file({name: tensor.contiguous() for name, tensor in outputs.items()}, spec["outputs"])


if __name__ == "__main__":
    main()
