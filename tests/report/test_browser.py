"""A real browser, without network, draws the page in light and in dark."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update "
    "--disable-sync --hide-scrollbars --window-size=1200,2400"
)
STARTS = 3


def shot_of(page: Path, folder: Path, *flags: str) -> np.ndarray:
    """Grey levels (height, width) of the page as Chromium draws it. Now and then headless Chromium hangs: before it
    draws, or once it wrote its picture. Then it is started again, with a new profile."""
    for start in range(STARTS):
        shot = folder / f"{start}.png"
        profile = f"--user-data-dir={folder / str(start)}"
        command = [str(BROWSER), *FLAGS.split(), *flags, profile, f"--screenshot={shot}", page.as_uri()]
        try:
            subprocess.run(command, capture_output=True, timeout=45, check=True)
        except subprocess.TimeoutExpired:
            if not shot.exists():
                continue
        return np.asarray(Image.open(shot).convert("L"), dtype=np.float64)
    pytest.fail(f"Chromium hung in {STARTS} starts")


@pytest.mark.skipif(BROWSER is None, reason="needs Chromium (Debian: apt-get install chromium)")
def test_a_browser_draws_it_in_light_and_dark(whole_page: Path, tmp_path: Path) -> None:
    shots = {}
    for theme, setting in (("dark", 0), ("light", 1)):
        shots[theme] = shot_of(whole_page, tmp_path / theme, f"--blink-settings=preferredColorScheme={setting}")
    assert np.median(shots["light"]) > 230
    assert np.median(shots["dark"]) < 50
    for theme, pixels in shots.items():
        # Text and charts: a page without them is one flat colour.
        drawn = np.abs(pixels - np.median(pixels)) > 60
        assert 0.01 < drawn.mean() < 0.4, theme
