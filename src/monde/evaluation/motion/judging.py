"""A fitted `PointModel` on a recording that it has not seen: its prediction, its imagination, and what it flags."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64, Int64

from monde.data.points import Stretch
from monde.errors import DataError
from monde.evaluation.motion.edits import Edit
from monde.evaluation.motion.flights import Bounce, ballistic, gravity_of, restitution
from monde.evaluation.motion.losses import doubts, judge_loss
from monde.evaluation.motion.surprise import alarms, surprise
from monde.models.points import PointModel

FOUND_SECONDS = 0.1
"""An edit is found by an alarm within this long after it."""
APART_SECONDS = 0.2
"""Alarms nearer to one another are one."""
BEFORE_BOUNCE = (12, 20, 30)
"""Frames before a bounce from which it is imagined."""


@dataclass(frozen=True)
class Predictions:
    """Errors in metres of each window, and the flight it is of.

    Args:
        errors: [n] by method: "model", "ballistic", "constant_velocity", "last_seen".
        flight: [n] index of its flight.
        gravity: m/s², downwards: of the fit to all of each flight (median), which the ballistic fit is given.
        imagined_gravity: [n] m/s², of the parabola fitted to each imagined path.
    """

    errors: dict[str, Float64[np.ndarray, " n"]]
    flight: Int64[np.ndarray, " n"]
    gravity: float
    imagined_gravity: Float64[np.ndarray, " n"]


@torch.no_grad()
def imagine_from(model: PointModel, windows: Float64[np.ndarray, "B W 3"], frames: int) -> Float64[np.ndarray, "B H 3"]:
    """Imagined positions in metres; horizontally counted from each window's end while computing, for precision."""
    origin = windows[:, -1:] * np.array([1.0, 1.0, 0.0])
    return model.imagine(model.begin(torch.from_numpy(windows - origin).float()), frames).double().numpy() + origin


def predict_flights(model: PointModel, flights: tuple[Stretch, ...], frames: int) -> Predictions:
    """From every window inside a flight, `frames` frames ahead of its last.

    Raises:
        DataError: No flight holds a window and what comes after.
    """
    W, rate = model.config.window, model.rate_hz
    cut = [
        (index, f.points[i : i + W + frames]) for index, f in enumerate(flights) for i in range(len(f) - W - frames + 1)
    ]
    if not cut:
        raise DataError(
            "no flight is long enough to be predicted",
            got=f"at most {max((len(f) for f in flights), default=0)} frames",
            expected=f"{W + frames}",
        )
    whole = np.stack([points for _, points in cut])
    windows, truth = whole[:, :W], whole[:, -1]
    imagined = imagine_from(model, windows, frames)
    gravity = float(np.median([gravity_of(f.points, rate) for f in flights]))
    ahead = frames / rate
    told = {
        "model": imagined[:, -1],
        "ballistic": ballistic(windows, gravity, ahead, rate),
        "constant_velocity": ballistic(windows, 0.0, ahead, rate),
        "last_seen": windows[:, -1],
    }
    errors = {name: np.linalg.norm(there - truth, axis=-1) for name, there in told.items()}
    of_paths = np.array([gravity_of(path, rate) for path in imagined])
    return Predictions(errors, np.array([index for index, _ in cut]), gravity, of_paths)


def imagined_restitution(model: PointModel, bounce: Bounce) -> float | None:
    """Restitution read off imagined bounces, begun some frames before the real one (mean); none if none is imagined."""
    W, found = model.config.window, []
    for early in BEFORE_BOUNCE:
        last = bounce.frame - early
        if last + 1 < W:
            continue
        window = bounce.stretch.points[last + 1 - W : last + 1]
        path = imagine_from(model, window[None], early + 30)[0]
        heights = np.concatenate([window[:, 2], path[:, 2]])
        lowest = W - 1 + int(np.argmin(heights[W - 1 : W + early + 8]))
        ratio = restitution(heights, lowest)
        if ratio is not None:
            found.append(ratio)
    return float(np.mean(found)) if found else None


@dataclass(frozen=True)
class Thresholds:
    """Set on the recordings that were trained on.

    Args:
        surprise: Above it a motion is impossible.
        sure_metres: At most this error is expected 0.1 s ahead where the way of a point is clear.
    """

    surprise: float
    sure_metres: float


def set_thresholds(
    model: PointModel, stretches: tuple[Stretch, ...], flights: tuple[Stretch, ...], edits: tuple[Edit, ...]
) -> Thresholds:
    """Thresholds from recordings that were trained on, as they are and with edits planted in them.

    Of surprise: halfway (geometrically) between the most surprising frame as recorded and the least surprising
    twentieth of the edits; that twentieth itself where the two overlap. Sure is what 95% of windows in flight are.
    """
    calm = max(float(np.nanmax(told, initial=0.0)) for told in (surprise(model, s.points) for s in stretches))
    moved = [edit for edit in edits if edit.kind != "vanish"]
    least = float(np.quantile([_peak(model, edit) for edit in moved], 0.05))
    W = model.config.window
    windows = np.concatenate([np.lib.stride_tricks.sliding_window_view(f.points, W, axis=0) for f in flights])
    sure = float(np.quantile(doubts(model, windows.transpose(0, 2, 1)), 0.95))
    return Thresholds(float(np.sqrt(calm * least)) if calm < least else least, sure)


def _peak(model: PointModel, edit: Edit) -> float:
    near = surprise(model, edit.points)[edit.frame : edit.frame + round(FOUND_SECONDS * model.rate_hz)]
    return float(np.nanmax(near, initial=0.0))


def is_found(model: PointModel, edit: Edit, thresholds: Thresholds, others: tuple[Stretch, ...]) -> bool:
    """Whether an edit is flagged: as impossible motion at once, or as vanished once it does not come back.

    Args:
        model: Fitted to other recordings.
        edit: Planted in this one.
        thresholds: Set on those.
        others: Stretches of the recording in which a vanished point may be sought.
    """
    if edit.kind != "vanish":
        return _peak(model, edit) > thresholds.surprise
    seen = Stretch(edit.flight.marker, edit.flight.start, edit.points)
    return judge_loss(model, seen, others, thresholds.sure_metres).kind == "vanished"


def false_alarms(
    model: PointModel, stretches: tuple[Stretch, ...], thresholds: Thresholds
) -> list[tuple[Stretch, int]]:
    """Motions of an unedited recording that are called impossible: the stretch and the frame in it."""
    apart = round(APART_SECONDS * model.rate_hz)
    return [
        (stretch, frame)
        for stretch in stretches
        for frame in alarms(surprise(model, stretch.points), thresholds.surprise, apart)
    ]
