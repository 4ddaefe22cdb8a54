"""Real motion of balls: leave one recording out, learn from the others, predict, read off physics, flag what cannot be.

python benchmarks/mocap.py [--data DIR] [--seeds 0 1 2] [--edits 100]

The data: Project-DeepBlue-Juggling's Qualisys recordings (MIT), 300 Hz. One process, one thread. Nothing of the
recording that is left out is used in fitting or for thresholds; sizes and training were chosen on simulated throws
(docs/mocap.md).
"""

import os
import time
from pathlib import Path

import numpy as np
import torch

from common import options, write
from monde.data.points import PointTracks, Stretch, read_qualisys
from monde.evaluation import motion
from monde.evaluation.statistics import bootstrap, wilson
from monde.models.points import PointModelConfig
from monde.scorecard import Row
from monde.training.points import PointTrainConfig, fit_points

FILES = {
    "3_throws": "3_throws_tracking_lost_on_each.tsv",
    "6_throws": "6_throws_minimal_tracking_loss.tsv",
    "5_balls": "5_ball_juggling_cut.tsv",
}
AHEAD_SECONDS = 0.3
TRAINING_EDITS, AFTER_EDIT = 60, 30


def opened(path: Path) -> PointTracks:
    """One recording; heights counted from the markers of the robot's base, which stands on the floor."""
    tracks = read_qualisys(path)
    return tracks.raised(-tracks.height_of("base_"))


class Recording:
    """What is used of one file."""

    def __init__(self, path: Path, window: int) -> None:
        self.tracks = opened(path)
        self.stretches = self.tracks.stretches(self.tracks.unnamed(), window + 1)
        self.flights = motion.flights(self.stretches, self.tracks.rate_hz)
        self.bounces = motion.bounces(self.stretches, self.tracks.rate_hz)

    @property
    def minutes(self) -> float:
        """Length."""
        return len(self.tracks.valid) / self.tracks.rate_hz / 60

    @property
    def watched_minutes(self) -> float:
        """Sum over balls of the time in which they are seen."""
        return sum(len(s) for s in self.stretches) / self.tracks.rate_hz / 60


class Fold:
    """One recording left out, one seed."""

    def __init__(self, name: str, recordings: dict[str, Recording], seed: int, edits: int) -> None:
        self.name, self.out = name, recordings[name]
        learned = [recording for other, recording in recordings.items() if other != name]
        rate = self.out.tracks.rate_hz
        start = time.process_time()
        self.model = fit_points(
            [[s.points for s in recording.stretches] for recording in learned], rate, train=PointTrainConfig(seed=seed)
        )
        self.seconds = time.process_time() - start
        before = self.model.config.window + 10
        flown = tuple(f for recording in learned for f in recording.flights)
        planted = motion.plant(flown, TRAINING_EDITS, seed + 1000, before, AFTER_EDIT, rate)
        self.thresholds = motion.set_thresholds(
            self.model, tuple(s for recording in learned for s in recording.stretches), flown, planted
        )
        self.predictions = motion.predict_flights(self.model, self.out.flights, round(AHEAD_SECONDS * rate))
        self.edits = motion.plant(self.out.flights, edits, seed + 2000, before, AFTER_EDIT, rate)
        self.found = [
            motion.is_found(self.model, edit, self.thresholds, away(self.out.stretches, edit.flight))
            for edit in self.edits
        ]
        self.alarms = motion.false_alarms(self.model, self.out.stretches, self.thresholds)
        self.losses = self._losses()
        self.restitutions = [motion.imagined_restitution(self.model, bounce) for bounce in self.out.bounces]

    def _losses(self) -> list[motion.Loss]:
        ended = [s for s in self.out.stretches if s.stop < len(self.out.tracks.valid)]
        sure = self.thresholds.sure_metres
        return [motion.judge_loss(self.model, s, away(self.out.stretches, s), sure) for s in ended]

    @property
    def vanished(self) -> int:
        """True losses that are called vanishing: the point never came back within the wait."""
        return sum(loss.kind == "vanished" for loss in self.losses)


