"""`monde far`: what a trained model needs to plan far."""

from dataclasses import dataclass

from monde.cli.progress import Reporter
from monde.cli.verb import Outcome, Run


@dataclass(frozen=True, kw_only=True)
class Far:
    """Make landmarks of what a run has seen, and the shortest ways between them: goals far away are led to."""

    run: Run
    """Run folder."""
    landmarks: int = 512
    """Most landmarks that are made."""
    reach: float = 5.0
    """Action blocks up to which learned times are believed."""
    megabytes: float = 256.0
    """Memory of the graph; where that is too little, fewer landmarks are made."""
    seed: int = 0
    """Seed of the places that landmarks are chosen from."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1, …"""

    def execute(self, reporter: Reporter) -> Outcome:
        """Make them; see `monde.training.fit_landmarks`."""
        from monde.training import FitLandmarksConfig, fit_landmarks

        config = FitLandmarksConfig(
            landmarks=self.landmarks,
            reach_blocks=self.reach,
            most_bytes=int(self.megabytes * 1e6),
            seed=self.seed,
            device=self.device,
        )
        with reporter.track(f"landmarks of {self.run}") as advance:
            summary = fit_landmarks(self.run, config, advance)
        graph = summary.landmarks
        document = {
            "verb": "far",
            "run": str(self.run),
            "landmarks": len(graph),
            "edges": len(graph.sources),
            "radius_blocks": graph.radius_blocks,
            "reach_blocks": graph.reach_blocks,
            "joined": summary.joined,
            "recall": summary.recall,
            "unseen": summary.unseen,
            "bytes": graph.bytes,
            "pruned": graph.pruned,
        }
        lines = [
            f"{self.run}: {len(graph)} landmarks, {len(graph.sources):,} edges; "
            f"ways lead between {summary.joined:.0%} of all pairs",
            f"every place that was visited lies within {graph.radius_blocks:.1f} blocks of one",
        ]
        if graph.pruned:
            lines.append(f"fewer than there should be: {graph.pruned}")
        return Outcome("\n".join([*lines, f"plan with `monde plan {self.run}`"]), document)

    def kept(self) -> str:
        """Landmarks are written whole."""
        return f"The landmarks in {self.run}, if there were any, are as they were."
