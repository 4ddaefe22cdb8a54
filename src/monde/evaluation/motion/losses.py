"""When a point is no longer seen: was it lost by the cameras, or did it vanish?

At the moment itself nobody can tell. Afterwards: a point that was lost comes back where the model imagined it
meanwhile.
"""

from dataclasses import dataclass

import numpy as np
import torch

from monde.data.points import Stretch
from monde.models.points import PointModel

WAIT_SECONDS = 0.5
STUDENT_99 = 5.84
"""99% of a Student t of 3 degrees of freedom lie within this many scales."""
AIRBORNE_METRES, AIRBORNE_SECONDS = 0.1, 0.1


@dataclass(frozen=True)
class Loss:
    """The end of a stretch.

    Args:
        stretch: What was seen before.
        kind: "lost": it came back where it was imagined, or nothing firm was expected (in a hand, at the ground).
            "vanished": it was in the air, its way was clear, and nothing came back there.
        back: The stretch in which it came back, or none.
        error_metres: How far from where it was imagined it came back; NaN if it did not.
    """

    stretch: Stretch
    kind: str
    back: Stretch | None
    error_metres: float


@torch.no_grad()
def judge_loss(model: PointModel, stretch: Stretch, others: tuple[Stretch, ...], sure_metres: float) -> Loss:
    """What became of the point of a stretch that ended.

    Args:
        model: Imagines on.
        stretch: What was seen, at least a window long.
        others: Stretches of the recording; one that begins within `WAIT_SECONDS` may be the same point.
        sure_metres: The way of a point is clear where the model expects an error of at most this, 0.1 s ahead.
    """
    W, wait = model.config.window, round(WAIT_SECONDS * model.rate_hz)
    seen = torch.from_numpy(stretch.points[-W:].copy())
    origin = seen[-1:] * seen.new_tensor([1.0, 1.0, 0.0])
    belief = model.begin((seen - origin)[None].float())
    way = (model.imagine(belief, wait)[0].double() + origin).numpy()
    scale = model.expected_error(belief)[0].double().numpy()
    horizons = np.array(model.config.horizons)
    best: tuple[float, Stretch] | None = None
    for other in others:
        ahead = other.start - stretch.stop + 1
        if not 1 <= ahead <= wait:
            continue
        off = other.points[0] - way[ahead - 1]
        # Beyond the last horizon the expected error is taken to grow as the square of time, as that of an acceleration.
        grown = max(1.0, ahead / horizons[-1]) ** 2
        wide, high = (float(np.interp(ahead, horizons, scale[:, k])) * grown for k in (0, 1))
        if np.hypot(off[0], off[1]) <= STUDENT_99 * wide and abs(off[2]) <= STUDENT_99 * high:
            error = float(np.linalg.norm(off))
            best = (error, other) if best is None or error < best[0] else best
    if best is not None:
        return Loss(stretch, "lost", best[1], best[0])
    soon = round(AIRBORNE_SECONDS * model.rate_hz)
    sure = float(np.interp(soon, horizons, scale.max(1))) <= sure_metres
    airborne = bool((way[:soon, 2] > AIRBORNE_METRES).all())
    return Loss(stretch, "vanished" if sure and airborne else "lost", None, float("nan"))


@torch.no_grad()
def doubts(model: PointModel, windows: np.ndarray) -> np.ndarray:
    """Expected error in metres 0.1 s ahead of each window [B, W, 3]."""
    scale = model.expected_error(model.begin(torch.from_numpy(windows.copy()).float())).max(-1).values.double().numpy()
    soon = AIRBORNE_SECONDS * model.rate_hz
    return np.array([np.interp(soon, model.config.horizons, row) for row in scale])
