"""Building a cache from video takes no more memory for a longer film."""

import subprocess
import sys
from pathlib import Path

import pytest

from data.filming import numbered, write_film
from monde.data.streaming import PIECE_BYTES
from monde.store.memory import anonymous_bytes

HEIGHT, WIDTH = 96, 128
BUILD = """
import sys
from pathlib import Path

from monde.data import FrameCache, open_recording
from monde.store.memory import PeakMemory, anonymous_bytes

recording = open_recording(sys.argv[1])
recording.read(0, 0, 2)
before = anonymous_bytes()
with PeakMemory(every_seconds=0.005) as memory:
    cache = FrameCache.open_or_build(recording, root=Path(sys.argv[2]))
print(cache.frames, memory.peak_bytes - before)
"""


def grown(path: Path, cache: Path) -> tuple[int, int]:
    """Frames cached, and by how many bytes a fresh process grew."""
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(path), str(cache)], capture_output=True, text=True, check=True, timeout=120
    )
    frames, growth = map(int, done.stdout.split())
    return frames, growth


@pytest.mark.skipif(anonymous_bytes() is None, reason="this system does not tell what a process takes")
def test_a_film_far_larger_than_a_piece_takes_a_few_pieces(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", numbered(9000, HEIGHT, WIDTH))
    frames, growth = grown(film, tmp_path / "cache")
    assert frames == 9000
    decoded = frames * HEIGHT * WIDTH * 3
    assert decoded > 18 * PIECE_BYTES
    assert growth < 4 * PIECE_BYTES, f"{growth / 2**20:.0f} of {decoded / 2**20:.0f} MiB"