def away(stretches: tuple[Stretch, ...], flight: Stretch) -> tuple[Stretch, ...]:
    """All stretches but those of the marker itself."""
    return tuple(s for s in stretches if s.marker != flight.marker or s.start > flight.stop)


def of_file(name: str, folds: list[Fold]) -> list[Row]:
    """The rows of one left-out recording: errors are averaged over seeds window by window before medians are taken."""
    first = folds[0].predictions
    errors = {method: np.mean([fold.predictions.errors[method] for fold in folds], 0) for method in first.errors}
    table = np.stack([errors["model"], errors["ballistic"]], 1)

    def ratio(rows: np.ndarray) -> float:
        return float(np.median(rows[:, 0]) / np.median(rows[:, 1]))

    each = ", ".join(
        f"{np.median(fold.predictions.errors['model']) / np.median(errors['ballistic']):.3f}" for fold in folds
    )
    medians = {method: float(np.median(values)) * 1e3 for method, values in errors.items()}
    gravities = [float(np.median(fold.predictions.imagined_gravity)) for fold in folds]
    off = [abs(g / first.gravity - 1) for g in gravities]
    flown = len(folds[0].out.flights)
    rows = [
        Row(
            metric=f"ratio_to_ballistic/{name}",
            value=ratio(table),
            interval=bootstrap(table, ratio, 0, first.flight),
            n=len(table),
            floors={m: medians[m] / medians["ballistic"] for m in ("constant_velocity", "last_seen")},
            note=f"{flown} flights, the clusters of the interval; by seed {each}",
        ),
        Row(
            metric=f"error_0.3s/{name}",
            value=medians["model"],
            unit="mm",
            interval=bootstrap(errors["model"] * 1e3, lambda rows: float(np.median(rows)), 0, first.flight),
            n=len(table),
            floors={m: v for m, v in medians.items() if m != "model"},
            note="median over windows of 0.1 s",
        ),
        Row(
            metric=f"gravity_relative_error/{name}",
            value=float(np.mean(off)),
            n=len(folds),
            note=f"imagined {', '.join(f'{g:.3f}' for g in gravities)} by seed, "
            f"fit to the file {first.gravity:.3f} m/s2",
        ),
    ]
    real = [bounce.restitution for bounce in folds[0].out.bounces]
    dreamt = [value for fold in folds for value in fold.restitutions if value is not None]
    if dreamt:
        rows.append(
            Row(
                metric=f"restitution_imagined/{name}",
                value=float(np.median(dreamt)),
                n=len(dreamt),
                floors={"fit to the file": float(np.median(real))},
                note=f"bounces of the file: {', '.join(f'{value:.2f}' for value in real)}; "
                f"imagined: {', '.join(f'{value:.2f}' for value in dreamt)}; "
                f"no bounce imagined for {sum(v is None for f in folds for v in f.restitutions)}",
            )
        )
    return rows


