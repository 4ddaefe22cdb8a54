"""`SceneConfig`: what scenes without a script are made of."""

from dataclasses import dataclass
from typing import Literal, get_args

from monde.errors import ContractError, unknown_name
from monde.limits import MAX_EPISODE_STEPS, MAX_FRAME_SIDE_PIXELS, MAX_SCENE_OBJECTS
from monde.worlds.minimal_pairs.variety import Split
from monde.worlds.scenes.splits import VARIETIES

Gravity = Literal["on", "off", "any"]
Occluder = Literal["none", "static", "rising", "any"]


@dataclass(frozen=True, kw_only=True)
class SceneConfig:
    """Sizes and variety of scenes in a room: objects that fly, bounce and come to rest, seen from the side.

    Args:
        side_pixels: Side of the picture; everything else is measured for 64.
        rate_hz: Frames a second.
        seconds: Length of a film.
        objects: Fewest and most objects.
        gravity: Downwards, absent, or either.
        gravity_pixels: Its range, px/s².
        occluder: No screen, one that stands still, one that rises and sinks again, or any of these.
        planes: Planes that objects are spread over; those of different planes pass before one another.
        blink: Probability that the light goes out for a moment.
        camera_zoom: Its range.
        camera_shift_pixels: Greatest shift along an axis.
        plain: One colour behind everything.
        split: Whose sizes, colours and speeds; `train` unless the films are for a test.

    Raises:
        ContractError: An unknown choice, or numbers out of range.
    """

    side_pixels: int = 64
    rate_hz: float = 20.0
    seconds: float = 3.0
    objects: tuple[int, int] = (1, 3)
    gravity: Gravity = "any"
    gravity_pixels: tuple[float, float] = (25.0, 70.0)
    occluder: Occluder = "any"
    planes: int = 2
    blink: float = 0.25
    camera_zoom: tuple[float, float] = (0.9, 1.05)
    camera_shift_pixels: float = 2.0
    plain: bool = False
    split: Split = "train"

    def __post_init__(self) -> None:
        choices = (
            ("gravity", self.gravity, get_args(Gravity)),
            ("occluder", self.occluder, get_args(Occluder)),
            ("split", self.split, tuple(VARIETIES)),
        )
        for kind, value, known in choices:
            if value not in known:
                raise unknown_name(f"SceneConfig.{kind}", value, list(known), ContractError)
        if not 48 <= self.side_pixels <= MAX_FRAME_SIDE_PIXELS:
            expected = f"48 to {MAX_FRAME_SIDE_PIXELS} px: smaller rooms do not hold the objects"
            raise ContractError("SceneConfig.side_pixels is out of limits", got=self.side_pixels, expected=expected)
        if not (1 <= self.rate_hz <= 240 and 1 <= self.frames <= MAX_EPISODE_STEPS):
            got = f"{self.seconds} s at {self.rate_hz} Hz"
            raise ContractError("SceneConfig makes no film", got=got, expected="1 to 240 Hz, at least one frame")
        if not 1 <= self.objects[0] <= self.objects[1] <= MAX_SCENE_OBJECTS:
            expected = f"1 ≤ fewest ≤ most ≤ {MAX_SCENE_OBJECTS}"
            raise ContractError("SceneConfig.objects is out of limits", got=self.objects, expected=expected)
        if not (0 <= self.blink <= 1 and 1 <= self.planes <= MAX_SCENE_OBJECTS and self.camera_shift_pixels >= 0):
            got = f"blink {self.blink}, planes {self.planes}, shift {self.camera_shift_pixels}"
            raise ContractError(
                "SceneConfig is out of limits", got=got, expected="a probability, planes ≥ 1, shift ≥ 0"
            )
        for name, (low, high) in (("camera_zoom", self.camera_zoom), ("gravity_pixels", self.gravity_pixels)):
            if not 0 < low <= high < float("inf"):
                raise ContractError(f"SceneConfig.{name} is no range", got=(low, high), expected="0 < low ≤ high")

    @property
    def frames(self) -> int:
        """Frames of a film."""
        return round(self.seconds * self.rate_hz)
