"""Files that hold nothing are all alike: no more of them are followed than there must be."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def in_use(held: Bool[Tensor, "*lead N"]) -> int:
    """Files up to the last that ever holds something, and one more. All empty files are alike: what is foreseen of one
    is foreseen of every one after it, so that no more of them need be followed. While gradients are kept all of them
    are: a step of learning costs the same whatever its films show, and refining draws films of as many things."""
    if torch.is_grad_enabled():
        return held.shape[-1]
    ever = torch.nonzero(held.reshape(-1, held.shape[-1]).any(dim=0))
    return min(int(ever.max()) + 2 if len(ever) else 1, held.shape[-1])


def with_empty(tensor: Float[Tensor, "..."], files: int, dim: int) -> Float[Tensor, "..."]:
    """As many files as there are: the last that was followed, which is empty, stands for those after it."""
    more = files - tensor.shape[dim]
    if not more:
        return tensor
    last = tensor.narrow(dim, tensor.shape[dim] - 1, 1)
    return torch.cat([tensor, last.expand(*(more if d == dim else -1 for d in range(tensor.ndim)))], dim=dim)
