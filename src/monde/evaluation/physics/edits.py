"""Impossible films made of a user's own: what is in a region vanishes, jumps, changes colour; time turns back or stops.

Pure functions on uint8 [T, 3, h, w]. A region is a box that holds all of the object from the edit on, or a mask of its
own for each frame (bool [T, h, w]: a segmentation). Edited and unedited film make a pair; unlike
`monde.worlds.scenes.pairs` nothing is matched in it, so what shortcuts score on such pairs must be shown too
(`shortcuts`).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Shaped, UInt8

from monde.errors import ContractError, unknown_name

Frames = UInt8[np.ndarray, "T 3 h w"]
Mask = Bool[np.ndarray, "T h w"]
Given = Shaped[np.ndarray, "..."]
"""What a user hands over: looked at here, so that whatever is wrong with it is told in our own words."""

FILLS = ("median", "before")
"""What stands where something was: the film's median, or what the frame before the edit shows there."""


@dataclass(frozen=True)
class Region:
    """A box of pixels: columns `x0` to `x1` and lines `y0` to `y1`, ends exclusive.

    Raises:
        ContractError: It is empty or begins below 0.
    """

    x0: int
    y0: int
    x1: int
    y1: int

    def __post_init__(self) -> None:
        if not (0 <= self.x0 < self.x1 and 0 <= self.y0 < self.y1):
            raise ContractError("a Region is empty or outside", got=self, expected="0 ≤ x0 < x1, 0 ≤ y0 < y1")

    def shifted(self, dx: int, dy: int) -> "Region":
        """The same box elsewhere."""
        return Region(self.x0 + dx, self.y0 + dy, self.x1 + dx, self.y1 + dy)


def background(film: Given) -> UInt8[np.ndarray, "3 h w"]:
    """What is seen of each pixel most of the time: the median over frames. The camera must stand still.

    Raises:
        ContractError: Not a film.
    """
    _check(film)
    return np.median(film, axis=0).astype(np.uint8)


def vanish(film: Given, region: Region | Given, start: int, *, fill: str = "median") -> Frames:
    """From frame `start` on there is only background in the region.

    Args:
        film: [T, 3, h, w].
        region: Where the object is from then on.
        start: First frame without it, 1 to T - 1.
        fill: With the film's median, or with what the frame before `start` shows in the places where it is not.

    Raises:
        ContractError: Not a film, a region that does not fit it, or a start outside it.
        UsageError: An unknown fill.
    """
    mask = _mask(film, region, start)
    return np.where(mask[:, None], _behind(film, mask, start, fill), film)


def teleport(film: Given, region: Region | Given, start: int, *, dx: int, dy: int, fill: str = "median") -> Frames:
    """From frame `start` on what is in the region is `dx`, `dy` pixels away.

    Raises:
        ContractError: As `vanish`; or it would be moved out of the picture, or not at all.
        UsageError: An unknown fill.
    """
    mask = _mask(film, region, start)
    h, w = film.shape[2:]
    lines, columns = np.flatnonzero(mask.any(axis=(0, 2))), np.flatnonzero(mask.any(axis=(0, 1)))
    fits = not len(lines) or (
        0 <= lines[0] + dy and lines[-1] + dy < h and 0 <= columns[0] + dx and columns[-1] + dx < w
    )
    if (dx, dy) == (0, 0) or not fits:
        raise ContractError(
            "what is teleported does not end up elsewhere in the picture",
            got=f"({dx}, {dy}) px",
            expected=f"a shift other than 0 that stays within {w} × {h} px",
        )
    moved = np.roll(film, (dy, dx), axis=(2, 3))
    there = np.roll(mask, (dy, dx), axis=(1, 2))
    emptied = np.where(mask[:, None], _behind(film, mask, start, fill), film)
    return np.where(there[:, None], moved, emptied)


def recolour(
    film: Given, region: Region | Given, start: int, *, channels: tuple[int, int, int] = (2, 0, 1), threshold: int = 24
) -> Frames:
    """From frame `start` on what stands out from the background in the region has its colour channels exchanged.

    Args:
        film: [T, 3, h, w].
        region: Where the object is.
        start: First frame of the other colour.
        channels: Which channel each of red, green and blue is taken from.
        threshold: Grey levels by which a pixel must differ from the background to be recoloured; 0 with an exact mask.

    Raises:
        ContractError: As `vanish`, or channels that are no other order of 0, 1 and 2.
    """
    if sorted(channels) != [0, 1, 2] or channels == (0, 1, 2):
        raise ContractError("these channels change nothing", got=channels, expected="another order of 0, 1, 2")
    mask = _mask(film, region, start)
    if threshold > 0:
        away = np.abs(film.astype(np.int16) - background(film).astype(np.int16)).max(axis=1)
        mask = mask & (away >= threshold)
    return np.where(mask[:, None], film[:, list(channels)], film)


