import numpy as np
import pytest

from monde.data import resize_frames


def test_shrinking_averages_areas() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (3, 12, 16, 3), dtype=np.uint8)
    area = frames.astype(float).reshape(3, 6, 2, 8, 2, 3).mean((2, 4))
    assert np.abs(resize_frames(frames, (6, 8)) - area).max() <= 1.01  # rounded once per axis
    assert resize_frames(frames, (12, 16)) is frames


@pytest.mark.parametrize("size", [(5, 9), (24, 32), (6, 40)])
def test_colours_do_not_mix(size: tuple[int, int]) -> None:
    """Colour pictures and their planes go different ways through Pillow, to the same end."""
    frames = np.random.default_rng(1).integers(0, 256, (2, 12, 16, 3), dtype=np.uint8)
    planes = np.concatenate([resize_frames(frames[..., c : c + 1], size) for c in range(3)], axis=-1)
    np.testing.assert_array_equal(resize_frames(frames, size), planes)


def test_depth_keeps_its_unit() -> None:
    depth = np.full((1, 8, 8, 1), 1.5, dtype=np.float32)
    depth[0, :4] = 2.5
    small = resize_frames(depth, (2, 2))
    assert small.dtype == np.float32
    assert small[0, :, :, 0].tolist() == [[2.5, 2.5], [1.5, 1.5]]
