"""`monde surprise RUN VIDEO`."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from monde.cli.progress import Reporter, stages
from monde.cli.verb import Outcome, Run

if TYPE_CHECKING:
    from monde.evaluation.physics import FilmSurprise

Video = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="VIDEO", help_behavior_hint="")]


@dataclass(frozen=True, kw_only=True)
class Surprise:
    """How surprised a model is by any film, moment by moment: a curve as CSV, and a picture of film and curve."""

    run: Run
    """Run folder, of a model without actions that reads one camera."""
    video: Video
    """A video, a folder of PNG or JPEG frames, or .npy: uint8 [T, 3, h, w] or [T, h, w, 3]."""
    rate: Annotated[float | None, tyro.conf.arg(metavar="HZ", help_behavior_hint="(default: as the video says)")] = None
    """Frames per second of the film; frames and arrays state none."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="(default: beside VIDEO)")] = None
    """Folder to write NAME.surprise.csv and NAME.surprise.png to."""

    @property
    def target(self) -> Path:
        """What is written, without its suffix."""
        video = self.video.resolve()
        return (self.out or video.parent) / f"{video.name if video.is_dir() else video.stem}.surprise"

    def execute(self, reporter: Reporter) -> Outcome:
        """Watch; see `monde.evaluation.physics.surprise_of_film`."""
        from monde.evaluation.physics import surprise_of_film
        from monde.store import write_bytes

        with stages(reporter, f"watching {self.video}") as progress:
            found = surprise_of_film(self.run, self.video, self.rate, progress=progress)
        base = self.target
        base.parent.mkdir(parents=True, exist_ok=True)
        table, picture = base.with_name(base.name + ".csv"), base.with_name(base.name + ".png")
        write_bytes(table, found.csv().encode())
        told = list(found.footage.told)
        drawn = find_spec("matplotlib") is not None
        if drawn:
            from monde.report.watched import picture_of

            write_bytes(picture, picture_of(found))
        else:
            told.append("no picture was drawn: pip install 'monde[report]'")
        document = self._document(found) | {
            "told": told,
            "csv": str(table),
            "picture": str(picture) if drawn else None,
        }
        return Outcome(_text(found, told, [table, *([picture] if drawn else [])]), document)

    def _document(self, found: "FilmSurprise") -> dict[str, object]:
        import math

        footage = found.footage
        columns = {
            name: [None if math.isnan(value) else value for value in map(float, values)]
            for name, values in found.columns().items()
        }
        return {
            "verb": "surprise",
            "run": str(self.run),
            "video": str(self.video),
            "frames": footage.source_frames,
            "film_rate_hz": footage.source_rate_hz,
            "rate_hz": footage.rate_hz,
            "seconds": float(footage.times_seconds[-1]),
            "surprise": float(found.curve.mean()),
            "moments": [
                {"time_seconds": float(footage.times_seconds[index]), "surprise": float(found.curve[index])}
                for index in found.moments
            ],
            "missing_seconds": [list(gap) for gap in footage.missing_seconds],
            "columns": columns,
        }

    def kept(self) -> str:
        """Each file is written whole or not at all."""
        return "The film is as it was; a curve that was not finished is not written."


def _text(found: "FilmSurprise", told: list[str], files: list[Path]) -> str:
    footage, curve = found.footage, found.curve
    lines = [
        f"{len(curve)} frames at {footage.rate_hz:.4g} Hz, {footage.times_seconds[-1]:.2f} s: "
        f"mean surprise {curve.mean():.4g}"
    ]
    lines += [f"note: {line}" for line in told]
    moments = ", ".join(f"{footage.times_seconds[i]:.2f} s ({curve[i]:.3g})" for i in found.moments)
    lines.append(f"most surprising: {moments or 'nothing was more surprising with memory than without'}")
    return "\n".join([*lines, *map(str, files)])
