"""The samples of RLDS episodes, decoded from their records on demand."""

import io
import threading
import zlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Shaped

from monde.data.arrays import unequal
from monde.data.rlds.example import Buffer, Feature, WireError, byte_strings, numbers, parse_example
from monde.data.rlds.features import Described
from monde.data.rlds.tfrecord import Record, read_record
from monde.errors import DataError
from monde.limits import MAX_RECORD_CACHE_BYTES

_FORMATS = ("PNG", "JPEG")


class RecordRows:
    """Rows of arrays that lie in TFRecords, one record an episode (`monde.data.arrays.Rows`).

    A record is read whole, for its checksum; only the samples asked for are decoded. The last few records stay in
    memory as they were read (encoded), up to `MAX_RECORD_CACHE_BYTES`.

    Args:
        records: One per episode.
        features: The features of a step by key.
        lengths: Steps of each episode.
    """

    def __init__(self, records: Sequence[Record], features: Mapping[str, Described], lengths: Sequence[int]) -> None:
        self._records, self._features, self._lengths = tuple(records), dict(features), tuple(lengths)
        self._held: OrderedDict[int, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def read(
        self, episode: int, start: int, stop: int, keys: Sequence[str]
    ) -> Mapping[str, Shaped[np.ndarray, "_ ..."]]:
        """See `monde.data.arrays.Rows`."""
        where, length = self.where(episode), self._lengths[episode]
        data = memoryview(self._record(episode))
        try:
            features = parse_example(data)
            return {key: samples(features, self._features[key], start, stop, length, where) for key in keys}
        except WireError as error:
            raise malformed(where, error) from error

    def where(self, episode: int) -> str:
        """The file and the record."""
        return str(self._records[episode])

    def _record(self, episode: int) -> bytes:
        with self._lock:
            if episode in self._held:
                self._held.move_to_end(episode)
                return self._held[episode]
        data = read_record(self._records[episode])
        with self._lock:
            self._held[episode] = data
            while len(self._held) > 1 and sum(map(len, self._held.values())) > MAX_RECORD_CACHE_BYTES:
                self._held.popitem(last=False)
        return data


def samples(
    features: Mapping[str, Feature], described: Described, start: int, stop: int, length: int, where: str
) -> Shaped[np.ndarray, "_ ..."]:
    """Samples `start` to `stop` of one feature of an episode, [T, *shape].

    Raises:
        DataError: Missing, of another length than the episode, or a picture that cannot be decoded.
        WireError: Not what features.json says.
    """
    if described.key not in features:
        raise DataError(f"{where} lacks {described.key!r}", expected="what features.json describes")
    feature, dtype = features[described.key], described.dtype
    if described.form == "tensor" and described.encoding == "none":
        values = numbers(feature)
        if len(values) != length * described.size:
            raise unequal(where, described.key, len(values) // described.size, length)
        return values.reshape(length, *described.shape)[start:stop]
    cells = byte_strings(feature)
    if len(cells) != length:
        raise unequal(where, described.key, len(cells), length)
    if dtype is None:
        raise WireError(f"{described.key} is text")
    if described.form == "tensor":
        rows = [_raw(cell, described, dtype) for cell in cells[start:stop]]
    else:
        rows = [
            _picture(cell, described, f"{where}, frame {start + index}, {described.key!r}")
            for index, cell in enumerate(cells[start:stop])
        ]
    return np.stack(rows)


def texts(features: Mapping[str, Feature], key: str) -> list[str]:
    """The values of a text feature; none where it is absent."""
    return [bytes(cell).decode(errors="replace") for cell in byte_strings(features[key])] if key in features else []


def malformed(where: str, error: object) -> DataError:
    """The error for a record whose bytes are whole and yet are not what they should be."""
    return DataError(
        f"{where} is not what features.json describes",
        got=error,
        expected="a tf.train.Example of an RLDS episode",
        remedy="restore features.json and the TFRecord files from where the dataset came, both of one version",
    )


def _raw(cell: Buffer, described: Described, dtype: np.dtype) -> np.ndarray:
    expected = described.size * dtype.itemsize
    data = bytes(cell)
    if described.encoding == "zlib":
        try:
            data = zlib.decompressobj().decompress(data, expected + 1)
        except zlib.error as error:
            raise WireError(f"{described.key}: {error}") from error
    if len(data) != expected:
        raise WireError(f"{described.key} has {len(data)} bytes in a sample instead of {expected}")
    return np.frombuffer(data, dtype=dtype.newbyteorder("<")).reshape(described.shape)


def _picture(cell: Buffer, described: Described, where: str) -> np.ndarray:
    from PIL import Image

    height, width, channels = described.shape
    try:
        with Image.open(io.BytesIO(cell), formats=_FORMATS) as image:
            if image.size != (width, height):
                raise DataError(
                    f"{where} has another size than features.json says",
                    got=f"{image.size[1]}×{image.size[0]}",
                    expected=f"{height}×{width}",
                )
            return np.asarray(image.convert("L" if channels == 1 else "RGB"), dtype=np.uint8).reshape(described.shape)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(
            f"{where} cannot be decoded", got=error, remedy="restore the file from where the dataset came"
        ) from error
