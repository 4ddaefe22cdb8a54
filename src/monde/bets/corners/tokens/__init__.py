"""Corners of token prediction: causal transformers that answer by the likelihood of each candidate."""

from monde.bets.corners.tokens.corner import TokenCorner, open_tokens
from monde.bets.corners.tokens.teaching import teach_tokens

__all__ = ["TokenCorner", "open_tokens", "teach_tokens"]
