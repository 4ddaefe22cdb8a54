"""`monde mcp`: the mind of a run for language-model agents, over standard input and output or streamable HTTP."""

import asyncio
import base64
import json
import logging
from dataclasses import dataclass

import anyio
import mcp_types as types
import uvicorn
from mcp.server import Server, ServerRequestContext
from mcp.server.stdio import stdio_server
from mcp.server.transport_security import TransportSecuritySettings
from starlette.types import ASGIApp

import monde
from monde.errors import MondeError, ServingError
from monde.limits import MAX_CONNECTIONS, MAX_JSON_BODY_BYTES
from monde.mind import VERBS, Mind, Request
from monde.serving.asking import Thinker
from monde.serving.auth import Token
from monde.serving.gate import Gate
from monde.serving.metrics import Metrics
from monde.serving.telling import serving
from monde.serving.tools import read_arguments, told, tool_schema

LOG = logging.getLogger("monde.serving")

INSTRUCTIONS = """A learned model of one physical world: it can perceive, imagine, compare, plan and explain.
Begin with `about`. `perceive` makes a belief of what is seen (keep its handle's id); `imagine` asks what if; `compare`
ranks courses of action for a goal; `plan` finds one. Every answer has `trust`: do not rely on what it calls out of
distribution. Times are seconds, actions are in the world's units, one control step after the other."""


@dataclass(frozen=True)
class Tools:
    """Answers the calls of tools.

    Args:
        mind: Asked.
        thinker: Asks it, one question at a time.
    """

    mind: Mind
    thinker: Thinker

    async def list_tools(
        self, context: ServerRequestContext, params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        """All tools."""
        about = types.Tool(
            name="about",
            description="What the run is: its sensors, its actions, what can be read, how long its recording is.",
            input_schema={"type": "object", "properties": {}},
            annotations=types.ToolAnnotations(read_only_hint=True),
        )
        verbs = [
            types.Tool(
                name=verb,
                description=(request.__doc__ or verb).strip(),
                input_schema=tool_schema(verb),
                annotations=types.ToolAnnotations(read_only_hint=True),
            )
            for verb, (request, _) in VERBS.items()
        ]
        return types.ListToolsResult(tools=[about, *verbs])

    async def call_tool(
        self, context: ServerRequestContext, params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        """The answer of one tool; what is wrong with a call is told to the model that made it."""
        pictures: list[bytes] = []
        try:
            if params.name == "about":
                document = await asyncio.to_thread(self.about)
            else:
                document, pictures = await self._asked(params)
        except MondeError as error:
            return _content(str(serving(error)), error=True)
        except Exception:
            LOG.exception("a tool failed")
            return _content("The server has a fault; its log says why.", error=True)
        images = [
            types.ImageContent(type="image", data=base64.b64encode(png).decode(), mime_type="image/png")
            for png in pictures
        ]
        text = types.TextContent(type="text", text=json.dumps(document, ensure_ascii=False, allow_nan=False))
        return types.CallToolResult(content=[text, *images], structured_content=document)

    async def _asked(self, params: types.CallToolRequestParams) -> tuple[dict[str, object], list[bytes]]:
        if params.name not in VERBS:
            raise ServingError("there is no such tool", status=404, got=params.name[:40], expected=", ".join(VERBS))
        request: Request = await asyncio.to_thread(read_arguments, params.name, params.arguments or {}, self.mind)
        answer = await self.thinker.ask(params.name, request)
        return await asyncio.to_thread(told, answer)

    def about(self) -> dict[str, object]:
        """What the run is."""
        held = self.mind.faculties
        actions = held.model.actions
        document: dict[str, object] = {
            "run": held.run.name,
            "sensors": [
                {"name": s.name, "kind": s.kind, "shape": list(s.shape), "unit": s.unit} for s in held.model.sensors
            ],
            "actions": {
                "names": list(actions.names),
                "low": list(actions.low),
                "high": list(actions.high),
                "choices": actions.choices,
                "control_steps_in_a_block": actions.block,
                "seconds_of_a_control_step": actions.dt_seconds,
            },
            "readouts": sorted(held.knowledge.readouts) if held.knowledge is not None else [],
            "pictures_of_what_is_imagined": held.decoder is not None,
        }
        try:
            lengths = held.recording().lengths
            document["recording"] = {"episodes": len(lengths), "frames_of_the_first": lengths[0]}
        except MondeError:
            document["recording"] = None
        return document


def make_server(mind: Mind, metrics: Metrics | None = None) -> Server:
    """The MCP server of a mind."""
    tools = Tools(mind, Thinker(mind.ask, metrics or Metrics()))
    return Server(
        f"monde: {mind.faculties.run.name}",
        version=monde.__version__,
        instructions=INSTRUCTIONS,
        on_list_tools=tools.list_tools,
        on_call_tool=tools.call_tool,
    )


def serve_stdio(mind: Mind) -> None:
    """Serve over standard input and output until the client closes them."""

    async def run() -> None:
        server = make_server(mind)
        async with stdio_server() as (read_stream, write_stream):
            await server.run(read_stream, write_stream, server.create_initialization_options())

    anyio.run(run)


def http_app(mind: Mind, token: str) -> ASGIApp:
    """The application that serves a mind at /mcp, behind the token."""
    metrics = Metrics()
    app = make_server(mind, metrics).streamable_http_app(
        stateless_http=True,
        json_response=True,
        max_request_body_size=MAX_JSON_BODY_BYTES,
        # Names of hosts need no check where every request carries the token.
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    return Gate(app, Token(token), metrics)


def serve_http(mind: Mind, token: str, host: str, port: int) -> None:
    """Serve over streamable HTTP until SIGINT or SIGTERM."""
    uvicorn.run(
        http_app(mind, token),
        host=host,
        port=port,
        log_config=None,
        log_level="info",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MAX_CONNECTIONS,
    )


def _content(text: str, error: bool = False) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(type="text", text=text)], is_error=error)
