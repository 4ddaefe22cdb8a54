"""Language models as contestants: behind an OpenAI-compatible API, or in a local folder."""

from monde.bets.language.api import LanguageModel, Style
from monde.bets.language.client import Chat, Endpoint
from monde.bets.language.parsing import parse

__all__ = ["Chat", "Endpoint", "LanguageModel", "Style", "parse"]
