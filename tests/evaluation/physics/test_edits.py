from collections.abc import Callable

import numpy as np
import pytest

from monde.errors import ContractError, UsageError
from monde.evaluation.physics import Region, background, freeze, recolour, reverse, splice, teleport, vanish


def film(frames: int = 12) -> np.ndarray:
    """A red square that goes to the right, two pixels a frame, over grey."""
    pictures = np.full((frames, 3, 20, 40), 120, dtype=np.uint8)
    for t in range(frames):
        pictures[t, :, 8:12, 2 * t + 4 : 2 * t + 8] = np.array([220, 30, 40])[:, None, None]
    return pictures


ALL = Region(0, 6, 40, 14)


def test_what_vanishes_leaves_background() -> None:
    whole = film()
    kept = whole.copy()
    gone = vanish(whole, ALL, 5)
    assert np.array_equal(gone[:5], whole[:5])
    assert (gone[5:] == 120).all()
    assert np.array_equal(whole, kept)  # nothing is written into what was given
    mask = (whole == 220).any(axis=1)
    assert np.array_equal(vanish(whole, mask, 5, fill="before")[8:], gone[8:])
    assert (background(whole) == 120).all()


def test_what_is_teleported_goes_on_elsewhere() -> None:
    whole = film()
    mask = (whole == 220).any(axis=1)
    moved = teleport(whole, mask, 6, dx=3, dy=-5)
    assert np.array_equal(moved[:6], whole[:6])
    assert (moved[6:, 0] == 220).sum() == (whole[6:, 0] == 220).sum()
    assert moved[6, 0, 3, 19] == 220
    assert moved[6, 0, 8, 16] == 120


def test_recolour_changes_the_object_only() -> None:
    whole = film()
    other = recolour(whole, ALL, 4, channels=(2, 0, 1))
    assert np.array_equal(other[:4], whole[:4])
    assert other[4, :, 9, 13].tolist() == [40, 220, 30]
    assert np.array_equal(other[4:] == 120, whole[4:] == 120)


def test_time_turns_and_stops() -> None:
    whole = film()
    assert np.array_equal(reverse(whole), whole[::-1])
    turned = reverse(whole, 7)
    assert np.array_equal(turned[:8], whole[:8])
    assert np.array_equal(turned[8], whole[6])
    assert np.array_equal(turned[11], whole[3])
    stopped = freeze(whole, 4, 9)
    assert (stopped[4:9] == whole[4]).all()
    assert np.array_equal(stopped[9:], whole[9:])
    part = freeze(whole, 4, region=Region(0, 0, 10, 20))
    assert np.array_equal(part[:, :, :, 10:], whole[:, :, :, 10:])
    joined = splice(whole, stopped, 5)
    assert np.array_equal(joined[:6], whole[:6])
    assert np.array_equal(joined[6:], stopped[6:])


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda f: vanish(f[:1], ALL, 1), r"no film that can be edited.*Got: uint8\[1, 3, 20, 40\].*Remedy"),
        (lambda f: vanish(f.astype(np.float32), ALL, 1), "no film that can be edited"),
        (lambda f: vanish(f.transpose(0, 2, 3, 1), ALL, 1), "no film that can be edited"),
        (lambda f: vanish(f, Region(0, 0, 41, 5), 1), r"beyond the picture.*Expected: within 40 × 20 px"),
        (lambda f: vanish(f, ALL, 0), r"begins outside the film.*Expected: frame 1 to 11"),
        (lambda f: vanish(f, ALL, 12), "begins outside the film"),
        (lambda f: vanish(f, np.ones((3, 20, 40), dtype=bool), 1), "mask does not fit"),
        (lambda f: teleport(f, ALL, 3, dx=1, dy=0), "elsewhere in the picture"),
        (lambda f: teleport(f, Region(2, 2, 4, 4), 3, dx=0, dy=0), "elsewhere in the picture"),
        (lambda f: recolour(f, ALL, 3, channels=(0, 1, 2)), "change nothing"),
        (lambda f: recolour(f, ALL, 3, channels=(0, 0, 2)), "change nothing"),
        (lambda f: reverse(f, 3), "turns back too early"),
        (lambda f: freeze(f, 5, 5), "for no time"),
        (lambda f: freeze(f, 5, 50), "for no time"),
        (lambda f: splice(f, f[:-1], 3), r"halves of a pair differ.*Remedy"),
        (lambda f: splice(f, f, 11), "cut lies outside"),
        (lambda f: Region(3, 0, 3, 5), "empty or outside"),
        (lambda f: Region(-1, 0, 3, 5), "empty or outside"),
    ],
)
def test_what_cannot_be_edited_is_refused(edit: Callable[[np.ndarray], object], message: str) -> None:
    with pytest.raises(ContractError, match=message):
        edit(film())


def test_an_unknown_fill_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown fill"):
        vanish(film(), ALL, 3, fill="mean")
