"""Folders of plain videos: each file an episode of one camera, without actions."""
