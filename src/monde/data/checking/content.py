"""The same content twice: copied episodes, and what is learned from and judged on at once."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Protocol, runtime_checkable

from monde.data.checking.findings import Finding, episodes, listed
from monde.data.checking.looking import Look
from monde.data.split import split_episodes
from monde.protocols import Recording


@runtime_checkable
class ReportsSplits(Protocol):
    """A recording whose maker divided its episodes."""

    @property
    def splits(self) -> Mapping[str, tuple[int, ...]]:
        """Episodes by the name of their split ("train", "val")."""
        ...


class Content:
    """Gathers a hash of every episode's numbers, actions and sampled pictures (times do not enter).

    Args:
        recording: What is checked.
    """

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._held: dict[str, list[int]] = {}

    def add(self, look: Look) -> None:
        """One episode."""
        self._held.setdefault(look.digest, []).append(look.episode)

    @property
    def copies(self) -> frozenset[int]:
        """Episodes that hold what an earlier one holds."""
        return frozenset(episode for held in self._held.values() for episode in held[1:])

    def findings(self) -> Iterator[Finding]:
        """Copies, gravest where they lie on both sides of a split."""
        groups = [held for held in self._held.values() if len(held) > 1]
        if not groups:
            return
        yield Finding(
            level="warning",
            code="duplicate-episodes",
            what=f"{len(self.copies)} of {episodes(len(self._recording.lengths))} repeat the content of another: "
            + listed([" = ".join(map(str, held[:4])) for held in groups]),
            remedy="keep one of each",
            figures={"copies": len(self.copies), "episodes": len(self._recording.lengths)},
        )
        recording = self._recording
        declared = recording.splits if isinstance(recording, ReportsSplits) else {}
        for (one, first), (other, second) in combinations(declared.items(), 2):
            yield from _shared(
                groups,
                first,
                second,
                f"the dataset's own splits {one!r} and {other!r}",
                f"report no figure measured on {other!r} of a model that learned from {one!r}; use one of them, and "
                "split it by episode",
            )
        split = split_episodes(len(recording.lengths))
        yield from _shared(
            groups,
            split.train,
            split.held_out,
            "what training learns from and what it holds out",
            "remove the copies: the model would be judged on what it has learned from",
        )


def _shared(
    groups: Sequence[Sequence[int]], first: Sequence[int], second: Sequence[int], where: str, remedy: str
) -> Iterator[Finding]:
    left, right = set(first), set(second)
    leaked = [e for held in groups if left & set(held) for e in sorted(right & set(held))]
    if leaked:
        yield Finding(
            level="error",
            code="split-leak",
            what=f"{where} hold the same content: {len(leaked)} of {len(right)} episodes of the latter "
            f"({listed(leaked)})",
            remedy=remedy,
            figures={"shared": len(leaked), "episodes": len(right)},
        )
