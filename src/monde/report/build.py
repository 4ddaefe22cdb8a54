"""`build_report`: a run folder as one HTML file that opens anywhere, without network."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from monde.errors import StoreError
from monde.limits import MAX_REPORT_BYTES
from monde.report.charts import require_drawing
from monde.report.curves import Log
from monde.report.figures import groups, key_figures
from monde.report.gather import Absent, Broken, Material, gather
from monde.report.horizons import horizon_charts
from monde.report.numbers import plural, size_bytes
from monde.report.page import (
    FilmView,
    StripView,
    curve_charts,
    film_view,
    flatten,
    scatter_view,
    strip_view,
    training_line,
)
from monde.report.physics import MAX_SETS, SetView, hidden_charts, physics_tables, set_view
from monde.scorecard import Scorecard
from monde.store import RunFolder, write_bytes

MAX_FILMS = 24
"""Films shown; the others are counted."""

DEFAULT_CONTROL_SECONDS = 0.1
"""Time between the frames of a film where run.json does not say."""


def build_report(run: Path, out: Path | None = None, *, max_bytes: int = MAX_REPORT_BYTES) -> Path:
    """Write the report of a run. Equal runs give equal bytes.

    A part that is absent is named with the command that makes it; a part that cannot be read is named with the reason,
    and the rest is shown.

    Args:
        run: Run folder.
        out: File to write; by default report.html in the run folder. Written atomically.
        max_bytes: Bound on its size: films are dropped first, then imaginations, and the page says so.

    Returns:
        The file.

    Raises:
        StoreError: `run` is not a run folder, the page cannot be kept below `max_bytes`, or the disk refuses.
        UsageError: The extra `report` is not installed.
    """
    require_drawing()
    material = gather(run)
    path = out or RunFolder(run).report
    seconds = _control_seconds(_object(material.config))
    films = [film_view(name, film, seconds) for name, film in list(material.films.items())[:MAX_FILMS]]
    strips = [strip_view(name, imagination) for name, imagination in material.imaginations.items()]
    sets = [set_view(name, item) for name, item in list(material.sets.items())[:MAX_SETS]]
    filmed = (len(material.films), len(material.sets))
    write_bytes(path, _fitting(_context(material), films, sets, filmed, strips, max_bytes).encode())
    return path


def _fitting(
    context: Mapping[str, object],
    films: Sequence[FilmView],
    sets: Sequence[SetView],
    filmed: tuple[int, int],
    strips: Sequence[StripView],
    max_bytes: int,
) -> str:
    """The page with as many films, sets and imaginations as fit; `filmed`: how many films and sets there are in all."""
    shown_films, shown_sets, shown_strips = list(films), list(sets), list(strips)
    while True:
        page = render(
            {
                **context,
                "films": shown_films,
                "strips": shown_strips,
                "dropped_films": filmed[0] - len(shown_films),
                "sets": shown_sets,
                "dropped_sets": filmed[1] - len(shown_sets),
                "dropped_strips": len(strips) - len(shown_strips),
            }
        )
        size = len(page.encode())
        surplus = size - max_bytes
        if surplus <= 0:
            return page
        while surplus > 0 and shown_sets:
            surplus -= shown_sets.pop().weight
        while surplus > 0 and shown_films:
            surplus -= shown_films.pop().weight
        while surplus > 0 and shown_strips:
            surplus -= shown_strips.pop().weight
        if surplus > 0:
            raise StoreError(
                "the report is too large even without films and imaginations",
                got=size_bytes(size),
                expected=f"at most {size_bytes(max_bytes)}",
                remedy="remove some of the run's exhibits",
            )


def _context(material: Material) -> dict[str, object]:
    """Everything the template is given."""
    config = _object(material.config)
    score = material.score if isinstance(material.score, Scorecard) else None
    physics = material.physics if isinstance(material.physics, Scorecard) else None
    hidden = material.hidden if isinstance(material.hidden, Scorecard) else None
    log = material.log if isinstance(material.log, Log) else None
    scatters = enumerate(material.scatters.items())
    return {
        "name": material.run.root.resolve().name,
        "facts": _facts(config, log, score),
        "faults": material.faults,
        "score": score,
        "key_figures": key_figures(score) if score else (),
        "groups": groups(score) if score else (),
        "horizons": horizon_charts(score) if score else (),
        "physics": physics,
        "physics_tables": physics_tables(physics) if physics else (),
        "hidden_charts": hidden_charts(hidden) if hidden else (),
        "log": log,
        "curves": curve_charts(log) if log else (),
        "reached": sum(film.success for film in material.films.values()),
        "filmed": len(material.films),
        "scatters": [scatter_view(name, index, item) for index, (name, item) in scatters],
        "protocol": flatten(score.protocol) if score else (),
        "machine": flatten(score.machine if score else _object(config.get("machine"))),
        "config": flatten(config),
        "provenance": _provenance(config, score),
        "missing": {
            "score": _state(material.score),
            "physics": _state(material.physics),
            "hidden": _state(material.hidden),
            "log": _state(material.log),
            "config": _state(material.config),
            "exhibits": material.command("score"),
            "films": material.command("plan"),
        },
    }


def _facts(config: Mapping[str, object], log: Log | None, score: Scorecard | None) -> list[str]:
    """What the run is, in a few words."""
    train, data = _object(config.get("train")), _object(config.get("data"))
    facts = []
    if isinstance(size := train.get("size"), str):
        facts.append(f"size {size}")
    if isinstance(episodes := data.get("episodes"), int):
        facts.append(plural(episodes, "recorded episode"))
    if log is not None:
        facts.append(f"trained for {training_line(log)}")
    if score is not None:
        facts.append(f"scored {score.created[:10]}")
    return facts


def _provenance(config: Mapping[str, object], score: Scorecard | None) -> list[tuple[str, str]]:
    """Where the weights and the figures come from."""
    data, train = _object(config.get("data")), _object(config.get("train"))
    pairs: list[tuple[str, object]] = [
        ("data fingerprint", data.get("fingerprint")),
        ("training seed", train.get("seed")),
        ("trained by commit", config.get("commit")),
        ("trained", config.get("created")),
    ]
    if score is not None:
        pairs += [
            ("scored by commit", score.commit),
            ("scored", score.created),
            ("protocol", score.protocol_id),
            ("evaluation seeds", _seeds(score.seeds)),
        ]
    return [(name, str(value)) for name, value in pairs if value is not None]


def _seeds(seeds: tuple[int, ...]) -> str:
    if len(seeds) > 8:
        return ", ".join(map(str, seeds[:6])) + f", … ({len(seeds)} in all)"
    return ", ".join(map(str, seeds)) or "none"


def _control_seconds(config: Mapping[str, object]) -> float:
    """Duration of a control step, from the recipe."""
    seconds = _object(_object(config.get("model")).get("actions")).get("dt_seconds")
    usable = isinstance(seconds, int | float) and not isinstance(seconds, bool) and 0 < seconds < 60
    return float(seconds) if usable and isinstance(seconds, int | float) else DEFAULT_CONTROL_SECONDS


def _state(part: object) -> Absent | Broken | None:
    return part if isinstance(part, Absent | Broken) else None


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def render(context: Mapping[str, object], template: str = "report.html") -> str:
    """The page from a template; every text in `context` is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("monde.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(context)
