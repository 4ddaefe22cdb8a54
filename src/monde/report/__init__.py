"""A run as one page: curves, figures beside their floors, films, imaginations and provenance, without any network."""

from monde.report.build import build_report

__all__ = ["build_report"]
