"""`SceneConfig3D`: what scenes in space without a script are made of."""

from dataclasses import dataclass
from typing import get_args

from monde.errors import ContractError, unknown_name
from monde.limits import MAX_EPISODE_STEPS, MAX_SCENE_OBJECTS
from monde.worlds.minimal_pairs.variety import SPLITS, Split
from monde.worlds.scenes.config import Gravity, Occluder

MAX_SIDE_PIXELS = 512


@dataclass(frozen=True, kw_only=True)
class SceneConfig3D:
    """Sizes and variety of scenes on a tray: objects that fly, bounce, roll and come to rest.

    Args:
        side_pixels: Side of the picture.
        rate_hz: Frames a second.
        seconds: Length of a film.
        objects: Fewest and most objects.
        gravity: Downwards, absent, or either.
        gravity_metres: Its range, m/s².
        occluder: No screen, one that stands still, one that rises and sinks again, or any of these.
        blink: Probability that the light goes out for a moment.
        camera_distance_metres: Its range.
        camera_elevation_degrees: Its range, above the horizon.
        camera_azimuth_degrees: Greatest, to either side.
        plain: A floor of one colour.
        split: Whose sizes, colours and speeds; `train` unless the films are for a test.

    Raises:
        ContractError: An unknown choice, or numbers out of range.
    """

    side_pixels: int = 64
    rate_hz: float = 20.0
    seconds: float = 3.0
    objects: tuple[int, int] = (1, 3)
    gravity: Gravity = "any"
    gravity_metres: tuple[float, float] = (2.5, 7.0)
    occluder: Occluder = "any"
    blink: float = 0.25
    camera_distance_metres: tuple[float, float] = (9.4, 10.6)
    camera_elevation_degrees: tuple[float, float] = (20.0, 34.0)
    camera_azimuth_degrees: float = 12.0
    plain: bool = False
    split: Split = "train"

    def __post_init__(self) -> None:
        choices = (
            ("gravity", self.gravity, get_args(Gravity)),
            ("occluder", self.occluder, get_args(Occluder)),
            ("split", self.split, SPLITS),
        )
        for kind, value, known in choices:
            if value not in known:
                raise unknown_name(f"SceneConfig3D.{kind}", value, list(known), ContractError)
        if not 16 <= self.side_pixels <= MAX_SIDE_PIXELS:
            expected = f"16 to {MAX_SIDE_PIXELS} px"
            raise ContractError("SceneConfig3D.side_pixels is out of limits", got=self.side_pixels, expected=expected)
        if not (1 <= self.rate_hz <= 240 and 1 <= self.frames <= MAX_EPISODE_STEPS):
            got = f"{self.seconds} s at {self.rate_hz} Hz"
            raise ContractError("SceneConfig3D makes no film", got=got, expected="1 to 240 Hz, at least one frame")
        if not 1 <= self.objects[0] <= self.objects[1] <= MAX_SCENE_OBJECTS:
            expected = f"1 ≤ fewest ≤ most ≤ {MAX_SCENE_OBJECTS}"
            raise ContractError("SceneConfig3D.objects is out of limits", got=self.objects, expected=expected)
        if not (0 <= self.blink <= 1 and 0 <= self.camera_azimuth_degrees <= 45):
            got = f"blink {self.blink}, azimuth {self.camera_azimuth_degrees}"
            raise ContractError("SceneConfig3D is out of limits", got=got, expected="a probability, 0 to 45 degrees")
        ranges = (
            ("gravity_metres", self.gravity_metres, 0.0, 100.0),
            ("camera_distance_metres", self.camera_distance_metres, 6.0, 30.0),
            ("camera_elevation_degrees", self.camera_elevation_degrees, 5.0, 85.0),
        )
        for name, (low, high), least, most in ranges:
            if not (least <= low <= high <= most and high > 0):
                expected = f"{least} ≤ low ≤ high ≤ {most}"
                raise ContractError(f"SceneConfig3D.{name} is no range", got=(low, high), expected=expected)

    @property
    def frames(self) -> int:
        """Frames of a film."""
        return round(self.seconds * self.rate_hz)
