import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monde.data.rlds.example import WireError, byte_strings, numbers, parse_example
from monde.data.rlds.tfrecord import masked_crc
from tests.data.rlds.writing import crc32c, example, masked, varint


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=40), st.booleans())
def test_integers(values: list[int], packed: bool) -> None:
    data = example({"a": np.array(values, dtype=np.int64)}, packed)
    np.testing.assert_array_equal(numbers(parse_example(memoryview(data))["a"]), np.array(values, dtype=np.int64))


@given(st.lists(st.floats(width=32, allow_nan=False), max_size=40), st.booleans())
def test_floats(values: list[float], packed: bool) -> None:
    data = example({"a": np.array(values, dtype=np.float32)}, packed)
    np.testing.assert_array_equal(numbers(parse_example(memoryview(data))["a"]), np.array(values, dtype=np.float32))


@given(st.dictionaries(st.text(max_size=200), st.lists(st.binary(max_size=20), max_size=5), max_size=5))
def test_bytes(features: dict[str, list[bytes]]) -> None:
    parsed = parse_example(memoryview(example(features)))
    assert {name: [bytes(part) for part in byte_strings(parsed[name])] for name in parsed} == features


@given(st.binary(max_size=200))
def test_any_bytes_are_parsed_or_refused(data: bytes) -> None:
    try:
        for feature in parse_example(memoryview(data)).values():
            (byte_strings if feature.kind == "bytes" else numbers)(feature)
    except WireError:
        pass


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"\x0a\x05ab", "runs over the end"),
        (b"\x0a" + b"\xff" * 11, "too long"),
        (b"\x0b", "wire type 3"),
        (varint(0 << 3 | 2) + b"\x00", "over the end"),
        (b"\x08\x01", "wire type 0"),
    ],
)
def test_malformed(data: bytes, complaint: str) -> None:
    with pytest.raises(WireError, match=complaint):
        parse_example(memoryview(data))


def test_of_another_kind() -> None:
    parsed = parse_example(memoryview(example({"text": [b"a"], "number": np.array([1])})))
    with pytest.raises(WireError, match="is of bytes"):
        numbers(parsed["text"])
    with pytest.raises(WireError, match="is of int64"):
        byte_strings(parsed["number"])


def test_checksum() -> None:
    assert crc32c(b"123456789") == 0xE3069283  # RFC 3720's check value.
    assert masked_crc(b"123456789") == masked(b"123456789")
