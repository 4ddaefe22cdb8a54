"""Looking through a recording before anything is learned from it."""

from monde.data.checking.files import ReportsAbsent, ReportsAbsentFiles
from monde.data.checking.findings import Finding, Level
from monde.data.checking.run import check_dataset

__all__ = ["Finding", "Level", "ReportsAbsent", "ReportsAbsentFiles", "check_dataset"]
