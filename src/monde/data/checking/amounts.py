"""How much data for which size of model: a rule of thumb, with the reason for it."""

from collections.abc import Iterator

from monde.data.checking.findings import Finding, episodes
from monde.protocols import Recording

MOMENTS_PER_PARAMETER = 40_000 / 2.3e6
"""What sufficed in the feasibility study (docs/design.md, "What is known to work"): 40,000 frames at 10 Hz for 2.3
million parameters. No law: scenes differ, and the line from there is straight only because there is no better one."""

PARAMETERS = {"nano": 1.1e6, "tiny": 14e6, "small": 45e6, "base": 161e6}
"""Of the size dial, with one camera."""

DISTINCT_HZ = 10.0
"""Frames that come faster are nearly copies of one another and count only so often."""


def amount(recording: Recording) -> Iterator[Finding]:
    """One note: minutes of data, and the sizes they are enough for."""
    if not recording.lengths:
        return
    rate = 1 / recording.actions.dt_seconds if recording.actions else recording.sensors[0].rate_hz
    frames = sum(recording.lengths)
    minutes, moments = frames / rate / 60, frames * min(1.0, DISTINCT_HZ / rate)
    wanted = {size: MOMENTS_PER_PARAMETER * count for size, count in PARAMETERS.items()}
    enough = [size for size, least in wanted.items() if moments >= least]
    beyond = [size for size in wanted if size not in enough]
    verdict = f"enough for {enough[-1]}" if enough else "less than any size wants"
    if beyond:
        least = wanted[beyond[0]]
        verdict += f"; {beyond[0]} wants about {_round(least):,} moments, {_round(least / DISTINCT_HZ / 60):,} minutes"
    yield Finding(
        level="note",
        code="amount",
        what=f"{minutes:.3g} minutes in {episodes(len(recording.lengths))}, {frames:,} frames "
        f"({round(moments):,} moments, at most {DISTINCT_HZ:g} a second counted): {verdict}, by rule of thumb",
        remedy="train the largest size it is enough for"
        if enough
        else "train nano, judge it by k-fold over episodes, and record more",
        figures={"minutes": minutes, "frames": frames, "moments": moments, "episodes": len(recording.lengths)}
        | {f"wanted/{size}": least for size, least in wanted.items()},
    )


def _round(value: float) -> int:
    digits = len(str(int(value))) - 2
    return round(value, -digits) if isinstance(value, int) else int(round(value, -max(0, digits)))