def reverse(film: Given, start: int = 0) -> Frames:
    """The film backwards; or forwards up to frame `start` and then the frames before it, back to the first.

    Raises:
        ContractError: Not a film, or a start outside it.
    """
    _check(film)
    if start == 0:
        return np.ascontiguousarray(film[::-1])
    _check_start(film, start)
    T = len(film)
    turned = start - np.abs(np.arange(T) - start)
    if turned.min() < 0:
        raise ContractError(
            "the film turns back too early to fill its length", got=start, expected=f"at least {T // 2}"
        )
    return film[turned]


def freeze(film: Given, start: int, stop: int | None = None, region: Region | None = None) -> Frames:
    """From frame `start` to `stop` (exclusive; by default the end) nothing moves in the region (by default, anywhere).

    Raises:
        ContractError: As `vanish`, or a stop that is not after the start.
    """
    _check(film)
    _check_start(film, start)
    end = len(film) if stop is None else stop
    if not start < end <= len(film):
        raise ContractError("a film freezes for no time", got=f"{start} to {end}", expected=f"a stop up to {len(film)}")
    box = Region(0, 0, film.shape[3], film.shape[2]) if region is None else region
    _check_region(film, box)
    frozen = film.copy()
    frozen[start:end, :, box.y0 : box.y1, box.x0 : box.x1] = film[start, :, box.y0 : box.y1, box.x0 : box.x1]
    return frozen


def splice(first: Given, second: Given, cut: int) -> Frames:
    """The first film up to and with frame `cut`, the second after it.

    Raises:
        ContractError: Not two films of one length and size, or a cut outside them.
    """
    _check(first)
    _check(second)
    if first.shape != second.shape:
        raise ContractError(
            "the halves of a pair differ",
            got=f"{list(first.shape)} and {list(second.shape)}",
            expected="one length and size",
            remedy="cut both to the shorter one, at one frame rate",
        )
    if not 0 <= cut < len(first) - 1:
        raise ContractError("the cut lies outside the films", got=cut, expected=f"0 to {len(first) - 2}")
    return np.concatenate([first[: cut + 1], second[cut + 1 :]])


def _behind(film: Frames, mask: Mask, start: int, fill: str) -> UInt8[np.ndarray, "3 h w"]:
    """What is put where the object was."""
    if fill == "median":
        return background(film)
    if fill == "before":
        return film[start - 1]
    raise unknown_name("fill", fill, list(FILLS))


def _mask(film: Given, region: Region | Given, start: int) -> Mask:
    """[T, h, w] where the edit is, nothing before `start`."""
    _check(film)
    _check_start(film, start)
    T, _, h, w = film.shape
    if isinstance(region, Region):
        _check_region(film, region)
        mask = np.zeros((T, h, w), dtype=np.bool_)
        mask[:, region.y0 : region.y1, region.x0 : region.x1] = True
    else:
        if region.shape != (T, h, w) or region.dtype != np.bool_:
            got = f"{region.dtype}{list(region.shape)}"
            raise ContractError("a mask does not fit its film", got=got, expected=f"bool{[T, h, w]}")
        mask = region.copy()
    mask[:start] = False
    return mask


def _check(film: Given) -> None:
    if film.ndim != 4 or film.shape[1] != 3 or film.dtype != np.uint8 or len(film) < 2:
        raise ContractError(
            "this is no film that can be edited",
            got=f"{film.dtype}{list(film.shape)}",
            expected="uint8 [T, 3, h, w] with T ≥ 2",
            remedy="decode it to RGB, channels first",
        )


def _check_start(film: Given, start: int) -> None:
    if not 1 <= start < len(film):
        raise ContractError("an edit begins outside the film", got=start, expected=f"frame 1 to {len(film) - 1}")


def _check_region(film: Given, region: Region) -> None:
    if region.x1 > film.shape[3] or region.y1 > film.shape[2]:
        raise ContractError(
            "a region reaches beyond the picture", got=region, expected=f"within {film.shape[3]} × {film.shape[2]} px"
        )
