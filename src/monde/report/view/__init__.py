"""Recordings and runs for Rerun's viewer (rerun.io): cameras, depth, points, scans, trajectories, imagined futures."""

from monde.report.view.build import build_view

__all__ = ["build_view"]
