"""A scorecard on a terminal: every figure beside its interval and its floors."""

from monde.report.figures import groups
from monde.report.numbers import floor_texts, interval_text, number, scale, table
from monde.report.physics import cases, with_floors
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


def physics_table(score: Scorecard) -> str:
    """Aligned plain text: principle and grade, pairwise accuracy with interval and floors, AUROC of single films."""
    header = ("principle", "grade", "pairwise", "95% interval", "n", "AUROC", "floors of pairwise")
    rows: list[tuple[str, ...]] = []
    for case in cases(score):
        row = with_floors(score, case)
        floors = ", ".join(f"{name} {value}" for name, value in floor_texts(row))
        area = f"auroc/{case.name}"
        told = number(score[area].value, 2) if area in score else ""
        shown = scale(row).text(row.value)
        rows.append((case.principle, case.grade, shown, interval_text(row), number(row.n), told, floors))
    text = table(header, rows, right=frozenset({2, 3, 4, 5}))
    return f"{score.name}, protocol {score.protocol_id}\n{text}"


def hidden_table(score: Scorecard) -> str:
    """Aligned plain text: seconds out of sight, what happens then, error in diameters, skill, floors of the error."""
    header = ("seconds", "behind the screen", "error", "95% interval", "n", "skill", "floors of the error")
    rows: list[tuple[str, ...]] = []
    for row in score.rows:
        kind, _, case = row.metric.partition("/")
        if kind != "error_diameters":
            continue
        seconds, _, event = case.partition("/")
        skill = f"skill/{case}"
        told = number(score[skill].value, 2) if skill in score else ""
        floors = ", ".join(f"{name} {value}" for name, value in floor_texts(row))
        shown = scale(row).text(row.value)
        rows.append((seconds, event or "any event", shown, interval_text(row), number(row.n), told, floors))
    text = table(header, rows, right=frozenset({2, 3, 4, 5}))
    return f"{score.name}, protocol {score.protocol_id}: error in diameters of the object\n{text}"
