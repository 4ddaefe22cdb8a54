"""`monde check DATA`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monde.cli.progress import Reporter
from monde.cli.verb import DONE, FAILED, Data, Outcome, Rate
from monde.errors import MondeError


@dataclass(frozen=True, kw_only=True)
class Check:
    """Look through a recording before anything is learned from it.

    Exit status 0: go on (there may be warnings and notes); 1: there are errors, it cannot be used as it is.
    """

    data: Data
    """Folder of the recording."""
    rate: Rate = None
    """Frames per second, where the recording does not store it (RLDS, HDF5, Zarr); steps per second of a log."""

    def execute(self, reporter: Reporter) -> Outcome:
        """Check; see `monde.data.check_dataset`."""
        from monde.data import check_dataset
        from monde.store.typed import to_json

        with reporter.count(f"checking {self.data}", "episodes") as progress:
            findings = check_dataset(self.data, rate_hz=self.rate, progress=progress)
        failed = any(finding.level == "error" for finding in findings)
        description = self._describe()
        lines = [f"{name}: {text}" for name, text in _lines(description)]
        lines += [f"{finding.level}: {finding.what}\n  remedy: {finding.remedy}" for finding in findings]
        lines.append(_verdict([finding.level for finding in findings]))
        told = [to_json(finding) for finding in findings]
        document = {"verb": "check", "data": str(self.data), "usable": not failed, **description, "findings": told}
        return Outcome("\n".join(lines), document, status=FAILED if failed else DONE)

    def _describe(self) -> dict[str, object]:
        from monde.data import open_recording

        try:
            recording = open_recording(self.data, self.rate)
        except MondeError:
            return {}  # what cannot be opened cannot be described: the findings say why
        actions = recording.actions
        return {
            "episodes": len(recording.lengths),
            "frames": sum(recording.lengths),
            "fingerprint": recording.fingerprint,
            "sensors": [
                {"name": s.name, "kind": s.kind, "shape": list(s.shape), "unit": s.unit, "rate_hz": s.rate_hz}
                for s in recording.sensors
            ],
            "actions": None
            if actions is None
            else {
                "dim": actions.dim,
                "choices": actions.choices,
                "low": list(actions.low),
                "high": list(actions.high),
                "dt_seconds": actions.dt_seconds,
            },
        }

    def kept(self) -> str:
        """Checking changes nothing."""
        return "Checking changes nothing."


def _verdict(levels: Sequence[str]) -> str:
    errors, warnings = levels.count("error"), levels.count("warning")
    if errors:
        return f"it cannot be used as it is: {errors} {'error' if errors == 1 else 'errors'}"
    return f"go on: no errors, {warnings or 'no'} {'warning' if warnings == 1 else 'warnings'}"


def _lines(description: Mapping[str, object]) -> list[tuple[str, str]]:
    lines = []
    for name, value in description.items():
        if isinstance(value, list):
            for item in value:
                shape = "×".join(map(str, item["shape"]))
                unit = "" if item["unit"] == "1" else f" {item['unit']}"
                lines.append((f"sensor {item['name']}", f"{item['kind']} [{shape}]{unit} at {item['rate_hz']:g} Hz"))
        elif isinstance(value, Mapping):
            kind = f"{value['choices']} choices" if value["choices"] else f"{value['dim']} components"
            lines.append(("actions", f"{kind}, one every {value['dt_seconds']:g} s"))
        else:
            lines.append((name, f"{value:,}" if isinstance(value, int) else "none" if value is None else str(value)))
    return lines
