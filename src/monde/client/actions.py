"""The served model's actions, as a client needs them."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from monde.errors import ServingError
from monde.wire import Document, read


@dataclass(frozen=True, kw_only=True)
class Actions:
    """As `monde.types.ActionSpec`: bounds or choices, block length and seconds of one control step.

    Args:
        low: Lower bounds of a box, or empty.
        high: Upper bounds.
        choices: Number of discrete actions, or 0.
        unactuated: Nobody acts.
        block: Control steps between two observations.
        dt_seconds: Of one control step.
        names: One for each component, or empty.
    """

    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    choices: int = 0
    unactuated: bool = False
    block: int = 1
    dt_seconds: float
    names: tuple[str, ...] = ()

    @classmethod
    def read(cls, document: Document) -> "Actions":
        """From what the server says."""
        return read(cls, dict(document), "Welcome.actions")

    @property
    def dim(self) -> int:
        """Numbers in one control step."""
        return self.choices or len(self.low)

    def clip(self, control: Float32[np.ndarray, " dim"]) -> Float32[np.ndarray, " dim"]:
        """A control step within the bounds.

        Raises:
            ServingError: Numbers that are not finite, or of another width: nothing is repaired.
        """
        if control.shape != (self.dim,) or not bool(np.isfinite(control).all()):
            raise ServingError("the server's answer is no action", status=500, got=control.tolist())
        if self.choices:
            return control
        return np.clip(control, np.array(self.low, np.float32), np.array(self.high, np.float32))
