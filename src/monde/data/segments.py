"""`Segments`: stretches of a recording as episodes of their own, so that a single film can be held out in part."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from monde.data.streaming import Clocked, EpisodeClocks, clocks
from monde.errors import ContractError
from monde.protocols import Recording
from monde.types import ActionSpec, Clip, Sensor


class Segments:
    """A recording whose episodes are stretches of another's; nothing is copied.

    Args:
        recording: What they are cut from.
        pieces: (episode, start, stop) of each, in frames, stop exclusive.

    Raises:
        ContractError: No piece, or one that the recording does not hold.
    """

    def __init__(self, recording: Recording, pieces: Sequence[tuple[int, int, int]]) -> None:
        lengths = recording.lengths
        for episode, start, stop in pieces:
            if not (0 <= episode < len(lengths) and 0 <= start < stop <= lengths[episode]):
                raise ContractError(
                    "Segments cannot be cut from this recording",
                    got=f"episode {episode}, frames {start} to {stop}",
                    expected=f"one of {len(lengths)} episodes, 0 ≤ start < stop ≤ its length",
                )
        if not pieces:
            raise ContractError("Segments need a piece", got="none")
        self._recording, self.pieces = recording, tuple(pieces)

    @property
    def root(self) -> Path:
        """Folder of the dataset that they are cut from."""
        return self._recording.root

    @property
    def source(self) -> Mapping[str, object]:
        """Where that comes from."""
        return self._recording.source

    @property
    def sensors(self) -> tuple[Sensor, ...]:
        """What was recorded."""
        return self._recording.sensors

    @property
    def actions(self) -> ActionSpec | None:
        """The actions' space, or none."""
        return self._recording.actions

    @property
    def lengths(self) -> tuple[int, ...]:
        """Frames of each piece."""
        return tuple(stop - start for _, start, stop in self.pieces)

    @property
    def fingerprint(self) -> str:
        """Hash of the recording's fingerprint and of the cuts."""
        return hashlib.sha256(f"{self._recording.fingerprint}{json.dumps(self.pieces)}".encode()).hexdigest()

    @property
    def gaps(self) -> tuple[str, ...]:
        """Sensors whose samples may be missing."""
        return self._recording.gaps if isinstance(self._recording, Clocked) else ()

    @property
    def aged(self) -> tuple[str, ...]:
        """Sensors whose samples have ages."""
        return self._recording.aged if isinstance(self._recording, Clocked) else ()

    def clocks(self, episode: int) -> EpisodeClocks:
        """Which samples of a piece are there, and how old they are."""
        whole, start, stop = self.pieces[episode]
        told = clocks(self._recording, whole)
        return EpisodeClocks(
            {name: valid[start:stop] for name, valid in told.valid.items()},
            {name: ages[start:stop] for name, ages in told.age_seconds.items()},
        )

    def read(self, episode: int, start: int, stop: int, sensors: Sequence[str] | None = None) -> Clip:
        """Frames `start` to `stop` (exclusive) of one piece, as a clip of B = 1.

        Raises:
            ContractError: A piece or range that does not exist.
        """
        if not (0 <= episode < len(self.pieces) and 0 <= start < stop <= self.lengths[episode]):
            raise ContractError(
                f"piece {episode} has no frames {start}:{stop}",
                expected=f"one of {len(self.pieces)}, within its length",
            )
        whole, first, _ = self.pieces[episode]
        return self._recording.read(whole, first + start, first + stop, sensors)

    def __repr__(self) -> str:
        return f"Segments({len(self.pieces)} pieces, {sum(self.lengths)} frames, of {self._recording!r})"
