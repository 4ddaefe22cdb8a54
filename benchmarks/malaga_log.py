"""The real log: a laser scanner and odometry, driven once around a building in Málaga (distributed with MRPT)."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from monde.errors import DataError
from monde.spatial import se2_compose
from monde.types.geometry import ScanGeometry

FILE = "mrpt-malaga/sena_telecom_one_loop.npz"
SHARED = Path(os.environ.get("MONDE_SHARED_DATA", "../shared/data"))


@dataclass(frozen=True)
class Log:
    """What was recorded.

    Args:
        scans: [n, R] metres; where nothing came back, the scanner's longest range.
        poses: [n, 3] (x, y, yaw) of the body by odometry, at each scan.
        times_seconds: [n] since the first scan.
        geometry: Of the scanner.
        ahead_m: How far before the body's middle it is fixed.
    """

    scans: Float64[np.ndarray, "n R"]
    poses: Float64[np.ndarray, "n 3"]
    times_seconds: Float64[np.ndarray, " n"]
    geometry: ScanGeometry
    ahead_m: float


def read_log(path: Path | None = None) -> Log:
    """Read the file that was derived from MRPT's rawlog.

    Raises:
        DataError: It is not there, or not such a file.
    """
    path = path or SHARED / FILE
    try:
        with np.load(path, allow_pickle=False) as stored:
            ranges, valid = stored["ranges"].astype(np.float64), stored["valid"]
            steps, ticks = stored["odometry_increment_xyphi"], stored["timestamps_100ns"]
            aperture, most = float(stored["aperture_rad"]), float(stored["max_range_m"])
            ahead = float(stored["sensor_T"][0, 3])
    except (OSError, KeyError, ValueError) as error:
        raise DataError(f"{path} is not the log", got=f"{type(error).__name__}: {error}") from error
    if not len(ranges) == len(ticks) == len(steps) + 1:
        raise DataError(f"{path} does not line up", got=f"{len(ranges)} scans, {len(steps)} increments")
    poses = [np.zeros(3)]
    for step in steps:
        poses.append(se2_compose(poses[-1], step))
    geometry = ScanGeometry(start_rad=-aperture / 2, step_rad=aperture / (ranges.shape[1] - 1), most_m=most)
    scans = np.where(valid, ranges, most)
    return Log(scans, np.array(poses), (ticks - ticks[0]).astype(np.float64) / 1e7, geometry, ahead)
