"""What surrounds the objects: backgrounds, camera, ground, and light that goes out for a moment."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, UInt8

from monde.errors import ContractError
from monde.worlds.drawing import Colour
from monde.worlds.scenes.bodies import Box, Camera
from monde.worlds.scenes.render import Panel
from monde.worlds.scenes.splits import BACKGROUNDS, GROUNDS, SCREENS, SOLIDS

BLINK = (0.0, 0.4, 0.75)
"""Light of the frames of a blink: it goes out at once, and comes back over the next two."""

BORDER_PIXELS = 3.0
"""Thickness of the walls around a room."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Scenery:
    """One film's surroundings.

    Args:
        camera: That looks at it.
        background: [3, h, w].
        ground: Colour of ground.
        solid: Colour of walls and platforms.
        screen: Colour of screens.
    """

    camera: Camera
    background: UInt8[np.ndarray, "3 h w"]
    ground: Colour
    solid: Colour
    screen: Colour

    def panel(self, box: Box, colour: Colour, frames: int) -> Panel:
        """A box of the scene that stands still, as the camera sees it."""
        return Panel(boxes=np.tile(self.camera.box(box), (frames, 1)), colour=colour)


def draw_scenery(
    generator: np.random.Generator,
    side_pixels: int,
    *,
    zoom: tuple[float, float] = (0.9, 1.1),
    shift_pixels: float = 3.0,
    plain: bool = False,
) -> Scenery:
    """Surroundings at random: camera within the given zoom and shift, one of each list of colours."""
    nearness = float(generator.uniform(*zoom))
    x, y = generator.uniform(-shift_pixels, shift_pixels, size=2)
    colour = BACKGROUNDS[int(generator.integers(len(BACKGROUNDS)))]
    return Scenery(
        camera=Camera(side_pixels=side_pixels, zoom=nearness, shift=(float(x), float(y))),
        background=_background(generator, side_pixels, colour, plain),
        ground=GROUNDS[int(generator.integers(len(GROUNDS)))],
        solid=SOLIDS[int(generator.integers(len(SOLIDS)))],
        screen=SCREENS[int(generator.integers(len(SCREENS)))],
    )


def room(side_pixels: int) -> tuple[Box, Box, Box, Box]:
    """Floor, ceiling and two walls, thick outwards: nothing tunnels out of them."""
    far, edge = 4.0 * side_pixels, BORDER_PIXELS
    side = float(side_pixels)
    return (
        (-far, side - edge, side + far, side + far),
        (-far, -far, side + far, edge),
        (-far, -far, edge, side + far),
        (side - edge, -far, side + far, side + far),
    )


def ground(top: float, side_pixels: int) -> Box:
    """Ground from a height downwards."""
    far = 4.0 * side_pixels
    return (-far, top, side_pixels + far, side_pixels + far)


def light(frames: int, blinks: tuple[int, ...] = ()) -> Float64[np.ndarray, " T"]:
    """[T] light, going out at the frames told.

    Raises:
        ContractError: A blink that begins outside the film.
    """
    level = np.ones(frames)
    for start in blinks:
        if not 0 <= start < frames:
            raise ContractError("the light goes out outside the film", got=start, expected=f"0 to {frames - 1}")
        part = level[start : start + len(BLINK)]
        part[:] = np.minimum(part, BLINK[: len(part)])
    return level


def _background(generator: np.random.Generator, side: int, colour: Colour, plain: bool) -> UInt8[np.ndarray, "3 h w"]:
    """One colour, with a gradient, stripes or squares of a few grey levels unless plain."""
    kind = str(generator.choice(["plain", "gradient", "stripes", "squares"]))
    strength, angle, period = generator.uniform(6, 16), generator.uniform(0, np.pi), int(generator.integers(6, 14))
    y, x = np.mgrid[0:side, 0:side] + 0.5
    along = (np.cos(angle) * (x - side / 2) + np.sin(angle) * (y - side / 2)) / side
    patterns = {
        "plain": np.zeros((side, side)),
        "gradient": 2 * along,
        "stripes": np.where(np.floor(along * side / period) % 2 == 0, 0.5, -0.5),
        "squares": np.where((np.floor(x / period) + np.floor(y / period)) % 2 == 0, 0.5, -0.5),
    }
    pattern = patterns["plain" if plain else kind]
    picture = np.array(colour, dtype=np.float64)[:, None, None] + strength * pattern
    return np.clip(picture + 0.5, 0, 255).astype(np.uint8)
