"""The IDX reader: every array comes back, and no damage is taken for data."""

import gzip
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ae.data import read_idx

DTYPES = ["uint8", "int8", "int16", "int32", "float32", "float64"]
# Types of equal size: exchanging their codes gives another valid file, which no reader can tell from the first.
TWINS = {0x08: 0x09, 0x09: 0x08, 0x0C: 0x0D, 0x0D: 0x0C}

arrays = st.sampled_from(DTYPES).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=1, max_dims=6, min_side=1, max_side=4))
)


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """Read bytes as the content of a file."""
    path = tmp_path_factory.mktemp("idx") / "file"

    def write_and_read(content):
        path.write_bytes(content)
        return read_idx(path)

    return write_and_read


def same(a, b):
    """Equal to the bit, NaN included."""
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


@given(array=arrays, compressed=st.booleans())
def test_every_array_comes_back(read, idx_bytes, array, compressed):
    raw = idx_bytes(array)
    back = read(gzip.compress(raw) if compressed else raw)
    assert same(back, array)
    assert back.dtype.isnative
    assert back.flags.writeable


def test_known_bytes_are_read_as_documented(read):
    content = bytes([0, 0, 0x0B, 2, 0, 0, 0, 2, 0, 0, 0, 3]) + struct.pack(">6h", 1, -2, 3, -4, 5, 256)
    np.testing.assert_array_equal(read(content), [[1, -2, 3], [-4, 5, 256]])


@given(data=st.data(), array=arrays)
def test_a_changed_header_byte_is_refused(read, idx_bytes, data, array):
    raw = bytearray(idx_bytes(array))
    position = data.draw(st.integers(0, 3 + 4 * array.ndim))
    value = data.draw(st.integers(0, 255).filter(lambda v: v != raw[position]))
    if position == 2 and TWINS.get(raw[2]) == value:
        return
    raw[position] = value
    with pytest.raises(ValueError, match="file: "):
        read(bytes(raw))


@given(data=st.data(), array=arrays, compressed=st.booleans())
def test_a_file_cut_short_anywhere_is_refused(read, idx_bytes, data, array, compressed):
    content = idx_bytes(array)
    if compressed:
        content = gzip.compress(content)
    end = data.draw(st.integers(0, len(content) - 1))
    with pytest.raises(ValueError, match="file: "):
        read(content[:end])


@given(array=arrays, more=st.binary(min_size=1, max_size=9))
def test_bytes_too_many_are_refused(read, idx_bytes, array, more):
    with pytest.raises(ValueError, match="bytes, but shape"):
        read(idx_bytes(array) + more)


@given(data=st.data(), array=arrays)
def test_a_changed_byte_of_a_gzip_file_is_refused_or_harmless(read, idx_bytes, data, array):
    content = bytearray(gzip.compress(idx_bytes(array)))
    position = data.draw(st.integers(0, len(content) - 1))
    content[position] ^= data.draw(st.integers(1, 255))
    try:
        back = read(bytes(content))
    except ValueError:
        return
    assert same(back, array)


@given(start=st.sampled_from([b"", b"\0\0", b"\0\0\x08\x01", b"\0\0\x0e\x03", b"\x1f\x8b\x08\0"]), rest=st.binary())
def test_arbitrary_bytes_give_an_array_or_a_value_error(read, start, rest):
    try:
        back = read(start + rest)
    except ValueError:
        return
    assert back.size > 0


def header(code, *shape):
    return struct.pack(f">HBB{len(shape)}I", 0, code, len(shape), *shape)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cut short: 0 bytes"),
        (b"\0\0\x08", "cut short: 3 bytes"),
        (b"\x89PNG\r\n", "not an IDX file: it starts with bytes 89 50 4e 47"),
        (b"\0\0\x0a\x01\0\0\0\x01\0", r"unknown type code 0x0a; IDX knows 0x08 \(uint8\)"),
        (b"\0\0\x08\0\x05", "0 dimensions"),
        (header(0x08, *[1] * 65) + b"\0", "65 dimensions; .* at most 64"),
        (b"\0\0\x08\x03\0\0\0\x01", "cut short: 8 bytes, but the header of 3 dimensions has 16"),
        (header(0x08, 3, 4) + bytes(11), r"cut short: 23 bytes, but shape \(3, 4\) of uint8 needs 24"),
        (header(0x0C, 3) + bytes(13), r"damaged: 21 bytes, but shape \(3,\) of int32 needs 20"),
        (header(0x08, 2**32 - 1, 2**32 - 1, 2**32 - 1) + bytes(9), "cut short: 25 bytes"),
        (header(0x08, 0, 5), r"shape \(0, 5\); every size must be at least 1"),
        (b"<!DOCTYPE html><html>404</html>", "a web page, not an IDX file"),
        (b"\r\n  <html>", "a web page, not an IDX file"),
        (gzip.compress(b"<html></html>"), "a web page, not an IDX file"),
        (gzip.compress(header(0x08, 9) + bytes(9))[:-5], "the gzip file is cut short"),
        (b"\x1f\x8b\x07" + bytes(20), "the gzip file is damaged"),
        (gzip.compress(header(0x08, 9) + bytes(9))[:-8] + bytes(8), "the gzip file is damaged"),
    ],
)
def test_damage_is_named(read, content, message):
    with pytest.raises(ValueError, match=message):
        read(content)


def test_a_missing_file_is_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_idx(tmp_path / "none")


def test_a_string_is_a_path_too(tmp_path):
    path = tmp_path / "labels"
    path.write_bytes(header(0x08, 3) + bytes([1, 2, 3]))
    np.testing.assert_array_equal(read_idx(str(path)), [1, 2, 3])
