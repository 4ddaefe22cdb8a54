"""How much of a run is over, and the learning rate over it."""

import math


def learning_rate(peak: float, step: int, warmup_steps: int, done: float, floor: float = 0.02) -> float:
    """A linear rise over `warmup_steps`, and a cosine from `peak` down to `floor` × peak as `done` goes from 0 to 1."""
    rise = min(1.0, (step + 1) / max(warmup_steps, 1))
    fall = floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * done))
    return peak * rise * fall


def share_done(step: int, steps: int | None, seconds: float, minutes: float | None) -> float:
    """How much of a run is over, by its steps and its time, whichever is further; 1 or more at its end."""
    by_steps = step / steps if steps else 0.0
    by_time = seconds / (60 * minutes) if minutes else 0.0
    return max(by_steps, by_time)
