"""Figures measured at several horizons ("…/0.5s", "…/1s") as curves over time ahead, floors beside them."""

import math
from collections.abc import Sequence

from monde.report.charts import colour, horizon_chart
from monde.report.figures import HORIZON, readable
from monde.report.numbers import scale, words
from monde.report.page import Chart, Entry
from monde.scorecard import Row, Scorecard

MAX_CHARTS = 6
"""Families of figures drawn."""

MAX_FLOORS = 5
"""Floors drawn in one chart."""


def horizon_charts(score: Scorecard, prefix: str = "horizon", over: str = "seconds ahead") -> tuple[Chart, ...]:
    """One chart for each family of rows that was measured at two horizons or more.

    Args:
        score: The rows.
        prefix: Unique within the page.
        over: What the horizon is.
    """
    families: dict[str, list[tuple[float, Row]]] = {}
    for row in score.rows:
        match = HORIZON.search(row.metric)
        # What is infinite has no place in a chart; it stands in the table.
        if match and all(math.isfinite(value) for value in (row.value, *(row.interval or ()), *row.floors.values())):
            families.setdefault(row.metric[: match.start()], []).append((float(match.group(1)), row))
    drawn = [(name, sorted(rows, key=lambda pair: pair[0])) for name, rows in families.items() if len(rows) > 1]
    return tuple(_chart(f"{prefix}-{index}", name, rows, over) for index, (name, rows) in enumerate(drawn[:MAX_CHARTS]))


def _chart(name: str, family: str, rows: Sequence[tuple[float, Row]], over: str) -> Chart:
    times = [seconds for seconds, _ in rows]
    shown = scale(rows[0][1])
    everywhere = [floor for floor in rows[0][1].floors if all(floor in row.floors for _, row in rows)][:MAX_FLOORS]
    lines = [[row.value / shown.factor for _, row in rows]]
    lines += [[row.floors[floor] / shown.factor for _, row in rows] for floor in everywhere]
    band = None
    if all(row.interval is not None for _, row in rows):
        bounds = [row.interval for _, row in rows if row.interval is not None]
        band = ([low / shown.factor for low, _ in bounds], [high / shown.factor for _, high in bounds])
    labels = ["this model", *(words(floor) for floor in everywhere)]
    entries = [Entry(label=label, colour=colour(i), text="", dashed=i > 0) for i, label in enumerate(labels)]
    unit = f" ({shown.unit})" if shown.unit else ""
    return Chart(
        title=readable(family.removeprefix("prediction/")) + unit,
        svg=horizon_chart(name, times, lines, band, over),
        entries=tuple(entries),
    )
