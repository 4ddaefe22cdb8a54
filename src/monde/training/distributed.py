"""Several processes training together, as started by torchrun; one process needs none of this."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import distributed


@dataclass(frozen=True)
class Ranks:
    """This process among those that train together."""

    rank: int = 0
    world_size: int = 1

    @property
    def first(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0


@contextlib.contextmanager
def process_group(device: torch.device) -> Iterator[Ranks]:
    """Join the group that torchrun describes in the environment; leave it at the end."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield Ranks()
        return
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Ranks(distributed.get_rank(), size)
    finally:
        distributed.destroy_process_group()


def agree_to_stop(stop: bool, ranks: Ranks, device: torch.device) -> bool:
    """Whether any process wants to stop: all must leave the loop at the same step, or the others wait for ever."""
    if ranks.world_size == 1:
        return stop
    flag = torch.tensor(float(stop), device=device)
    distributed.all_reduce(flag, distributed.ReduceOp.MAX)
    return bool(flag > 0)
