"""A model card from what a run says of itself: what it reads and does, what it was trained on, how good it is."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from monde.errors import StoreError
from monde.models import JEPA, load_model
from monde.scorecard import Row, Scorecard
from monde.store import RunFolder, read_json

SCORED = (
    ("score.json", "Scores"),
    ("trust.json", "Trust"),
    ("physics.json", "Intuitive physics"),
    ("hidden.json", "Objects out of sight"),
)
TOLD_ROWS = 60
"""Rows of one scorecard that the card shows; the file beside it holds them all."""


def model_card(run: Path, name: str) -> str:
    """The card, Markdown with the front matter that the hub reads.

    Args:
        run: Run folder.
        name: Of the repository.

    Raises:
        StoreError: Not a run, or a scorecard that cannot be read.
    """
    model = load_model(run)
    return "\n".join([*_front(run), f"# {name}", "", *_about(run, model), *_use(name, model), *_scores(run)]) + "\n"


def _front(run: Path) -> Iterator[str]:
    yield "---"
    yield "library_name: monde"
    yield "pipeline_tag: robotics"
    yield "tags: [world-model, jepa, planning, robotics, self-supervised-learning]"
    score = RunFolder(run).score
    if score.exists():
        yield from _index(Scorecard.from_json(read_json(score)))
    yield "---"
    yield ""


def _index(score: Scorecard) -> Iterator[str]:
    """The figures of control in the form that the hub collects."""
    figures = [row for row in score.rows if row.metric == "success"]
    if not figures:
        return
    yield "model-index:"
    yield f"- name: {_quoted(score.name)}"
    yield "  results:"
    yield "  - task: {type: robotics}"
    yield f"    dataset: {{name: {_quoted(str(score.protocol.get('world')))}, type: simulation}}"
    yield "    metrics:"
    for row in figures:
        yield f"    - {{type: {_quoted(row.metric)}, value: {row.value:.6g}, name: {_quoted(row.metric)}}}"


def _about(run: Path, model: JEPA) -> Iterator[str]:
    config = RunFolder(run).read_config()
    data, train = config.get("data"), config.get("train")
    if not isinstance(data, dict) or not isinstance(train, dict):
        raise StoreError(f"{RunFolder(run).config} is malformed", expected="'data' and 'train'")
    yield "A world model trained with monde: it predicts in latent space what comes of actions, and is planned with."
    yield ""
    yield f"- size {train.get('size')}, {model.parameters_total:,} parameters, D = {model.latent}"
    for sensor in model.sensors:
        shape = "×".join(map(str, sensor.shape))
        yield f"- reads `{sensor.name}`: {sensor.kind} [{shape}]{'' if sensor.unit == '1' else ' ' + sensor.unit}"
    actions = model.actions
    if actions.unactuated:
        yield f"- nobody acts; a step is {actions.block_seconds:g} s"
    else:
        kind = f"{actions.choices} choices" if actions.discrete else f"{actions.dim} numbers"
        named = f" ({', '.join(actions.names)})" if actions.names else ""
        yield f"- acts: {kind}{named} every {actions.dt_seconds:g} s, in blocks of {actions.block}"
    yield f"- trained on {data.get('episodes')} episodes, fingerprint `{str(data.get('fingerprint'))[:16]}`"
    yield f"- weights of step {int(RunFolder(run).latest().name.removeprefix('step-')):,}; seed {train.get('seed')}"
    yield ""


def _use(name: str, model: JEPA) -> Iterator[str]:
    yield "## Use it"
    yield ""
    yield "```sh"
    yield f"monde pull {name} --out runs/pulled"
    yield "```"
    yield ""
    yield "```python"
    yield "import monde"
    yield ""
    yield 'model = monde.load_model("runs/pulled")'
    yield 'mind = monde.Mind("runs/pulled")'
    yield "```"
    yield ""
    yield (
        "It knows what it was trained on and little else: other scenes, cameras, rates or bodies are out of "
        "distribution. `monde trust` and the `trust` of every answer say so."
    )
    yield ""


def _scores(run: Path) -> Iterator[str]:
    found = [(title, run / file) for file, title in SCORED if (run / file).exists()]
    if not found:
        yield "## Scores"
        yield ""
        yield "Not scored: `monde score` was not run."
    for title, path in found:
        score = Scorecard.from_json(read_json(path))
        yield f"## {title}"
        yield ""
        yield (
            f"Protocol `{score.protocol_id}`, commit `{score.commit[:12]}`, {score.created[:10]}. Every figure stands "
            "beside its floors and its 95% interval."
        )
        yield ""
        yield from _table(score.rows)
        yield ""


def _table(rows: Sequence[Row]) -> Iterator[str]:
    yield "| metric | value | 95% interval | n | floors |"
    yield "|---|---|---|---|---|"
    for row in rows[:TOLD_ROWS]:
        unit = "" if row.unit in {"", "1"} else f" {row.unit}"
        low_high = "" if row.interval is None else f"{row.interval[0]:.4g} to {row.interval[1]:.4g}"
        floors = ", ".join(f"{name} {value:.4g}" for name, value in row.floors.items())
        yield f"| {_cell(row.metric)} | {row.value:.4g}{unit} | {low_high} | {row.n} | {_cell(floors)} |"
    if len(rows) > TOLD_ROWS:
        yield ""
        yield f"…and {len(rows) - TOLD_ROWS} more in the scorecard beside this card."


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _quoted(text: str) -> str:
    import json

    return json.dumps(text)
