"""Published LeWM (arXiv 2603.19312) in two packages and in ours: the same weights must give the same numbers.

python benchmarks/backbones.py [--golden tests/models/lewm_layouts.json]

Each peer runs its own code in its own environment (`peers/environment.py`). Both ways: its random weights imported into
our model, and another model of ours exported into its. Compared are latents, one-step predictions and rollouts after
histories of 1 to 5 frames. The floor is the difference between two models of unrelated random weights.
"""

import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from common import options, write
from monde.models import JEPA, export_lewm, import_lewm, save_lewm
from monde.models.lewm_names import LAYOUTS, Layout
from monde.scorecard import Row
from monde.store import write_json
from monde.types import ActionSpec, Clip, Sensor, Stream
from peers.environment import PEERS, clean_environment, peer_environment

SCRIPT = Path(__file__).resolve().parent / "peers" / "lewm_peer.py"
PAPER = {
    "hidden": 192, "depth": 12, "heads": 3, "latent": 192, "window": 3, "predictor_depth": 6, "predictor_heads": 16,
    "head_width": 64, "mlp": 2048, "projector": 2048, "actions": 10,
}  # fmt: skip
TINY = {
    "hidden": 16, "depth": 2, "heads": 2, "latent": 16, "window": 3, "predictor_depth": 2, "predictor_heads": 2,
    "head_width": 8, "mlp": 24, "projector": 20, "actions": 10, "side": 16, "trained_side": 16, "patch": 8,
}  # fmt: skip
CASES: Mapping[str, Mapping[str, int]] = {
    "224px": PAPER | {"side": 224, "trained_side": 224, "patch": 14},
    "64px": PAPER | {"side": 64, "trained_side": 64, "patch": 8},
    "64px_of_weights_for_96px": PAPER | {"side": 64, "trained_side": 96, "patch": 8},
}
FRAMES, SAMPLES, HORIZON = 5, 4, 5
ACTIONS = ActionSpec(low=(-1.0, -1.0), high=(1.0, 1.0), block=5, dt_seconds=0.1)


def inputs(side: int, seed: int) -> dict[str, Tensor]:
    """Noise for frames, and action sequences that share the blocks between them."""
    generator = torch.Generator().manual_seed(seed)
    frames = torch.randint(0, 256, (2, FRAMES, 3, side, side), dtype=torch.uint8, generator=generator)
    past = torch.randn(2, 1, FRAMES - 1, ACTIONS.width, generator=generator).expand(-1, SAMPLES, -1, -1)
    future = torch.randn(2, SAMPLES, HORIZON, ACTIONS.width, generator=generator)
    return {"frames": frames, "actions": torch.cat([past, future], dim=2)}


