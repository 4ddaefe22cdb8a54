"""Minimal pairs in space."""

from monde.worlds.scenes3d.pairs.make import SIDE_PIXELS, make_pairs, possible_shots

__all__ = ["SIDE_PIXELS", "make_pairs", "possible_shots"]
