"""Writes the tables of figures in README and docs from the committed result files, and nothing else.

python benchmarks/tables.py

A table stands between `<!-- NAME -->` and `<!-- /NAME -->` of its page.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from figures import CHAPTERS, FIGURES, IN_SHORT
from monde.bets.corners.curves import SHARES
from monde.bets.corners.four import CORNERS
from monde.bets.questions.families import FAMILIES
from monde.bets.types import GRADES as BET_GRADES
from monde.bets.types import GUESSED
from monde.bets.verdict import UNREAD
from monde.scorecard import Row, Scorecard
from monde.store import read_json, write_bytes
from monde.worlds.scenes import GRADES, principles

ROOT = Path(__file__).resolve().parent.parent

LEAST_FILMS = 100
"""Of a physical quantity that has a row: of fewer, intervals are wider than what they tell."""

HEAD = ("| figure | value | 95% interval | n | floors |", "|---|---|---|---|---|")


def card(name: str) -> Scorecard:
    """A result file."""
    return Scorecard.from_json(read_json(ROOT / f"benchmarks/results/{name}.json"))


def figures() -> str:
    """The README's: some in short, all of them folded, by chapter."""
    names = dict.fromkeys(name for name, *_ in FIGURES)
    cards = {name: card(name) for name in names}
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
    for name, known in cards.items():
        machine = known.machine
        cores = machine.get("cores")
        told = f"{machine.get('processor')}, {cores} core{'' if cores == 1 else 's'}, torch {machine.get('torch')}"
        held.setdefault(told, []).append(name)
    if len(held) == 1:
        return next(iter(held))
    return "; ".join(f"{told} ({', '.join(names)})" for told, names in held.items())


def line(row: Row, title: str, factor: float, unit: str, decimals: int) -> str:
    """A figure with its interval, n and floors."""

    def shown(value: float) -> str:
        return f"{value * factor:,.{decimals}f}"

    interval = "" if row.interval is None else f"{shown(row.interval[0])} to {shown(row.interval[1])}"
    floors = ", ".join(f"{name.replace('_', ' ')} {shown(value)}" for name, value in row.floors.items())
    return f"| {title} | **{shown(row.value)}{unit}** | {interval} | {row.n} | {floors} |"


def physics() -> str:
    """Minimal pairs by principle and grade, in the plane and in space, beside untrained networks."""
    known = card("physics")
    titles = {"easy": "in view", "hidden": "0.3 s", "long-hidden": "1 s"}

    def cell(principle: str, grade: str, decimals: int) -> str:
        rows = [known[f"pairwise/{space}/{principle}/{grade}"] for space in ("2d", "3d")]
        return " / ".join(
            f"{100 * row.value:.{decimals}f} ({100 * row.floors['untrained']:.{decimals}f})" for row in rows
        )

    lines = [
        f"| % of pairs, plane / space (untrained) | {' | '.join(titles[grade] for grade in GRADES)} |",
        "|---|" + "---|" * len(GRADES),
    ]
    names = {f"`{principle.name}`": (principle.name, 0) for principle in principles()} | {"**mean**": ("mean", 1)}
    for title, (name, decimals) in names.items():
        lines.append(f"| {title} | {' | '.join(cell(name, grade, decimals) for grade in GRADES)} |")
    nothing = [
        " / ".join(f"{100 * known[f'untrained_memory/{space}/mean/{grade}'].value:.1f}" for space in ("2d", "3d"))
        for grade in GRADES
    ]
    lines.append(f"| mean of an untrained network that is given nothing | {' | '.join(nothing)} |")
    return "\n".join([*lines, ""])


