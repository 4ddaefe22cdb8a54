"""The robot, its scanner and its errors."""

import math
from dataclasses import dataclass, field
from typing import Literal, get_args

from monde.errors import ContractError, unknown_name
from monde.limits import MAX_SCAN_BEAMS
from monde.types.geometry import ScanGeometry
from monde.worlds.laser.campus import Part

Place = Literal["rooms", "campus", "yard"]


@dataclass(frozen=True, kw_only=True)
class Scanner:
    """A planar laser scanner.

    Args:
        beams: Of one scan.
        geometry: Where they point, and how far they reach.
        ahead_m: How far before the robot's middle it is fixed.
        noise_m: Standard deviation of a range.
        lost: Share of the beams that never come back, whatever is there.
        faint_m: What is farther away returns too little light to be seen.

    Raises:
        ContractError: No beams, or errors out of range.
    """

    beams: int
    geometry: ScanGeometry
    ahead_m: float = 0.0
    noise_m: float = 0.015
    lost: float = 0.0
    faint_m: float = math.inf

    def __post_init__(self) -> None:
        if not 1 <= self.beams <= MAX_SCAN_BEAMS:
            raise ContractError("Scanner.beams is out of limits", got=self.beams, expected=f"1 to {MAX_SCAN_BEAMS}")
        if not (0 <= self.noise_m < math.inf and 0 <= self.lost < 1):
            raise ContractError("Scanner has unusable errors", got=self, expected="noise ≥ 0, a share lost below 1")


AROUND = Scanner(
    beams=180, geometry=ScanGeometry(start_rad=-math.pi, step_rad=math.radians(2), least_m=0.05, most_m=10.0)
)
"""All around, a beam every 2°."""

SICK = Scanner(
    beams=361,
    geometry=ScanGeometry(start_rad=-math.pi / 2, step_rad=math.radians(0.5), least_m=0.05, most_m=80.0),
    ahead_m=0.78,
    lost=0.02,
    faint_m=45.0,
)
"""As in the real log: 361 beams over the half ahead, to 80 m; every fourth of them is one of `AROUND`."""


@dataclass(frozen=True, kw_only=True)
class Odometry:
    """Errors of dead reckoning. Scales are drawn once an episode, noise at every step.

    Args:
        way_scale: Standard deviation of the relative error of ways.
        turn_scale: And of turns.
        way_noise: Standard deviation of a step's way, as a share of it.
        turn_noise: And of a step's turn, in radians for each radian turned and each metre driven.
        late_seconds: Standard deviation of when it is read, beside the scan: an error that does not add up.
        levels: How much larger or smaller all noise is in an episode, drawn evenly between these.

    Raises:
        ContractError: An error that is negative or not finite.
    """

    way_scale: float = 0.01
    turn_scale: float = 0.02
    way_noise: float = 0.02
    turn_noise: float = 0.01
    late_seconds: float = 0.0
    levels: tuple[float, float] = (1.0, 1.0)

    def __post_init__(self) -> None:
        errors = (self.way_scale, self.turn_scale, self.way_noise, self.turn_noise, self.late_seconds, *self.levels)
        if not all(0 <= error < math.inf for error in errors):
            raise ContractError("Odometry has an unusable error", got=self, expected="finite and ≥ 0")


@dataclass(frozen=True, kw_only=True)
class LaserConfig:
    """Sizes and rules of `LaserWorld`.

    Args:
        place: Rooms, or an outdoor yard, drawn anew from each episode's seed; or the real campus.
        part: Of the campus.
        scanner: What it sees with.
        odometry: How it errs.
        radius_m: Of the robot, a disc.
        fastest_mps: Highest speed ahead; it does not drive backwards.
        fastest_turn_radps: Highest yaw rate, either way.
        dt_seconds: Duration of a control step, and of a scan.
        goal_m: Least and greatest length of the shortest way to the goal.
        success_m: Distance to the goal, in a straight line, that counts as reached.

    Raises:
        ContractError: An unknown place, or sizes that are not positive and finite.
    """

    place: Place = "rooms"
    part: Part = "train"
    scanner: Scanner = AROUND
    odometry: Odometry = field(default_factory=Odometry)
    radius_m: float = 0.25
    fastest_mps: float = 1.0
    fastest_turn_radps: float = 1.5
    dt_seconds: float = 0.25
    goal_m: tuple[float, float] = (1.5, 6.0)
    success_m: float = 0.3

    def __post_init__(self) -> None:
        for kind, value, known in (("place", self.place, Place), ("part", self.part, Part)):
            if value not in get_args(known):
                raise unknown_name(f"LaserConfig.{kind}", value, list(get_args(known)), ContractError)
        sizes = (self.radius_m, self.fastest_mps, self.fastest_turn_radps, self.dt_seconds, self.success_m)
        if not all(0 < size < math.inf for size in sizes):
            raise ContractError("LaserConfig has an unusable size", got=self, expected="positive and finite")
        if not 0 < self.goal_m[0] < self.goal_m[1] < math.inf:
            raise ContractError("LaserConfig.goal_m is no range", got=self.goal_m, expected="0 < least < greatest")


ROOMS = LaserConfig()
CAMPUS = LaserConfig(place="campus")
YARD = LaserConfig(
    place="yard",
    scanner=SICK,
    odometry=Odometry(
        way_scale=0.03, turn_scale=0.08, way_noise=0.1, turn_noise=0.05, late_seconds=0.06, levels=(0.0, 1.6)
    ),
    radius_m=1.0,
    fastest_mps=2.0,
    fastest_turn_radps=0.8,
    goal_m=(3.0, 15.0),
    success_m=1.0,
)
