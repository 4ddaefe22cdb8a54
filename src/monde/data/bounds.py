"""The action space of a recording that does not declare one: a box around what was done."""

import numpy as np
from jaxtyping import Float, Float64

from monde.types import ActionSpec


class ActionRange:
    """Smallest and largest value of each action component, gathered episode by episode.

    What is not finite is passed over: it is refused, with its place, when it is read.

    Args:
        dim: Numbers in one control step.
    """

    def __init__(self, dim: int) -> None:
        self._low, self._high = np.full(dim, np.inf), np.full(dim, -np.inf)

    def add(self, actions: Float[np.ndarray, "T dim"]) -> None:
        """The control steps of one episode, or of a part of one."""
        values = actions.astype(np.float64)
        finite = np.isfinite(values)
        self._low = np.minimum(self._low, np.where(finite, values, np.inf).min(0, initial=np.inf))
        self._high = np.maximum(self._high, np.where(finite, values, -np.inf).max(0, initial=-np.inf))

    def spec(self, rate_hz: float, names: tuple[str, ...] = ()) -> ActionSpec:
        """The box, at `rate_hz` control steps a second.

        Raises:
            ContractError: Too wide, or a rate that is none.
        """
        seen = np.isfinite(self._low)
        return box_around(np.where(seen, self._low, 0.0), np.where(seen, self._high, 0.0), rate_hz, names)


def box_around(
    low: Float64[np.ndarray, " dim"], high: Float64[np.ndarray, " dim"], rate_hz: float, names: tuple[str, ...] = ()
) -> ActionSpec:
    """The ActionSpec with these bounds, as the data has them.

    Raises:
        ContractError: Bounds that are not finite, too many, or a rate that is none.
    """
    # A component that never moved still needs an interval to be normalised by.
    still = np.where(high > low, 0.0, 1e-3 * np.maximum(1.0, np.abs(low)))
    return ActionSpec(
        low=tuple((low - still).tolist()), high=tuple((high + still).tolist()), dt_seconds=1.0 / rate_hz, names=names
    )
