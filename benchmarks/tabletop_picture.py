"""What the table-top's sensors show, for the documentation: results/tabletop.png.

    python benchmarks/tabletop_picture.py

A row for each of four episodes: colours now and at the goal, measured depth (black: nothing), which pixel is what, and
the cloud from above (lighter is higher).
"""

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from common import options
from monde.worlds.tabletop import SEGMENTS, Tabletop

EPISODES, SCALE = 4, 3
ROOM_METRES = 0.3
"""Half the side of the square that the cloud is shown in."""


def shades(values: np.ndarray, low: float, high: float) -> UInt8[np.ndarray, "h w 3"]:
    """Numbers as greys, black where they are 0."""
    grey = np.clip(60 + 195 * (values - low) / (high - low), 60, 255)
    return np.repeat(np.where(values == 0, 0, grey).astype(np.uint8)[:, :, None], 3, axis=2)


def from_above(points: np.ndarray, side: int) -> UInt8[np.ndarray, "h w 3"]:
    """A cloud seen from above, x to the right, y upwards."""
    shown = np.zeros((side, side))
    held = points[points.any(axis=1)]
    held = held[held[:, 2].argsort()]
    columns, rows = ((held[:, :2] * (1, -1) / ROOM_METRES + 1) / 2 * (side - 1)).round().astype(int).T
    shown[rows.clip(0, side - 1), columns.clip(0, side - 1)] = held[:, 2] + 0.01
    return shades(shown, 0.0, 0.25)


def main() -> None:
    """Draw."""
    given = options(__doc__).parse_args()
    world = Tabletop(batch=EPISODES)
    seen = world.reset(range(EPISODES))
    goal, segments = world.goal(), world.segmentation()
    rows = []
    for row in range(EPISODES):
        depth = seen.values["depth"][row, 0]
        parts = [
            seen.values["camera"][row].transpose(1, 2, 0),
            goal.values["camera"][row].transpose(1, 2, 0),
            shades(depth, float(depth[depth > 0].min()), float(depth.max())),
            shades(segments[row].astype(float), 0, len(SEGMENTS) - 1),
            from_above(seen.values["points"][row], depth.shape[0]),
        ]
        rows.append(np.concatenate(parts, axis=1))
    picture = Image.fromarray(np.concatenate(rows))
    picture = picture.resize((picture.width * SCALE, picture.height * SCALE), Image.Resampling.NEAREST)
    picture.save(given.out / "tabletop.png", optimize=True)
    world.close()


if __name__ == "__main__":
    main()