@torch.no_grad()
def ours(model: JEPA, given: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What our model makes of them, through the verbs that planners use."""
    frames, actions = given["frames"], given["actions"]
    rate, window = 1 / ACTIONS.block_seconds, model.dynamics.window
    clip = Clip({"top": Stream.regular(frames, rate)}, Stream.regular(actions[:, 0, : FRAMES - 1], rate))
    latents = model.encode(clip).values
    found = {
        "latents": latents[:, :, 0],
        "predicted": model.dynamics(latents[:, :window], actions[:, 0, :window])[0, :, :, 0],
    }
    for length in range(1, FRAMES + 1):
        belief = model.begin(clip.window(FRAMES - length, FRAMES))
        found[f"rollout{length}"] = model.imagine(belief, actions[:, :, FRAMES - 1 :]).latents[:, :, 0, :, 0]
    return found


def theirs(peer: str, folder: Path, sizes: Mapping[str, int], seed: int, weights: Path | None) -> dict[str, Tensor]:
    """What the peer makes of folder/inputs with given or random weights, which are then in folder/theirs."""
    spec = {
        "peer": peer,
        "sizes": dict(sizes),
        "seed": seed,
        "inputs": str(folder / "inputs.safetensors"),
        "weights": None if weights is None else str(weights),
        "save": str(folder / "theirs.safetensors") if weights is None else None,
        "outputs": str(folder / "outputs.safetensors"),
    }
    (folder / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
    command = [str(peer_environment(peer)), "-W", "ignore", str(SCRIPT), str(folder / "spec.json")]
    subprocess.run(command, check=True, env=clean_environment(), timeout=600)
    return load_file(folder / "outputs.safetensors")


def difference(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> dict[str, float]:
    """Largest absolute difference of each output."""
    assert a.keys() == b.keys()
    assert all(a[name].shape == b[name].shape for name in a)
    return {name: float((a[name] - b[name]).abs().max()) for name in a}


def compare(peer: Layout, sizes: Mapping[str, int], seed: int) -> tuple[dict[str, float], dict[str, float], float]:
    """Differences by output of an import and of an export, and the floor."""
    camera = Sensor(name="top", kind="rgb", shape=(3, sizes["side"], sizes["side"]), rate_hz=10)
    with tempfile.TemporaryDirectory(prefix="monde-backbones-") as temporary:
        folder = Path(temporary)
        given = inputs(sizes["side"], seed)
        save_file(given, folder / "inputs.safetensors")
        expected = theirs(peer, folder, sizes, seed, None)
        model = import_lewm(folder / "theirs.safetensors", peer, camera=camera, actions=ACTIONS)
        imported = difference(ours(model, given), expected)
        kept = load_file(folder / "theirs.safetensors")
        back = export_lewm(model, peer)
        assert kept.keys() == back.keys()
        assert all(torch.equal(kept[key], back[key]) for key in kept)
        generator = torch.Generator().manual_seed(seed + 1)
        for name, tensor in model.state_dict().items():
            if not name.startswith("action_"):  # the moments of actions are not exported
                tensor.mul_(1 + 0.1 * torch.randn(tensor.shape, generator=generator).clamp(-3, 3))
        save_lewm(model, folder / "ours.safetensors", peer)
        mine = ours(model, given)
        exported = difference(theirs(peer, folder, sizes, seed, folder / "ours.safetensors"), mine)
        unrelated = theirs(peer, folder, sizes, seed + 2, None)
        return imported, exported, max(difference(unrelated, expected).values())


def layouts() -> dict[str, object]:
    """The names and shapes of each peer's own tensors, of a model as small as tests are."""
    found: dict[str, object] = {"sizes": TINY}
    for peer in LAYOUTS:
        with tempfile.TemporaryDirectory(prefix="monde-backbones-") as temporary:
            folder = Path(temporary)
            save_file(inputs(TINY["side"], 0), folder / "inputs.safetensors")
            theirs(peer, folder, TINY, 0, None)
            tensors = load_file(folder / "theirs.safetensors")
            found[peer] = {name: list(tensor.shape) for name, tensor in sorted(tensors.items())}
    return found


def largest(metric: str, values: Sequence[float], floors: Sequence[float]) -> Row:
    """The largest of several differences, beside the smallest between unrelated models."""
    note = f"largest over {len(values)} models and all their outputs"
    return Row(
        metric=metric, value=max(values), n=len(values), floors={"unrelated_random_weights": min(floors)}, note=note
    )


def main() -> None:
    """Compare in every case and write backbones.json."""
    parser = options(__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--golden", type=Path, default=None, help="only write the layouts to this file")
    given = parser.parse_args()
    if given.golden is not None:
        write_json(given.golden, layouts())
        return
    rows = []
    for peer in LAYOUTS:
        found: dict[str, list[float]] = {"": [], "_export": []}
        floors: list[float] = []
        for case, sizes in CASES.items():
            if peer == "torch-world" and sizes["side"] != sizes["trained_side"]:
                continue  # its positions are made for one size
            for seed in range(given.seeds):
                imported, exported, floor = compare(peer, sizes, seed)
                print(peer, case, seed, imported, exported, floor)
                found[""].append(max(imported.values()))
                found["_export"].append(max(exported.values()))
                floors.append(floor)
        for way, values in found.items():
            rows.append(largest(f"max_abs_difference{way}/{peer}", values, floors))
    protocol = {"cases": CASES, "frames": FRAMES, "horizon": HORIZON, "peers": PEERS, "target": 1e-4}
    write("backbones", rows, protocol, range(given.seeds), given.out)


if __name__ == "__main__":
    main()
