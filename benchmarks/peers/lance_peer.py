"""Windows a second from stable-worldmodel's default format (Lance), read by its own loader in its own Python.

PEER_PYTHON -m peers.lance_peer FRAMES FOLDER WINDOWS BATCH

FRAMES: safetensors with frames uint8 [E, L, 3, h, w] and actions [E, L, 2]. Every line read asks for one measurement;
every line written is its answer. Windows of 4 frames, 5 control steps apart, with the actions between, drawn as its
training script draws them: a shuffling DataLoader, here without worker processes, as ours.
"""

import json
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from itertools import islice
from pathlib import Path

from safetensors.torch import load_file
from torch import Tensor
from torch.utils.data import DataLoader

from peers.lewm_peer import allow_torchvision


def main() -> None:
    """Write the table, then answer until standard input ends."""
    answers, sys.stdout = sys.stdout, sys.stderr
    given, folder, windows, batch = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    allow_torchvision()
    lance = import_module("stable_worldmodel.data.formats.lance")
    table = folder / "frames.lance"
    with lance.LanceWriter(table) as writer:
        writer.write_episodes(episodes(load_file(given)))
    dataset = lance.LanceDataset(table, frameskip=5, num_steps=4, keys_to_load=["pixels", "action"])

    def measure(batches: int) -> float:
        loader: DataLoader[dict[str, Tensor]] = DataLoader(dataset, batch, shuffle=True)
        start = time.perf_counter()
        done = sum(len(found["pixels"]) for found in islice(loader, batches))
        return done / (time.perf_counter() - start)

    measure(2)
    print(json.dumps({"ready": 1.0}), file=answers, flush=True)
    for _ in sys.stdin:
        print(json.dumps({"windows_per_second": measure(-(-windows // batch))}), file=answers, flush=True)


def episodes(tensors: dict[str, Tensor]) -> Iterator[dict[str, list[object]]]:
    """Columns of one episode after another, as `World.collect` hands them to the writer."""
    for frames, actions in zip(tensors["frames"], tensors["actions"], strict=True):
        yield {"pixels": list(frames.permute(0, 2, 3, 1).numpy()), "action": list(actions.numpy())}


if __name__ == "__main__":
    main()
