"""The learning rate over a run."""

import math


def learning_rate(peak: float, step: int, warmup_steps: int, done: float, floor: float = 0.02) -> float:
    """A linear rise over `warmup_steps`, and a cosine from `peak` down to `floor` × peak as `done` goes from 0 to 1."""
    rise = min(1.0, (step + 1) / max(warmup_steps, 1))
    fall = floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * done))
    return peak * rise * fall
