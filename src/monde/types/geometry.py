"""How a spatial sensor looks at the world: a camera's intrinsics, a laser's beams, a grid's cells, where it is fixed.

Conventions: metres, radians, seconds; quaternions are (x, y, z, w) of unit length; an SE(3) pose is
(x, y, z, qx, qy, qz, qw), an SE(2) pose (x, y, yaw). Bodies look along x, with y to the left and z upwards (ROS REP
103); cameras along z, with x to the right and y downwards.
"""

import math
from dataclasses import dataclass

from monde.errors import ContractError
from monde.limits import MAX_QUATERNION_ERROR


@dataclass(frozen=True, kw_only=True)
class Mount:
    """Where a sensor is fixed: its frame seen from a parent frame.

    Args:
        parent: Name of the frame it is fixed to ("base", "world").
        translation: (x, y, z) metres.
        rotation: Unit quaternion (x, y, z, w) that turns vectors of the sensor's frame into the parent's.

    Raises:
        ContractError: Numbers that are not finite, or a quaternion that is not of unit length.
    """

    parent: str
    translation: tuple[float, float, float] = (0.0, 0.0, 0.0)
    rotation: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0)

    def __post_init__(self) -> None:
        if not all(math.isfinite(number) for number in (*self.translation, *self.rotation)):
            raise ContractError(
                "a Mount is not finite", got=(self.translation, self.rotation), expected="finite numbers"
            )
        length = math.hypot(*self.rotation)
        if abs(length - 1) > MAX_QUATERNION_ERROR:
            raise ContractError(
                "a Mount's rotation is not of unit length",
                got=f"{self.rotation} of length {length:.6g}",
                expected="a unit quaternion (x, y, z, w)",
                remedy="divide it by its length",
            )


@dataclass(frozen=True, kw_only=True)
class Intrinsics:
    """A pinhole camera without distortion, for frames of one size.

    Args:
        width: Of the frames that these numbers are of, in pixels.
        height: Likewise.
        fx: Focal length in pixels, to the right.
        fy: Focal length in pixels, downwards.
        cx: Column of the optical axis, in pixels; the centre of the top left pixel is (0, 0).
        cy: Row of the optical axis.

    Raises:
        ContractError: A focal length that is not positive, or an axis far outside the frame.
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float

    def __post_init__(self) -> None:
        if not (0 < self.fx < math.inf and 0 < self.fy < math.inf):
            raise ContractError(
                "Intrinsics have no focal length", got=(self.fx, self.fy), expected="finite, > 0 pixels"
            )
        inside = -self.width <= self.cx <= 2 * self.width and -self.height <= self.cy <= 2 * self.height
        if not (self.width > 0 and self.height > 0 and inside):
            raise ContractError(
                "the intrinsics do not fit the frame",
                got=f"axis at ({self.cx:g}, {self.cy:g})",
                expected=f"within or near {self.width} × {self.height} pixels",
                remedy="give the intrinsics of this frame size; `resized` converts those of another",
            )

    def resized(self, height: int, width: int) -> "Intrinsics":
        """The same camera when its whole frame is shown at another size."""
        right, down = width / self.width, height / self.height
        return Intrinsics(
            width=width,
            height=height,
            fx=self.fx * right,
            fy=self.fy * down,
            cx=(self.cx + 0.5) * right - 0.5,
            cy=(self.cy + 0.5) * down - 0.5,
        )


@dataclass(frozen=True, kw_only=True)
class ScanGeometry:
    """The beams of a planar laser scanner. Beam i points at `start_rad + i · step_rad`, counterclockwise from ahead.

    A range of `most_m` means that nothing was hit (no return); 0 means that nothing is known.

    Args:
        start_rad: Direction of the first beam.
        step_rad: From one beam to the next; not 0.
        least_m: Shortest range that is measured.
        most_m: Longest range that is measured.

    Raises:
        ContractError: No step, or ranges that are none.
    """

    start_rad: float
    step_rad: float
    least_m: float = 0.0
    most_m: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.start_rad) and math.isfinite(self.step_rad) and self.step_rad):
            raise ContractError(
                "ScanGeometry has no beams", got=(self.start_rad, self.step_rad), expected="finite, step ≠ 0"
            )
        if not 0 <= self.least_m < self.most_m < math.inf:
            raise ContractError(
                "ScanGeometry has no range", got=(self.least_m, self.most_m), expected="0 ≤ least_m < most_m, finite"
            )


@dataclass(frozen=True, kw_only=True)
class GridGeometry:
    """The cells of an occupancy grid [1, h, w]: 0 free to 1 occupied, -1 where nothing is known.

    Args:
        cell_m: Side of a cell.
        origin: (x, y) metres of the outer corner of cell [0, 0] in the frame that the grid lies in; columns go along
            x and rows along y.

    Raises:
        ContractError: Cells without a size.
    """

    cell_m: float
    origin: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        if not 0 < self.cell_m < math.inf or not all(math.isfinite(number) for number in self.origin):
            raise ContractError(
                "GridGeometry has no cells", got=(self.cell_m, self.origin), expected="finite, cell_m > 0"
            )


Geometry = Intrinsics | ScanGeometry | GridGeometry
"""What a camera (RGB or depth), a scan, or a grid needs beside its numbers."""
