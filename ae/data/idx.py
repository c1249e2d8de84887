"""The IDX format, in which MNIST and its relatives are published: a header, then the numbers, all big-endian.

    byte 0, 1   zero
    byte 2      code of the number type (see DTYPES)
    byte 3      how many dimensions, r
    4 r bytes   their sizes, 32 bits each
    the rest    the array in C order

A file is read whole and checked in every respect the format allows, before an array is made of it.
"""

import gzip
import math
import os
import struct
import zlib
from pathlib import Path

import numpy as np

DTYPES: dict[int, np.dtype] = {
    0x08: np.dtype(">u1"),
    0x09: np.dtype(">i1"),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}


def read_idx(path: str | os.PathLike[str]) -> np.ndarray:
    """Read an IDX file, raw or gzip-compressed (its content tells, not its name), into an array of native byte order.

    Raises ValueError if the file is cut short, damaged or not an IDX file, and OSError if it cannot be read.
    Source: "The IDX file format", on the MNIST page of LeCun, Cortes and Burges.
    """
    return parse_idx(read_content(path), str(path))


def read_content(path: str | os.PathLike[str]) -> bytes:
    """Return the content of a file, uncompressed if it is gzip; raise ValueError if the compression is damaged."""
    data = Path(path).read_bytes()
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        return gzip.decompress(data)
    except EOFError:
        raise ValueError(f"{path}: the gzip file is cut short after {len(data):,} bytes; get it again") from None
    except (gzip.BadGzipFile, zlib.error, struct.error) as error:
        raise ValueError(f"{path}: the gzip file is damaged ({error}); get it again") from None


def parse_idx(content: bytes, where: str) -> np.ndarray:
    """Return the array that the bytes of an IDX file hold; `where` names them in errors.

    Sizes of zero are refused: with them, a damaged header could fit its file by chance.
    """
    if content[:512].lstrip().startswith(b"<"):
        raise ValueError(f"{where}: a web page, not an IDX file: the server answered with a page instead; get it again")
    if len(content) < 4:
        raise ValueError(f"{where}: cut short: {len(content)} bytes, but an IDX header has at least 8")
    zeros, code, rank = struct.unpack(">HBB", content[:4])
    if zeros != 0:
        raise ValueError(f"{where}: not an IDX file: it starts with bytes {content[:4].hex(' ')}, not with two zeros")
    if code not in DTYPES:
        known = ", ".join(f"0x{code:02x} ({dtype.name})" for code, dtype in DTYPES.items())
        raise ValueError(f"{where}: not an IDX file: unknown type code 0x{code:02x}; IDX knows {known}")
    if not 1 <= rank <= 64:
        raise ValueError(f"{where}: not an IDX file: it says {rank} dimensions; IDX needs 1, NumPy holds at most 64")
    start = 4 + 4 * rank
    if len(content) < start:
        raise ValueError(f"{where}: cut short: {len(content)} bytes, but the header of {rank} dimensions has {start}")
    shape = struct.unpack(f">{rank}I", content[4:start])
    if 0 in shape:
        raise ValueError(f"{where}: damaged or empty: its header says shape {shape}; every size must be at least 1")
    dtype = DTYPES[code]
    need = start + math.prod(shape) * dtype.itemsize
    if len(content) != need:
        state = "cut short" if len(content) < need else "damaged"
        raise ValueError(
            f"{where}: {state}: {len(content):,} bytes, but shape {shape} of {dtype.name} needs {need:,}; get it again"
        )
    return np.frombuffer(content, dtype, offset=start).reshape(shape).astype(dtype.newbyteorder("="))
