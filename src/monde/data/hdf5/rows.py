"""The samples of HDF5 episodes."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Shaped

from monde.data.hdf5.episodes import Episode
from monde.data.hdf5.files import array, opened
from monde.data.hdf5.pictures import decode_all
from monde.errors import DataError


class Hdf5Rows:
    """Rows of arrays that lie in HDF5 files (`monde.data.arrays.Rows`). A file is open only while it is read.

    Args:
        episodes: Where they are.
    """

    def __init__(self, episodes: Sequence[Episode]) -> None:
        self._episodes = tuple(episodes)

    def read(
        self, episode: int, start: int, stop: int, keys: Sequence[str]
    ) -> Mapping[str, Shaped[np.ndarray, "_ ..."]]:
        """See `monde.data.arrays.Rows`."""
        held, where = self._episodes[episode], self.where(episode)
        rows: dict[str, np.ndarray] = {}
        with opened(held.path) as file:
            parent = file[held.group]
            for key in keys:
                stored = array(parent, key)
                if stored is None:
                    raise DataError(f"{where} lacks {key!r}", remedy="restore the file from where the dataset came")
                rows[key] = stored[start:stop]
        for key in keys:
            if held.arrays[key].compressed:
                rows[key] = decode_all(rows[key], f"{where}, {key!r}", start)
        return rows

    def where(self, episode: int) -> str:
        """The file and the group."""
        return str(self._episodes[episode])
