"""What a robot saw and did, taken down for later training: one file an episode, read as a recording by `monde`."""

import json
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from monde.client.session import Session
from monde.errors import ServingError
from monde.limits import MAX_LOG_BYTES
from monde.store.atomic import atomic_file
from monde.wire import Arrays, Document

META, SCHEMA = "log.json", "monde.log/1"


class EpisodeLog:
    """Takes down one episode at a time; `save` writes it, whole or not at all.

    The folder opens as a recording (`monde check`, `monde adapt RUN FOLDER`); `monde convert FOLDER DATA` makes a
    LeRobot v3 dataset of it.

    Args:
        folder: Where episodes are kept; new, or one that was begun with the same sensors and actions.
        session: Says what they are.

    Raises:
        ServingError: A folder of other sensors or actions.
    """

    def __init__(self, folder: Path | str, session: Session) -> None:
        self.folder = Path(folder)
        actions: Document = session.action_document
        self._meta = json.dumps(
            {"schema": SCHEMA, "sensors": [dict(each) for each in session.sensors], "actions": dict(actions)}, indent=1
        )
        self.folder.mkdir(parents=True, exist_ok=True)
        place = self.folder / META
        if place.exists() and place.read_text(encoding="utf-8") != self._meta:
            raise ServingError(
                f"{folder} logs other sensors or actions", remedy="give a new folder, or serve the run that it logs"
            )
        if not place.exists():
            with atomic_file(place) as part:
                part.write(self._meta.encode())
        self._seen: list[Arrays] = []
        self._times: list[float] = []
        self._done: list[Float32[np.ndarray, " dim"]] = []
        self._bytes = 0

    def see(self, values: Arrays, seconds: float) -> None:
        """What is seen before a control step, and at the end.

        Raises:
            ServingError: The episode is longer than memory allows.
        """
        self._bytes += sum(array.nbytes for array in values.values())
        if self._bytes > MAX_LOG_BYTES:
            raise ServingError("the episode is too long to be logged", status=413, expected=f"≤ {MAX_LOG_BYTES} bytes")
        self._seen.append({name: np.array(array) for name, array in values.items()})
        self._times.append(seconds)

    def do(self, control: Float32[np.ndarray, " dim"]) -> None:
        """What was done then."""
        self._done.append(np.array(control))

    def save(self) -> Path:
        """Write the episode and be ready for the next; where it was written.

        Raises:
            ServingError: Nothing was logged.
        """
        steps = min(len(self._done), len(self._seen) - 1)
        if steps < 1:
            raise ServingError("there is nothing to save", got=f"{len(self._done)} control steps")
        numbers = [int(file.stem[8:]) for file in self.folder.glob("episode-*.npz") if file.stem[8:].isdecimal()]
        number = max(numbers, default=-1) + 1
        place = self.folder / f"episode-{number:06d}.npz"
        arrays = {
            f"sensor.{name}": np.stack([seen[name] for seen in self._seen[: steps + 1]]) for name in self._seen[0]
        }
        with atomic_file(place) as part:
            np.savez(
                part,
                allow_pickle=False,
                actions=np.stack(self._done[:steps]).astype(np.float32),
                times_seconds=np.array(self._times[: steps + 1]),
                **arrays,
            )
        self.discard()
        return place

    def discard(self) -> None:
        """Forget what was logged since the last `save`."""
        self._seen, self._times, self._done, self._bytes = [], [], [], 0
