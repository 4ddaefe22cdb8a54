"""What the benchmarks share: a row from repeated measurements, a scorecard of this machine, a bar chart."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from monde.scorecard import Row, Scorecard
from monde.store import commit, machine, utc_now, write_json

RESULTS = Path(__file__).resolve().parent / "results"
T_95 = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78, 6: 2.57, 7: 2.45, 8: 2.36, 9: 2.31, 10: 2.26}
"""Two-sided 95% quantiles of Student's t by the number of values."""


def options(description: str | None) -> argparse.ArgumentParser:
    """A parser with the argument that all benchmarks have."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=RESULTS, help="where the result files go")
    return parser


def interval(values: Sequence[float]) -> tuple[float, float] | None:
    """Student's 95% interval of the mean; none for a single value."""
    if len(values) < 2:
        return None
    mean, spread = float(np.mean(values)), float(np.std(values, ddof=1))
    half = T_95.get(len(values), 1.96) * spread / len(values) ** 0.5
    return mean - half, mean + half


def row(
    metric: str, values: Sequence[float], unit: str, note: str = "", floors: Mapping[str, float] | None = None
) -> Row:
    """The mean of repeated measurements with its interval."""
    return Row(
        metric=metric,
        value=float(np.mean(values)),
        unit=unit,
        interval=interval(values),
        n=len(values),
        floors=floors or {},
        note=note,
    )


def write(
    name: str, rows: Sequence[Row], protocol: Mapping[str, object], seeds: Sequence[int], out: Path = RESULTS
) -> Scorecard:
    """Write NAME.json and print it."""
    card = Scorecard(
        name=name,
        rows=tuple(rows),
        protocol=protocol,
        machine=machine(),
        commit=commit(),
        seeds=tuple(seeds),
        created=utc_now(),
    )
    write_json(out / f"{name}.json", card.to_json())
    print(card)
    return card


def bars(
    panels: Sequence[tuple[str, Mapping[str, tuple[float, float]], float | None]], path: Path, width: float = 7.0
) -> None:
    """A figure of bar panels: (title, {label: (value, half interval)}, target line); nothing without matplotlib."""
    try:
        import matplotlib

        matplotlib.use("svg")
        import matplotlib.pyplot as plt
    except ImportError:
        return
    figure, axes = plt.subplots(1, len(panels), figsize=(width, 3), constrained_layout=True, squeeze=False)
    for axis, (title, shown, target) in zip(axes[0], panels, strict=True):
        values = [value for value, _ in shown.values()]
        axis.bar(list(shown), values, yerr=[half for _, half in shown.values()], capsize=4, color="#4477aa")
        axis.set_title(title, fontsize=10)
        axis.tick_params(labelsize=8)
        if target is not None:
            axis.axhline(target, color="#aa3377", linewidth=1, linestyle="--")
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def half(card: Scorecard, metric: str) -> tuple[float, float]:
    """A row's value and half the width of its interval, for `bars`."""
    found = card[metric]
    return found.value, 0.0 if found.interval is None else (found.interval[1] - found.interval[0]) / 2
