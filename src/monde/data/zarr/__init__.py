"""Zarr recordings in the layout of Diffusion Policy: whole datasets as a few long arrays, cut by meta/episode_ends."""
