"""What a language model is asked: the question as text, pictures where it takes them, the form of the answer."""

import base64
import io
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import UInt8

from monde.bets.language.parsing import LETTERS
from monde.bets.types import Question, Truth

Message = Mapping[str, object]

MAX_PICTURES = 8
"""Moments of a film that are shown side by side."""

SYSTEM = (
    "You answer questions about small physical worlds. Times are seconds, lengths pixels (px). End with one JSON "
    'object on a line of its own: {"answer": ..., "confidence": p}; p is the probability, 0 to 1, that you are right.'
)
THINK = "Think step by step first; the JSON object comes last."
PLAINLY = "Give the JSON object alone."


def messages_of(
    question: Question, *, think: bool, images: bool, shots: Sequence[tuple[Question, Truth]] = ()
) -> list[Message]:
    """A conversation that ends with the question; `shots` are solved questions that come before it."""
    messages: list[Message] = [{"role": "system", "content": f"{SYSTEM} {THINK if think else PLAINLY}"}]
    for solved, truth in shots:
        messages.append({"role": "user", "content": question_text(solved)})
        messages.append({"role": "assistant", "content": solution(solved, truth)})
    text = question_text(question)
    if not images or not question.sensors:
        return [*messages, {"role": "user", "content": text}]
    parts: list[Mapping[str, object]] = [{"type": "text", "text": text}]
    for name, array in question.sensors.items():
        if array.dtype == np.uint8 and array.ndim == 4:
            parts.append({"type": "text", "text": f"Pictures: {name}, from left to right."})
            parts.append({"type": "image_url", "image_url": {"url": picture_url(array)}})
    return [*messages, {"role": "user", "content": parts}]


def question_text(question: Question) -> str:
    """Situation, question, options and the form of the answer."""
    lines = [question.text, "", question.prompt]
    if question.kind == "choice":
        lines += [f"{LETTERS[k]}: {option}" for k, option in enumerate(question.options)]
        lines.append("The answer is one letter.")
    elif question.kind == "number":
        lines.append(f"The answer is a number in {question.unit}.")
    else:
        lines.append(f"The answer is a list of at most {question.rows} rows [{', '.join(question.row)}].")
    return "\n".join(lines)


def solution(question: Question, truth: Truth) -> str:
    """The right answer, as it should be given. Plans have no single right answer: none is shown.

    A shot with a plan would need one that was executed; questions with plans are left out of shots.
    """
    if truth.choice is not None:
        return f'{{"answer": "{LETTERS[truth.choice]}", "confidence": 0.99}}'
    return f'{{"answer": {truth.number}, "confidence": 0.99}}'


def picture_url(film: UInt8[np.ndarray, "T 3 h w"]) -> str:
    """Moments of a film, evenly spread and the last among them, as one PNG in a data URL."""
    from PIL import Image

    picks = np.unique(np.linspace(0, len(film) - 1, min(len(film), MAX_PICTURES)).round().astype(int))
    strip = np.concatenate([film[index].transpose(1, 2, 0) for index in picks], axis=1)
    buffer = io.BytesIO()
    Image.fromarray(strip).save(buffer, format="PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