def quantities() -> str:
    """What a belief tells of physical quantities, and what training added to that, by both readouts."""
    known = card("quantities")
    lines = [
        "| | films | nonlinear readout (untrained, pixels) | learned | linear readout (untrained, pixels) | learned |",
        "|---|---|---|---|---|---|",
    ]
    for row in known.rows:
        kind, _, name = row.metric.partition("/")
        if kind != "quantity" or "/" in name or row.n < LEAST_FILMS:
            continue
        cells = [name, str(row.n)]
        for suffix in ("/mlp", ""):
            told, learned = known[f"quantity/{name}{suffix}"], known[f"learned/{name}{suffix}"]
            low, high = learned.interval or (learned.value, learned.value)
            floors = f"{told.floors['untrained']:.2f}, {told.floors['pixels']:.2f}"
            cells += [f"**{told.value:.2f}** ({floors})", f"{learned.value:.2f} ({low:.2f} to {high:.2f})"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def bets() -> str:
    """The families of physical questions by contestant, the best of the four corners in bold."""
    known = card("bets")
    floors = {"random": "guessing", "constant-velocity": "constant velocity"}
    lines = [
        f"| | {' | '.join([*floors.values(), *(f'`{corner}`' for corner in CORNERS)])} |",
        "|---" * (len(floors) + len(CORNERS) + 1) + "|",
    ]
    for family in FAMILIES.values():
        if family.home:
            continue
        rows = {
            name: [known[f"accuracy/{family.name}/{grade}/{name}"] for grade in BET_GRADES]
            for name in (*floors, *CORNERS)
        }
        best = [max(rows[name][k].value for name in CORNERS) for k in range(len(BET_GRADES))]
        cells = [_cell(graded, best if name in CORNERS else ()) for name, graded in rows.items()]
        lines.append(f"| {family.name.replace('-', ' ')} {''.join(f'|{cell}' for cell in cells)}|")
    return "\n".join([*lines, ""])


def curves() -> str:
    """What corners of less compute, and of fewer episodes at a quarter of the compute, answer right."""
    known = card("bets_curves")
    lines, films = [], list[float]()
    for name in CORNERS:
        columns = list[str]()
        for kind in ("compute", "episodes"):
            of = {float(row.metric.rpartition("/")[2]): row for row in known.rows if f"/{name}/{kind}/" in row.metric}
            columns += [f"{100 * of[at].value:.0f}" for at in sorted(of)]
            films = sorted(of)
        lines.append(f"| `{name}` | {' | '.join(columns)} |")
    shares = [f"1/{1 / share:.0f}" for share in SHARES]
    head = [*(f"{share} of the compute" for share in shares), "all", *(f"{shares[-1]}, {n:,.0f} films" for n in films)]
    row = next(iter(known.rows))
    return "\n".join(
        [
            f"| | {' | '.join(head)} |",
            "|---" * (len(head) + 1) + "|",
            *lines,
            "",
            f"Right in % of {row.n} easy and middle questions; guessing has {100 * row.floors['random']:.0f}.",
            "",
        ]
    )


def _cell(rows: Sequence[Row], best: Sequence[float]) -> str:
    """Per cent by grade, the best in bold; or that it cannot read this; nothing where it guesses."""
    notes = {row.note for row in rows}
    if notes == {GUESSED}:
        return " "
    if notes == {UNREAD}:
        return f" {UNREAD.removesuffix(' this')} "
    told = [f"{100 * row.value:.0f}" for row in rows]
    if best:
        told = [f"**{one}**" if row.value == top else one for one, row, top in zip(told, rows, best, strict=True)]
    return f" {' / '.join(told)} "


PAGES: dict[str, dict[str, Callable[[], str]]] = {
    "README.md": {"figures": figures},
    "docs/physics.md": {"physics": physics, "quantities": quantities},
    "docs/bets.md": {"bets": bets, "curves": curves},
}
"""The tables of each page."""


def filled(text: str, tables: dict[str, Callable[[], str]]) -> str:
    """A page with its tables made anew."""
    for name, table in tables.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        head, begun, rest = text.partition(begin)
        _, ended, tail = rest.partition(end)
        if not (begun and ended):
            raise SystemExit(f"a page has no place for the table {name}: expected {begin.strip()} … {end}")
        text = f"{head}{begin}{table()}{end}{tail}"
    return text


if __name__ == "__main__":
    for page, tables in PAGES.items():
        path = ROOT / page
        write_bytes(path, filled(path.read_text(encoding="utf-8"), tables).encode())
