"""Places on the Earth as metres east, north and up of one of them (WGS 84)."""

import numpy as np
from jaxtyping import Float64

_MAJOR_M = 6_378_137.0
_FLATTENING = 1 / 298.257223563
_ECCENTRICITY_2 = _FLATTENING * (2 - _FLATTENING)


def geocentric(places: Float64[np.ndarray, "... 3"]) -> Float64[np.ndarray, "... 3"]:
    """(latitude, longitude) in degrees and height over the ellipsoid in metres as Earth-centred metres (ECEF)."""
    latitude, longitude = np.radians(places[..., 0]), np.radians(places[..., 1])
    normal = _MAJOR_M / np.sqrt(1 - _ECCENTRICITY_2 * np.sin(latitude) ** 2)
    across = (normal + places[..., 2]) * np.cos(latitude)
    along = (normal * (1 - _ECCENTRICITY_2) + places[..., 2]) * np.sin(latitude)
    return np.stack([across * np.cos(longitude), across * np.sin(longitude), along], axis=-1)


def east_north_up(
    places: Float64[np.ndarray, "... 3"], origin: Float64[np.ndarray, "3"]
) -> Float64[np.ndarray, "... 3"]:
    """Metres east, north and up of `origin`; both as latitude and longitude in degrees, and height in metres."""
    latitude, longitude = np.radians(origin[0]), np.radians(origin[1])
    sa, ca, so, co = np.sin(latitude), np.cos(latitude), np.sin(longitude), np.cos(longitude)
    axes = np.array([[-so, co, 0.0], [-sa * co, -sa * so, ca], [ca * co, ca * so, sa]])
    return (geocentric(places) - geocentric(origin)) @ axes.T
