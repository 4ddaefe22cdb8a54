"""A trained run over the network: a control session for each robot, questions over HTTP, tools over MCP."""

from monde.serving.config import ServeConfig, find_token
from monde.serving.desk import Desk, open_desk
from monde.serving.server import Served, Server, serve

__all__ = ["Desk", "ServeConfig", "Served", "Server", "find_token", "open_desk", "serve"]
