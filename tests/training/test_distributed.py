"""Two processes give the gradient of one: no loss weight depends on how the batch is cut up."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from .two_ranks import build, clip_of, gradients

DEADLINE_SECONDS = 120


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


REGULARISERS = ("sigreg", "variance_covariance")


def test_two_ranks_give_the_gradient_of_one(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    frames = torch.randint(0, 256, (12, 3, 3, 16, 16), dtype=torch.uint8, generator=generator)
    actions = torch.rand(12, 2, 2, generator=generator) * 2 - 1
    save_file({"frames": frames, "actions": actions}, tmp_path / "data.safetensors")
    port = str(free_port())
    script = Path(__file__).with_name("two_ranks.py")
    workers = [
        subprocess.Popen(
            [sys.executable, str(script), str(tmp_path / "data.safetensors"), str(tmp_path), *REGULARISERS],
            env=os.environ
            | {"RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
            | {"OMP_NUM_THREADS": "1"},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        for worker in workers:
            _, errors = worker.communicate(timeout=DEADLINE_SECONDS)
            assert worker.returncode == 0, errors
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    for regulariser in REGULARISERS:
        two = load_file(tmp_path / regulariser)
        step = build(regulariser)
        one = gradients(step, step, clip_of(frames, actions))
        assert set(one) == set(two)
        for name, expected in one.items():
            torch.testing.assert_close(two[name], expected, atol=2e-5, rtol=2e-3, msg=lambda m, n=name: f"{n}: {m}")
        largest = max(float(value.abs().max()) for name, value in one.items() if name not in {"loss", "running_var"})
        assert largest > 1e-3  # gradients that are all zero would agree too
