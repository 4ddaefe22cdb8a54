"""`LanguageModel`: a model behind an API as a contestant; zero-shot, few-shot, thinking aloud, with a tool."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from monde.bets.language.client import MAX_WAIT_SECONDS, Chat, Endpoint, Reply, prompt_bound
from monde.bets.language.parsing import LETTERS, to_answer
from monde.bets.language.prompting import Message, messages_of
from monde.bets.types import Answer, Contestant, Cost, Question, Truth
from monde.errors import UsageError
from monde.store import digest_json

Style = Literal["zero-shot", "few-shot", "chain-of-thought", "with-world-model"]

MAX_TOOL_ROUNDS = 3
TOOL_BOUND = 2_000
"""Bound of the tokens that one use of the tool adds to the prompt."""

TOOL: Mapping[str, object] = {
    "type": "function",
    "function": {
        "name": "ask_world_model",
        "description": "What a world model that has seen this situation answers to this question, and how sure it is.",
        "parameters": {"type": "object", "properties": {}, "additionalProperties": False},
    },
}


class LanguageModel:
    """Asks a model behind an API.

    Args:
        endpoint: Where it is.
        style: How it is asked.
        images: Whether pictures are sent besides the text.
        shots: Solved questions, for few-shot; those of the question's own family are shown. Plans are left out.
        tool: What `ask_world_model` asks, for with-world-model.
        name: Its name in the verdict; by default model and style.

    Raises:
        UsageError: Few-shot without shots, or a tool without one.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        style: Style = "zero-shot",
        *,
        images: bool = False,
        shots: Sequence[tuple[Question, Truth]] = (),
        tool: Contestant | None = None,
        name: str | None = None,
    ) -> None:
        if (style == "few-shot") != bool(shots) or (style == "with-world-model") != (tool is not None):
            expected = "shots for few-shot alone, a world model for with-world-model alone"
            raise UsageError(f"a language model cannot be asked {style} like this", expected=expected)
        self.chat = Chat(endpoint)
        self._style, self._images, self._tool = style, images, tool
        self._shots = [(question, truth) for question, truth in shots if truth.judge is None]
        self._name = name or f"{endpoint.model} {style}{' with pictures' if images else ''}"

    @property
    def name(self) -> str:
        """Its name in the verdict."""
        return self._name

    @property
    def identity(self) -> Mapping[str, object]:
        """Address, model, style, shots and tool; no key."""
        endpoint = self.chat.endpoint
        shots = [question.content_hash for question, _ in self._shots]
        return {
            "contestant": "language model",
            "url": endpoint.url,
            "model": endpoint.model,
            "max_tokens": endpoint.max_tokens,
            "style": self._style,
            "images": self._images,
            "shots": digest_json(shots),
            "tool": None if self._tool is None else dict(self._tool.identity),
        }

    @property
    def longest_seconds(self) -> float:
        """All tries of all rounds at their longest."""
        endpoint, rounds = self.chat.endpoint, 1 + (MAX_TOOL_ROUNDS if self._tool is not None else 0)
        tries = (endpoint.retries + 1) * (endpoint.timeout_seconds + 60 / endpoint.per_minute)
        return rounds * (tries + endpoint.retries * MAX_WAIT_SECONDS)

    def most(self, question: Question) -> Cost:
        """The whole prompt and the longest reply, of every round."""
        endpoint = self.chat.endpoint
        rounds = 1 + (MAX_TOOL_ROUNDS if self._tool is not None else 0)
        added = (TOOL_BOUND + 4 * endpoint.max_tokens) * (rounds - 1)
        tokens_in = rounds * (prompt_bound(self._messages(question)) + added)
        tokens_out = rounds * endpoint.max_tokens
        return Cost(tokens_in=tokens_in, tokens_out=tokens_out, usd=endpoint.price(tokens_in, tokens_out))

    def answer(self, question: Question) -> Answer:
        """Its answer, or a recorded failure with the raw text.

        Raises:
            UsageError: What no other question would mend: no key, no server, no such model.
        """
        began = time.perf_counter()
        messages = self._messages(question)
        tools = () if self._tool is None else (TOOL,)
        tokens_in = tokens_out = 0
        for turn in range(MAX_TOOL_ROUNDS + 1):
            reply = self.chat.complete(messages, tools if turn < MAX_TOOL_ROUNDS else ())
            tokens_in, tokens_out = tokens_in + reply.tokens_in, tokens_out + reply.tokens_out
            if not reply.calls or self._tool is None:
                break
            messages = [*messages, *self._used(question, reply)]
        usd = self.chat.endpoint.price(tokens_in, tokens_out)
        cost, seconds = Cost(tokens_in=tokens_in, tokens_out=tokens_out, usd=usd), time.perf_counter() - began
        if reply.failure is not None:
            return Answer(
                question=question.id,
                failure=reply.failure,
                raw=reply.text,
                seconds=seconds,
                cost=cost,
                note=reply.note,
            )
        return to_answer(question, reply.text, seconds, cost, reply.note)

    def _messages(self, question: Question) -> list[Message]:
        shots = [(solved, truth) for solved, truth in self._shots if solved.family == question.family]
        think = self._style in ("chain-of-thought", "with-world-model")
        return messages_of(question, think=think, images=self._images, shots=shots)

    def _used(self, question: Question, reply: Reply) -> list[Message]:
        """The reply and what the tool says to it."""
        if self._tool is None:
            return []
        said = tool_says(self._tool.answer(question))
        asked = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in reply.calls
        ]
        told: list[Message] = [{"role": "assistant", "content": reply.text, "tool_calls": asked}]
        for call in reply.calls:
            known = call.name == "ask_world_model"
            content = said if known else json.dumps({"error": f"there is no tool {call.name[:40]!r}"})
            told.append({"role": "tool", "tool_call_id": call.id, "content": content})
        return told


def tool_says(answer: Answer) -> str:
    """A world model's answer as a tool tells it."""
    plain = replace(answer, raw="", note="")
    told: dict[str, object] = {"confidence": plain.confidence}
    if plain.choice is not None:
        told["answer"] = LETTERS[plain.choice]
    elif plain.number is not None:
        told["answer"] = plain.number
    elif plain.plan is not None:
        told["answer"] = [list(row) for row in plain.plan]
    else:
        told["error"] = "the world model cannot read this question"
    return json.dumps(told)
