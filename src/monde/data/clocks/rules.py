"""`Rule`: which of a sensor's samples stands for a moment, declared and the same for training and for a robot."""

import math
from dataclasses import dataclass
from typing import Literal

from monde.errors import ContractError


@dataclass(frozen=True, kw_only=True)
class Rule:
    """How one sensor's samples are aligned to the model's steps.

    - "last": the newest sample at or before the step.
    - "nearest": the sample nearest to the step within the tolerance. It may lie up to `ahead_seconds` after the step,
      which is 0 unless it is said: then it is the newest one at or before. What looks ahead is no input for a robot; it
      is for labels that are computed afterwards (motion capture, ground truth).
    - "interpolate", for poses: the pose at the step less `delay_seconds`, between the two samples around that moment
      (places along the line, rotations by slerp), both of which must have been there by the step. Where the second was
      not, or they lie further apart than the tolerance, the newest sample at or before the step. Nothing is
      extrapolated: noise would be multiplied.

    Args:
        kind: One of these.
        tolerance_seconds: How old a sample may be at the step (for "interpolate" also how far two may lie apart); none
            for any age. An older one is no sample: the step is not valid.
        ahead_seconds: How far "nearest" may look ahead.
        delay_seconds: How much older than the step an interpolated pose is; about one period of the sensor.

    Raises:
        ContractError: Seconds that are negative or not finite, or given to a rule that has no use for them.
    """

    kind: Literal["last", "nearest", "interpolate"] = "last"
    tolerance_seconds: float | None = None
    ahead_seconds: float = 0.0
    delay_seconds: float = 0.0

    def __post_init__(self) -> None:
        given = (self.tolerance_seconds or 0.0, self.ahead_seconds, self.delay_seconds)
        if not all(0 <= seconds < math.inf for seconds in given):
            raise ContractError("a rule's seconds are unusable", got=given, expected="finite, ≥ 0")
        if self.ahead_seconds and self.kind != "nearest":
            raise ContractError(f"the rule {self.kind!r} never looks ahead", got=self.ahead_seconds, expected=0)
        if bool(self.delay_seconds) != (self.kind == "interpolate"):
            raise ContractError(
                f"the rule {self.kind!r} has an unusable delay",
                got=self.delay_seconds,
                expected="> 0 seconds for 'interpolate' (about one period of the sensor), else 0",
            )

    @property
    def causal(self) -> bool:
        """Whether nothing from after a step is aligned to it."""
        return self.ahead_seconds == 0.0
