"""The corners of latent prediction: a world model of films and one of acting, learned from pixels or from states."""

from monde.bets.corners.latents.corner import LatentCorner, open_latents
from monde.bets.corners.latents.teaching import teach_latents

__all__ = ["LatentCorner", "open_latents", "teach_latents"]
