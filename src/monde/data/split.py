"""Splitting a recording by episode."""

from dataclasses import dataclass

import numpy as np

from monde.errors import ContractError, DataError


@dataclass(frozen=True)
class Split:
    """Which episodes are learned from and which are kept for judging; ascending, and without a common episode.

    Args:
        train: Episodes to learn from.
        held_out: Episodes to judge on.

    Raises:
        ContractError: An episode is on both sides, or one side is empty.
    """

    train: tuple[int, ...]
    held_out: tuple[int, ...]

    def __post_init__(self) -> None:
        both = sorted(set(self.train) & set(self.held_out))
        if both or not self.train or not self.held_out:
            raise ContractError(
                "Split does not separate episodes",
                got=f"{len(self.train)} to train, {len(self.held_out)} held out, common: {both[:5]}",
                expected="two sides without a common episode",
            )


def split_episodes(count: int, held_out: float = 0.1, seed: int = 0) -> Split:
    """Hold out a random share of `count` episodes, at least one; the same for the same arguments.

    Windows of one episode are nearly copies of one another, so the split is never inside an episode.

    Raises:
        DataError: Fewer than two episodes.
        ContractError: A share that is not between 0 and 1.
    """
    if not 0 < held_out < 1:
        raise ContractError("the held-out share is out of range", got=held_out, expected="more than 0, less than 1")
    if count < 2:
        raise DataError(
            "too few episodes to hold one out", got=count, expected="at least 2", remedy="record more episodes"
        )
    share = min(count - 1, max(1, round(count * held_out)))
    order = np.random.default_rng(seed).permutation(count)
    return Split(tuple(sorted(order[share:].tolist())), tuple(sorted(order[:share].tolist())))
