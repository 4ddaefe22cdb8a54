"""`Sampler`: seeded, shuffled, resumable epochs in constant memory."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Int64, UInt64

from monde.errors import ContractError

_ROUNDS = 12


class Sampler:
    """Indices 0 … count-1 in batches: each epoch a new order, each index at most once in it, the last short batch left.

    The order is not stored but computed: a Feistel network keyed by seed and epoch is a permutation of 0 … 2^b - 1, and
    following it until it lands below `count` (cycle walking) makes it one of 0 … count-1 (Black and Rogaway, "Ciphers
    with Arbitrary Finite Domains", CT-RSA 2002). So an epoch over 10^9 windows costs no memory, and any place in it is
    reached at once.

    With several processes the global batch is `batch` × `world_size` indices, and each rank takes its own slice of it;
    together they see what one process with that batch would.

    Args:
        count: Number of things to draw from.
        batch: Indices per call and rank.
        seed: Of the order.
        rank: Which process this is.
        world_size: How many there are.

    Raises:
        ContractError: Sizes below one, a rank out of range, or fewer things than one global batch.
    """

    def __init__(self, count: int, batch: int, seed: int, *, rank: int = 0, world_size: int = 1) -> None:
        if batch < 1 or world_size < 1 or not 0 <= rank < world_size or seed < 0:
            raise ContractError(
                "Sampler cannot be set up",
                got=f"batch {batch}, rank {rank} of {world_size}, seed {seed}",
                expected="batch ≥ 1, 0 ≤ rank < world_size, seed ≥ 0",
            )
        if count < batch * world_size:
            raise ContractError(
                "there are fewer windows than one batch takes",
                got=count,
                expected=f"at least {batch * world_size} (batch {batch} × {world_size} processes)",
                remedy="record more, or use a smaller batch",
            )
        self._count, self._batch, self._seed = count, batch, seed
        self._rank, self._world_size = rank, world_size
        self._epoch, self._step = 0, 0

    @property
    def batches_per_epoch(self) -> int:
        """Calls of `next` in one epoch."""
        return self._count // (self._batch * self._world_size)

    @property
    def epoch(self) -> int:
        """The epoch that the next batch is of, from 0."""
        return self._epoch + self._step // self.batches_per_epoch

    def next(self) -> Int64[np.ndarray, " B"]:
        """The next batch of this rank."""
        if self._step == self.batches_per_epoch:
            self._epoch, self._step = self._epoch + 1, 0
        start = (self._step * self._world_size + self._rank) * self._batch
        self._step += 1
        return permute(np.arange(start, start + self._batch), self._count, self._seed, self._epoch)

    def state(self) -> dict[str, object]:
        """Where it stands (JSON), the same on every rank; `restore` continues from there exactly."""
        return {
            "count": self._count,
            "batch": self._batch,
            "seed": self._seed,
            "world_size": self._world_size,
            "epoch": self._epoch,
            "step": self._step,
        }

    def restore(self, state: Mapping[str, object]) -> None:
        """Continue from a state of an equal sampler.

        Raises:
            ContractError: The state is of another count, batch, seed or number of processes, or malformed.
        """
        mine = self.state()
        for name in ("count", "batch", "seed", "world_size"):
            if state.get(name) != mine[name]:
                raise ContractError(
                    f"this state is of a Sampler with another {name}",
                    got=state.get(name),
                    expected=mine[name],
                    remedy="resume with the same data, batch size, seed and number of processes",
                )
        epoch, step = state.get("epoch"), state.get("step")
        if not (
            isinstance(epoch, int) and isinstance(step, int) and epoch >= 0 and 0 <= step <= self.batches_per_epoch
        ):
            raise ContractError(
                "this Sampler state is malformed", got=dict(state), expected="epoch ≥ 0 and a step in it"
            )
        self._epoch, self._step = epoch, step


def permute(index: Int64[np.ndarray, " n"], count: int, seed: int, epoch: int) -> Int64[np.ndarray, " n"]:
    """Where the shuffled order of this seed and epoch puts `index`: a permutation of 0 … count-1, elementwise."""
    bits = max(2, int(count - 1).bit_length())
    low_bits = bits // 2
    keys = np.random.SeedSequence([seed, epoch]).generate_state(_ROUNDS, np.uint64)
    result = _feistel(index.astype(np.uint64), bits - low_bits, low_bits, keys)
    outside = np.flatnonzero(result >= count)
    while len(outside):
        result[outside] = _feistel(result[outside], bits - low_bits, low_bits, keys)
        outside = outside[result[outside] >= count]
    return result.astype(np.int64)


def _feistel(
    values: UInt64[np.ndarray, " n"], high_bits: int, low_bits: int, keys: UInt64[np.ndarray, " r"]
) -> UInt64[np.ndarray, " n"]:
    """Each round changes one half by a function of the other only, so that it can be undone: a permutation."""
    shift = np.uint64(low_bits)
    low_mask, high_mask = np.uint64((1 << low_bits) - 1), np.uint64((1 << high_bits) - 1)
    high, low = values >> shift, values & low_mask
    for index, key in enumerate(keys):
        if index % 2:
            low = low ^ (_mix(high, key) & low_mask)
        else:
            high = high ^ (_mix(low, key) & high_mask)
    return (high << shift) | low


def _mix(values: UInt64[np.ndarray, " n"], key: np.uint64) -> UInt64[np.ndarray, " n"]:
    """The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014); products wrap on purpose."""
    x = values * np.uint64(0x9E3779B97F4A7C15) + key
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
