"""`monde export RUN`."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from monde.cli.progress import Reporter, stages
from monde.cli.verb import DONE, FAILED, Outcome, Run

if TYPE_CHECKING:
    from monde.export import Agreement


@dataclass(frozen=True, kw_only=True)
class Export:
    """Write a run as ONNX (encoder, dynamics step, actor), and check that onnxruntime says what torch says."""

    run: Run
    """Run folder."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="(default: RUN/onnx)")] = None
    """Folder to make."""
    calls: int = 50
    """Timed calls of each part."""

    def execute(self, reporter: Reporter) -> Outcome:
        """Export and check; see `monde.export`."""
        from monde.export import agreement, export_run
        from monde.export.agreement import TOLERANCE
        from monde.store.typed import to_json

        with stages(reporter, f"exporting {self.run}") as progress:
            progress("writing", 0, 2)
            done = export_run(self.run, self.out or self.run / "onnx")
            progress("comparing", 1, 2)
            found = agreement(self.run, done.folder, self.calls)
            progress("comparing", 2, 2)
        worst = max(one.max_abs_difference for one in found)
        document = {
            "verb": "export",
            "run": str(self.run),
            "out": str(done.folder),
            "of": done.of,
            "files": dict(done.files),
            "max_abs_difference": worst,
            "agreement": [to_json(one) for one in found],
        }
        agrees = worst <= TOLERANCE
        verdict = f"{done.folder}: onnxruntime and torch differ by {worst:.2g} at most"
        lines = [_line(one) for one in found]
        lines.append(verdict if agrees else f"{verdict}, which is more than {TOLERANCE:g}: do not use it")
        return Outcome("\n".join(lines), document, status=DONE if agrees else FAILED)

    def kept(self) -> str:
        """The folder appears whole."""
        return "Nothing was written: the export appears whole or not at all."


def _line(one: "Agreement") -> str:
    apart = f"{one.graph:<9} differs by {one.max_abs_difference:.2g}"
    if one.torch_seconds is None or one.onnx_seconds is None:
        return apart
    here, there = 1e3 * one.torch_seconds.median, 1e3 * one.onnx_seconds.median
    return f"{apart}; one call {here:.3g} ms in torch, {there:.3g} ms in onnxruntime"
