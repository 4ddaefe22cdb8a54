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


def fold_episodes(count: int, folds: int, seed: int = 0) -> tuple[Split, ...]:
    """K-fold: `folds` splits in which every episode is held out exactly once; the same for the same arguments.

    Raises:
        DataError: Fewer episodes than folds.
        ContractError: Fewer than two folds.
    """
    if folds < 2:
        raise ContractError("there is nothing to fold", got=f"{folds} folds", expected="at least 2")
    if count < folds:
        raise DataError(
            "too few episodes for so many folds",
            got=f"{count} episodes, {folds} folds",
            expected="an episode per fold",
            remedy="record more episodes, or use fewer folds",
        )
    order = np.random.default_rng(seed).permutation(count)
    parts = [set(part.tolist()) for part in np.array_split(order, folds)]
    everything = set(range(count))
    return tuple(Split(tuple(sorted(everything - part)), tuple(sorted(part))) for part in parts)


@dataclass(frozen=True)
class TimeSplit:
    """Two stretches of one film, in frames (stop exclusive), with a gap between them.

    Args:
        train: (start, stop) to learn from.
        held_out: (start, stop) to judge on.

    Raises:
        ContractError: An empty stretch, or stretches that overlap.
    """

    train: tuple[int, int]
    held_out: tuple[int, int]

    def __post_init__(self) -> None:
        if not 0 <= self.train[0] < self.train[1] <= self.held_out[0] < self.held_out[1]:
            raise ContractError(
                "TimeSplit does not part a film",
                got=f"train {self.train}, held out {self.held_out}",
                expected="two stretches, one after the other",
            )


def split_in_time(length: int, held_out: float = 0.2, *, gap_frames: int) -> TimeSplit:
    """Hold out the end of a single film.

    Frames on either side of the cut are nearly copies of one another, so `gap_frames` are used by neither.

    Raises:
        DataError: The film is too short to be parted.
        ContractError: A share that is not between 0 and 1, or a negative gap.
    """
    if not 0 < held_out < 1 or gap_frames < 0:
        raise ContractError(
            "the held-out share or the gap is out of range",
            got=f"{held_out}, {gap_frames} frames",
            expected="a share of more than 0 and less than 1; a gap of 0 frames or more",
        )
    kept = max(1, round(length * held_out))
    if length - kept - gap_frames < 1:
        raise DataError(
            "the film is too short to hold a part of it out",
            got=f"{length} frames",
            expected=f"more than {kept} to judge on and a gap of {gap_frames}",
            remedy="record more, or hold out a smaller share",
        )
    return TimeSplit((0, length - kept - gap_frames), (length - kept, length))
