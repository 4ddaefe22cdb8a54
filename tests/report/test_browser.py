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
    "--disable-sync --hide-scrollbars --window-size=1200,2400 --run-all-compositor-stages-before-draw"
)


@pytest.mark.skipif(BROWSER is None, reason="needs Chromium (Debian: apt-get install chromium)")
def test_a_browser_draws_it_in_light_and_dark(whole_page: Path, tmp_path: Path) -> None:
    shots = {}
    for theme, setting in (("dark", 0), ("light", 1)):
        shot = tmp_path / f"{theme}.png"
        command = [
            str(BROWSER),
            *FLAGS.split(),
            f"--blink-settings=preferredColorScheme={setting}",
            f"--user-data-dir={tmp_path / theme}",
            f"--screenshot={shot}",
            whole_page.as_uri(),
        ]
        subprocess.run(command, capture_output=True, timeout=120, check=True)
        shots[theme] = np.asarray(Image.open(shot).convert("L"), dtype=np.float64)
    assert np.median(shots["light"]) > 230
    assert np.median(shots["dark"]) < 50
    for theme, pixels in shots.items():
        # Text and charts: a page without them is one flat colour.
        drawn = np.abs(pixels - np.median(pixels)) > 60
        assert 0.01 < drawn.mean() < 0.4, theme
