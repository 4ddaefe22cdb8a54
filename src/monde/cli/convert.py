"""`monde convert SOURCE OUT`."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from monde.cli.progress import Reporter
from monde.cli.verb import Outcome, Rate
from monde.errors import UsageError

Source = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="SOURCE", help_behavior_hint="")]
Out = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="OUT", help_behavior_hint="")]


@dataclass(frozen=True, kw_only=True)
class Convert:
    """Write any recording that can be read, videos and logs too, as a LeRobot v3 dataset, or as MCAP."""

    source: Source
    """Folder of the recording, of videos or of logs, or a single video or log."""
    out: Out
    """Folder of the new dataset; one that was stopped is gone on with."""
    frame: Annotated[str | None, tyro.conf.arg(metavar="SIDE|HxW", help_behavior_hint="(default: as they are)")] = None
    """Size to which frames are resized, in pixels; their aspect ratio is not kept."""
    episodes: Annotated[tuple[str, ...], tyro.conf.arg(metavar="N|N-M ...", help_behavior_hint="(default: all)")] = ()
    """Episodes to take, counted from 0: numbers and ranges such as 0-9 (both ends taken)."""
    store: Literal["auto", "images", "video"] = "auto"
    """How frames are stored: images are lossless; auto takes video above 128 px a side."""
    form: Literal["auto", "lerobot", "mcap"] = "auto"
    """auto takes MCAP for clouds, grids and steps without a sample, which LeRobot cannot hold, else LeRobot."""
    rate: Rate = None
    """Frames per second, where SOURCE does not store it (RLDS, HDF5, Zarr); steps per second of a log."""

    def execute(self, reporter: Reporter) -> Outcome:
        """Convert; see `monde.data.convert.convert`."""
        from monde.data.convert import convert

        frame, episodes = frame_size(self.frame), episode_numbers(self.episodes)
        with reporter.count(f"converting {self.source}", "frames") as progress:
            summary = convert(
                self.source,
                self.out,
                frame=frame,
                episodes=episodes,
                store=self.store,
                form=self.form,
                rate_hz=self.rate,
                progress=progress,
            )
        for name, reason in summary.left_out.items():
            reporter.say(f"left out: {name}: {reason}")
        document = {
            "verb": "convert",
            "data": str(summary.root),
            "episodes": summary.episodes,
            "new_episodes": summary.new_episodes,
            "new_frames": summary.new_frames,
            "store": summary.store,
            "why": summary.why,
            "left_out": summary.left_out,
            "seconds": summary.seconds,
        }
        return Outcome(str(summary), document)

    def kept(self) -> str:
        """Complete episodes."""
        return f"Every complete episode is kept in {self.out}; the same command goes on from there."


def frame_size(text: str | None) -> tuple[int, int] | None:
    """(height, width) of "64" or "48x64".

    Raises:
        UsageError: Neither.
    """
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,6})(?:[x×](\d{1,6}))?", text.strip().lower())
    if found is None:
        raise UsageError("unusable --frame", got=text, expected="a side such as 64, or HEIGHTxWIDTH such as 48x64")
    height = int(found.group(1))
    return height, int(found.group(2) or height)


def episode_numbers(words: tuple[str, ...]) -> list[int] | None:
    """The episodes that words such as "3" and "10-19" name, or none where there are no words.

    Raises:
        UsageError: Another word, or a range that ends before it begins.
    """
    numbers: list[int] = []
    for word in words:
        found = re.fullmatch(r"(\d{1,9})(?:-(\d{1,9}))?", word)
        first, last = (int(found.group(1)), int(found.group(2) or found.group(1))) if found else (1, 0)
        if last < first:
            raise UsageError("unusable --episodes", got=word, expected="numbers and ranges, such as 3 10-19")
        numbers += range(first, last + 1)
    return numbers or None
