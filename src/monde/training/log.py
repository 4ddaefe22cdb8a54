"""metrics.jsonl, and TensorBoard where it is installed."""

import json
import math
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol, Self

from monde.store import RunFolder


class _Board(Protocol):
    def add_scalar(self, tag: str, scalar_value: float, global_step: int) -> None: ...

    def close(self) -> None: ...


class MetricsLog:
    """Appends one JSON object a line to metrics.jsonl, flushed at once; the same numbers go to TensorBoard.

    On resume, lines from after the checkpoint are dropped: the run will write those steps again.
    """

    def __init__(self, run: RunFolder, from_step: int = 0) -> None:
        _drop_after(run.metrics, from_step)
        self._file = run.metrics.open("a", encoding="utf-8")
        self._board: _Board | None = None
        if find_spec("tensorboard") is not None:
            from torch.utils.tensorboard import SummaryWriter

            self._board = SummaryWriter(str(run.tensorboard), purge_step=from_step or None)

    def write(self, step: int, metrics: Mapping[str, float | str]) -> None:
        """One line. Numbers that are not finite are written as null: they are seen, and the file stays JSON."""
        finite = {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in metrics.items()}
        self._file.write(json.dumps({"step": step, **finite}) + "\n")
        self._file.flush()
        if self._board is not None:
            for name, value in metrics.items():
                if isinstance(value, (int, float)):
                    self._board.add_scalar(name, value, step)

    def close(self) -> None:
        """Flush and close both."""
        self._file.close()
        if self._board is not None:
            self._board.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _drop_after(path: Path, step: int) -> None:
    if not path.exists():
        return
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            break  # a line cut short by a kill is the last one
        if entry["step"] <= step:
            kept.append(line + "\n")
    from monde.store import write_bytes

    write_bytes(path, "".join(kept).encode())
