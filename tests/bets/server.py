"""A small server that speaks the OpenAI API for the tests, as a process of its own: python server.py PORT STATE.

What it does is told by the model's name; every request is noted in the file STATE, one line each.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

app = FastAPI()
STATE = Path(sys.argv[2]) if len(sys.argv) > 2 else Path("state")
REPLIES = {
    "steady": '{"answer": "A", "confidence": 0.8}',
    "prose": "I looked at the wall and the disc. The answer is B.",
    "json-in-prose": 'Well: {"thought": 1} and then\n```json\n{"answer": "B", "confidence": 0.6}\n```\nThat is all.',
    "sure": '{"answer": "A", "confidence": 2.0}',
    "spanish": "No puedo decidir entre las opciones, lo siento mucho.",
    "nothing": "",
    "sorry": "I'm sorry, but I cannot help with that.",
}
seen: dict[str, int] = {}


@app.post("/v1/chat/completions")
async def complete(request: Request) -> Response:
    body = await request.json()
    name = body["model"]
    seen[name] = seen.get(name, 0) + 1
    with STATE.open("a", encoding="utf-8") as file:
        authorised = request.headers.get("authorization", "")
        file.write(json.dumps({"model": name, "key": authorised[:7], "messages": body["messages"]}) + "\n")
    if name.isdigit():
        return JSONResponse({"error": {"message": "Incorrect API key provided: secret-key"}}, int(name))
    if name == "busy-twice" and seen[name] <= 2:
        return JSONResponse({"error": "slow down"}, (429, 500)[seen[name] - 1], {"retry-after": "0.01"})
    if name == "whole":
        message = {"content": REPLIES["steady"], "role": "assistant"}
        usage = {"prompt_tokens": 10, "completion_tokens": 5}
        return JSONResponse({"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage})
    return StreamingResponse(stream(name, body), media_type="text/event-stream")


async def stream(name: str, body: dict[str, object]) -> AsyncIterator[str]:
    if name == "slow":
        yield event({"content": "one moment"})
        await asyncio.sleep(30)
    if name == "kept-open":
        for _ in range(100):
            yield ": nothing yet\n\n"
            await asyncio.sleep(0.1)
    if name == "endless":
        while True:
            yield event({"content": "and so on " * 100})
            await asyncio.sleep(0)
    messages = body["messages"]
    if name == "asks-tool" and isinstance(messages, list) and messages[-1]["role"] != "tool":
        function = {"name": "ask_world_model", "arguments": "{}"}
        yield event({"tool_calls": [{"index": 0, "id": "call1", "type": "function", "function": function}]})
    elif name == "asks-tool" and isinstance(messages, list):
        yield event({"content": messages[-1]["content"]})
    elif name == "filtered":
        yield event({"content": ""}, "content_filter")
    else:
        text = REPLIES.get(name, REPLIES["steady"])
        for start in range(0, len(text), 7):
            yield event({"content": text[start : start + 7]})
    if name != "uncounted":
        yield "data: " + json.dumps({"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 5}}) + "\n\n"
    yield "data: [DONE]\n\n"


def event(delta: dict[str, object], finish: str | None = None) -> str:
    return "data: " + json.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}) + "\n\n"


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error")
