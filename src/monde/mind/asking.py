"""`Mind`: a trained run that answers questions."""

from pathlib import Path


class Mind:
    """Answers questions about the world that a run was trained on. (In the making.)"""

    def __init__(self, run: Path | str) -> None:
        self.run = Path(run)