def of_all(folds: list[Fold], seeds: int) -> list[Row]:
    """Edits, false alarms and losses, over all recordings; seeds are repetitions of the same minutes."""
    found = [hit for fold in folds for hit in fold.found]
    rows = [edits_row("edits_found", folds, None)]
    rows += [edits_row(f"edits_found/{kind}", folds, kind) for kind in motion.KINDS]
    minutes = sum(fold.out.minutes for fold in folds)
    watched = sum(fold.out.watched_minutes for fold in folds)
    motions, vanished = sum(len(fold.alarms) for fold in folds), sum(fold.vanished for fold in folds)
    places = "; ".join(f"{fold.name} frame {stretch.start + frame}" for fold in folds for stretch, frame in fold.alarms)
    gone = "; ".join(
        f"{fold.name} frame {loss.stretch.stop - 1}"
        for fold in folds
        for loss in fold.losses
        if loss.kind == "vanished"
    )
    note = (
        f"{motions} motions called impossible ({places or 'none'}), "
        f"{vanished} losses called vanishing ({gone or 'none'})"
    )
    n = len(found) // seeds
    for metric, time_minutes in (("", minutes), ("_of_watching", watched)):
        rows.append(
            Row(
                metric=f"false_alarms_per_minute{metric}",
                value=(motions + vanished) / time_minutes,
                unit="1/min",
                n=n,
                note=f"{time_minutes:.2f} minutes over {seeds} seeds; {note}",
            )
        )
    losses = [loss for fold in folds for loss in fold.losses]
    back = [loss.error_metres * 1e3 for loss in losses if loss.back is not None]
    low, high = wilson(sum(loss.kind == "lost" for loss in losses), len(losses))
    rows.append(
        Row(
            metric="losses_told_apart",
            value=float(np.mean([loss.kind == "lost" for loss in losses])),
            interval=(low, high),
            n=len(losses),
            note="true tracking losses that are not called vanishing; "
            f"{len(back)} came back where they were imagined, off by {np.median(back) if back else 0:.0f} mm (median)",
        )
    )
    rows.append(Row(metric="training_seconds", value=sum(fold.seconds for fold in folds) / seeds, unit="s", n=seeds))
    return rows


def edits_row(metric: str, folds: list[Fold], kind: str | None) -> Row:
    """The share of planted edits that are found."""
    hits = [hit for f in folds for edit, hit in zip(f.edits, f.found, strict=True) if kind in (None, edit.kind)]
    each = {
        name: np.mean([h for f in folds if f.name == name for e, h in zip(f.edits, f.found) if kind in (None, e.kind)])
        for name in FILES
    }
    return Row(
        metric=metric,
        value=float(np.mean(hits)),
        interval=wilson(sum(hits), len(hits)),
        n=len(hits),
        note=", ".join(f"{name} {share:.3f}" for name, share in each.items()),
    )


def main() -> None:
    """Measure and write mocap.json."""
    torch.set_num_threads(1)
    parser = options(__doc__)
    shared = Path(os.environ.get("MONDE_SHARED_DATA", "shared/data")) / "mocap-juggling-balls"
    parser.add_argument("--data", type=Path, default=shared, help="folder of the TSV files")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--edits", type=int, default=100, help="planted in all recordings together, for each seed")
    given = parser.parse_args()
    sizes = PointModelConfig()
    recordings = {name: Recording(given.data / file, sizes.window) for name, file in FILES.items()}
    shares = {name: given.edits // 3 + (index < given.edits % 3) for index, name in enumerate(FILES)}
    folds = []
    for seed in given.seeds:
        for name in FILES:
            folds.append(Fold(name, recordings, seed, shares[name]))
            print(name, seed, f"{folds[-1].seconds:.0f} s", folds[-1].thresholds, flush=True)
    rows = [row for name in FILES for row in of_file(name, [fold for fold in folds if fold.name == name])]
    worst = max((row for row in rows if row.metric.startswith("gravity")), key=lambda row: row.value)
    rows.append(
        Row(metric="gravity_relative_error", value=worst.value, n=len(FILES), note=f"the worst: {worst.metric}")
    )
    rows += of_all(folds, len(given.seeds))
    protocol = {
        "files": FILES,
        "folds": "leave one recording out",
        "window_seconds": sizes.window / 300,
        "ahead_seconds": AHEAD_SECONDS,
        "flight_rule": str(motion.FlightRule()),
        "ballistic": "least squares over the window, gravity of the fit to the file that is left out",
        "model": str(sizes),
        "training": str(PointTrainConfig()),
        "edits": f"{given.edits} a seed, {TRAINING_EDITS} in training files for thresholds",
        "threads": 1,
    }
    write("mocap", rows, protocol, given.seeds, given.out)


if __name__ == "__main__":
    main()
