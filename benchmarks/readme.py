"""Writes the README's table of figures from the committed result files, and nothing else.

python benchmarks/readme.py
"""

from pathlib import Path

from figures import CHAPTERS, FIGURES, IN_SHORT
from monde.scorecard import Row, Scorecard
from monde.store import read_json, write_bytes

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- figures -->\n", "<!-- /figures -->"


HEAD = ("| figure | value | 95% interval | n | floors |", "|---|---|---|---|---|")


def table() -> str:
    """The figures in Markdown: some in short, all of them folded, by chapter."""
    names = dict.fromkeys(name for name, *_ in FIGURES)
    cards = {name: Scorecard.from_json(read_json(ROOT / f"benchmarks/results/{name}.json")) for name in names}
    rows = {
        f"{name}/{metric}": line(cards[name][metric], title, factor, unit, decimals)
        for name, metric, title, factor, unit, decimals in FIGURES
    }
    lines = [*HEAD, *(rows[figure] for figure in IN_SHORT), "", f"All {len(rows)}, by chapter:", ""]
    for chapter, files in CHAPTERS.items():
        of = [row for figure, row in rows.items() if figure.partition("/")[0] in files]
        lines += [f"<details><summary>{chapter}: {len(of)} figures</summary>", "", *HEAD, *of, "", "</details>"]
    return "\n".join([*lines, "", f"Measured on {machines(cards)}.", ""])


def machines(cards: dict[str, Scorecard]) -> str:
    """Which results come from which machine."""
    held: dict[str, list[str]] = {}
    for name, card in cards.items():
        machine = card.machine
        cores = machine.get("cores")
        told = f"{machine.get('processor')}, {cores} core{'' if cores == 1 else 's'}, torch {machine.get('torch')}"
        held.setdefault(told, []).append(name)
    if len(held) == 1:
        return next(iter(held))
    return "; ".join(f"{told} ({', '.join(names)})" for told, names in held.items())


def line(row: Row, title: str, factor: float, unit: str, decimals: int) -> str:
    """One row of it."""

    def shown(value: float) -> str:
        return f"{value * factor:,.{decimals}f}"

    interval = "" if row.interval is None else f"{shown(row.interval[0])} to {shown(row.interval[1])}"
    floors = ", ".join(f"{name.replace('_', ' ')} {shown(value)}" for name, value in row.floors.items())
    return f"| {title} | **{shown(row.value)}{unit}** | {interval} | {row.n} | {floors} |"


def filled(text: str) -> str:
    """The README with its table made anew."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}{table()}{END}{tail}"


if __name__ == "__main__":
    path = ROOT / "README.md"
    write_bytes(path, filled(path.read_text(encoding="utf-8")).encode())
