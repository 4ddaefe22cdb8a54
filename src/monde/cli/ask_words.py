"""Answers in words, and what they show as pictures."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from monde.mind import (
    Answer,
    CompareAnswer,
    ExplainAnswer,
    Future,
    GoalOfAnswer,
    ImagineAnswer,
    PerceiveAnswer,
    PlanAnswer,
    Reading,
    StateAnswer,
    SurpriseAnswer,
)
from monde.report.numbers import table

TOLD_CAUSES = 8
TOLD_NUMBERS = 12
"""Components of one readout that are told in words; the rest is in the document."""


def words(answer: Answer) -> list[str]:
    """An answer as lines, how far it can be trusted last."""
    match answer:
        case ImagineAnswer():
            lines = [line for future in answer.futures for line in _future(future)]
        case CompareAnswer():
            lines = _compared(answer)
        case PlanAnswer():
            lines = _planned(answer)
        case SurpriseAnswer():
            lines = _surprising(answer)
        case ExplainAnswer():
            lines = _explained(answer)
        case GoalOfAnswer():
            lines = _goals(answer)
        case StateAnswer():
            lines = [line for reading in answer.readings for line in _reading(reading, 0)]
        case PerceiveAnswer():
            lines = [
                f"a belief at {answer.belief.time_seconds:.2f} s (--json FILE keeps it, --belief FILE takes it up)"
            ]
        case _:
            lines = []
    return [*lines, f"trust: {answer.trust.told}"]


def drawn(answer: Answer, folder: Path) -> list[Path]:
    """Writes what an answer shows as PNG and names the files: a film's frames side by side."""
    pictures: Mapping[str, np.ndarray] = {}
    if isinstance(answer, ImagineAnswer):
        pictures = {one.course: one.frames for one in answer.futures if one.frames is not None}
    elif isinstance(answer, PlanAnswer) and answer.future is not None and answer.future.frames is not None:
        pictures = {answer.future.course: answer.future.frames}
    elif isinstance(answer, StateAnswer) and answer.frame is not None:
        pictures = {"state": answer.frame[None]}
    return [_png(folder / f"{_plain(name)}.png", frames) for name, frames in pictures.items()]


def _png(path: Path, frames: np.ndarray) -> Path:
    import io

    from PIL import Image

    from monde.store import write_bytes

    strip = np.concatenate(list(frames.transpose(0, 2, 3, 1)), axis=1)
    path.parent.mkdir(parents=True, exist_ok=True)
    held = io.BytesIO()
    Image.fromarray(strip).save(held, format="png")
    write_bytes(path, held.getvalue())
    return path


def _plain(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in name) or "course"


def _future(future: Future) -> list[str]:
    seconds = future.times_seconds
    lines = [
        f"{future.course}: {len(seconds)} blocks, to {seconds[-1]:.2f} s; hypotheses differ by {future.spread[-1]:.3g}"
    ]
    lines += [line for reading in future.readings for line in _reading(reading, -1)]
    if future.trust.out_of_distribution:
        lines.append(f"  {future.trust.told}")
    return lines


def _reading(reading: Reading, moment: int) -> list[str]:
    names = reading.names or tuple(map(str, range(reading.values.shape[1])))
    values, low, high = reading.values[moment], reading.low[moment], reading.high[moment]
    unit = "" if reading.unit == "1" else f" {reading.unit}"
    parts = [
        f"{name} {value:.4g}{unit} ({least:.4g} to {most:.4g})"
        for name, value, least, most in zip(names, values, low, high, strict=True)
    ]
    more = f" and {len(parts) - TOLD_NUMBERS} more" if len(parts) > TOLD_NUMBERS else ""
    return [f"  {reading.readout}: {', '.join(parts[:TOLD_NUMBERS])}{more}"]


def _compared(answer: CompareAnswer) -> list[str]:
    header = ("course", f"cost ({answer.unit})", "range", "seconds to goal", "reaches", "violation")
    rows = [
        (
            outcome.course,
            f"{outcome.cost:.3g}",
            f"{outcome.low:.3g} to {outcome.high:.3g}",
            "" if outcome.seconds_to_goal is None else f"{outcome.seconds_to_goal:.2f}",
            {None: "", True: "yes", False: "no"}[outcome.reaches],
            f"{outcome.violation:.3g}",
        )
        for outcome in answer.outcomes
    ]
    best = f"best: {answer.outcomes[0].course}, in {answer.agreement:.0%} of the hypotheses"
    return [table(header, rows, right=frozenset({1, 2, 3, 5})), best]


def _planned(answer: PlanAnswer) -> list[str]:
    lines = [f"cannot be reached, because: {answer.cannot}"] if answer.cannot is not None else []
    if answer.course is not None and answer.future is not None:
        arrives = "reaches the goal" if answer.reaches else "comes as near as this"
        lines.append(
            f"a course of {len(answer.course.controls)} control steps {arrives}: cost {answer.cost_before:.3g} to "
            f"{answer.cost_after:.3g}, planned in {answer.seconds:.2f} s"
            + (" (cut short by its deadline)" if answer.deadline_hit else "")
        )
        lines += _future(answer.future)
    return lines


def _surprising(answer: SurpriseAnswer) -> list[str]:
    lines = [f"{len(answer.curve)} moments, mean surprise {answer.curve[1:].mean():.3g} (1: as of one step in 20)"]
    for moment in answer.moments:
        where = "" if moment.box is None else f", at {moment.box.name} of {moment.box.sensor}"
        which = "" if moment.sensor is None else f", {moment.sensor}"
        lines.append(f"  {moment.time_seconds:.2f} s: {moment.surprise:.3g}{which}{where}")
    return lines


def _explained(answer: ExplainAnswer) -> list[str]:
    header = ("cause", "kind", f"outcome ({answer.unit})", "change", "share")
    rows = [
        (
            cause.name,
            cause.kind,
            f"{cause.outcome:.3g}",
            f"{cause.change:+.3g}",
            "" if cause.share is None else f"{cause.share:.0%}",
        )
        for cause in answer.causes[:TOLD_CAUSES]
    ]
    whole = f"outcome {answer.outcome:.3g} {answer.unit}; with all of it exchanged {answer.instead:.3g}"
    return [table(header, rows, right=frozenset({2, 3, 4})), whole]


def _goals(answer: GoalOfAnswer) -> list[str]:
    header = ("goal", "probability", "wasted blocks", "seconds left")
    rows = [
        (goal.goal, f"{goal.probability:.3f}", f"{goal.wasted_blocks:.2f}", f"{goal.left_seconds:.2f}")
        for goal in answer.goals
    ]
    return [table(header, rows, right=frozenset({1, 2, 3}))]
