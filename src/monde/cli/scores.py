"""A scorecard on a terminal: every figure beside its interval and its floors."""

from monde.report.figures import groups
from monde.report.numbers import table
from monde.scorecard import Scorecard


def score_table(score: Scorecard) -> str:
    """Aligned plain text: metric, value with unit, 95% interval, n, floors."""
    header = ("metric", "value", "95% interval", "n", "floors")
    rows: list[tuple[str, ...]] = []
    for group in groups(score):
        for figure in group.figures:
            gap = "" if figure.unit in {"%", ""} else " "
            floors = ", ".join(f"{name} {value}" for name, value in figure.floors)
            rows.append((figure.metric, f"{figure.value}{gap}{figure.unit}", figure.interval, figure.n, floors))
    text = table(header, rows, right=frozenset({1, 2, 3}))
    return f"{score.name}, protocol {score.protocol_id}\n{text}"
