"""A film and the surprise at each of its moments as one picture: a strip of frames above the curve."""

import io
from typing import TYPE_CHECKING

import numpy as np

from monde.report.pictures import spread

if TYPE_CHECKING:
    from monde.evaluation.physics import FilmSurprise

MAX_STRIP = 12
"""Frames in the strip."""

_BLUE, _ORANGE, _INK, _RULE = "#2563a8", "#cf6f17", "#1b2027", "#d8d5cc"


def picture_of(found: "FilmSurprise") -> bytes:
    """A PNG: frames spread over the film, the curve below, its most surprising moments marked in both."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    times, curve, moments = found.footage.times_seconds, found.curve, found.moments
    picks = spread(len(curve), MAX_STRIP, always=moments)
    with rc_context({"font.size": 9, "axes.edgecolor": _RULE, "text.color": _INK, "text.parse_math": False}):
        figure = Figure(figsize=(11, 3.6), dpi=110, layout="constrained")
        grid = figure.add_gridspec(2, len(picks), height_ratios=(1, 1.6))
        for column, index in enumerate(picks):
            axes = figure.add_subplot(grid[0, column])
            axes.imshow(found.footage.frames[index].transpose(1, 2, 0), interpolation="nearest")
            axes.set(xticks=[], yticks=[])
            marked = index in moments
            axes.set_title(f"{times[index]:.2f} s", fontsize=8, color=_ORANGE if marked else _INK)
            for spine in axes.spines.values():
                spine.set_color(_ORANGE if marked else _RULE)
                spine.set_linewidth(2.2 if marked else 0.8)
        axes = figure.add_subplot(grid[1, :])
        for start, stop in found.footage.missing_seconds:
            axes.axvspan(start, stop, color=_RULE, alpha=0.6, linewidth=0)
        axes.axhline(0, color=_RULE, linewidth=1)
        axes.plot(times, curve, color=_BLUE, linewidth=1.6)
        chosen = np.array(moments, dtype=np.int64)
        axes.plot(times[chosen], curve[chosen], "o", color=_ORANGE, markersize=6)
        axes.set_xlabel("seconds")
        axes.set_ylabel("surprise")
        axes.margins(x=0.01)
        axes.spines[["top", "right"]].set_visible(False)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
