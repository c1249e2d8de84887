"""What the tests of the data sets share: IDX files, a small set in MNIST's four files, a server that misbehaves."""

import gzip
import hashlib
import socket
import struct
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from ae.data.download import Source

CODES = {"uint8": 0x08, "int8": 0x09, "int16": 0x0B, "int32": 0x0C, "float32": 0x0D, "float64": 0x0E}
HALF = 100_000  # bytes that a cut or stalled answer delivers; the large file has more than twice as many


def encode(array: np.ndarray) -> bytes:
    header = struct.pack(f">HBB{array.ndim}I", 0, CODES[array.dtype.name], array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


@dataclass
class SmallSet:
    """Arrays by file name, and the raw IDX bytes of each."""

    arrays: dict[str, np.ndarray]
    raw: dict[str, bytes]

    def zipped(self, file: str) -> bytes:
        return gzip.compress(self.raw[file], mtime=0)

    def source(self, *mirrors: str, name: str = "mnist") -> Source:
        return Source(name, mirrors, {file: hashlib.md5(raw).hexdigest() for file, raw in self.raw.items()})


@pytest.fixture(scope="session")
def idx_bytes() -> Callable[[np.ndarray], bytes]:
    return encode


@pytest.fixture(scope="session")
def small() -> SmallSet:
    rng = np.random.default_rng(0)
    arrays = {
        "train-images-idx3-ubyte": rng.integers(0, 256, (300, 28, 28), dtype=np.uint8),
        "train-labels-idx1-ubyte": rng.integers(0, 10, 300, dtype=np.uint8),
        "t10k-images-idx3-ubyte": rng.integers(0, 256, (20, 28, 28), dtype=np.uint8),
        "t10k-labels-idx1-ubyte": rng.integers(0, 10, 20, dtype=np.uint8),
    }
    return SmallSet(arrays, {file: encode(array) for file, array in arrays.items()})


class Handler(BaseHTTPRequestHandler):
    """The first folder of an address says how the server behaves."""

    def do_GET(self):
        _, folder, name = self.path.split("/")
        asked = self.headers.get("Range")
        self.server.log.append((folder, name, asked))
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        getattr(self, f"serve_{folder}")(self.server.files.get(name, b""), start)

    def begin(self, body, start, honour_range=True):
        """Send the header, and return what of the body is asked for."""
        if not honour_range:
            start = 0
        if start >= len(body) > 0:
            self.send_error(416)
            return b""
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        return body[start:]

    def serve_good(self, body, start):
        self.wfile.write(self.begin(body, start))

    def serve_plain(self, body, start):
        self.wfile.write(self.begin(body, start, honour_range=False))

    def serve_cut(self, body, start):
        self.wfile.write(self.begin(body, start)[:HALF])

    def serve_cutplain(self, body, start):
        self.wfile.write(self.begin(body, start, honour_range=False)[:HALF])

    def serve_dribble(self, body, start):
        self.wfile.write(self.begin(body, start)[:10])

    def serve_reset(self, body, start):
        self.wfile.write(self.begin(body, start)[:HALF])
        self.wfile.flush()
        # Close with a reset instead of an orderly end.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def serve_stall(self, body, start):
        rest = self.begin(body, start)
        self.wfile.write(rest[:HALF])
        self.wfile.flush()
        self.server.go_on.wait(60)
        self.wfile.write(rest[HALF:])

    def serve_missing(self, body, start):
        self.send_error(404)

    def serve_page(self, body, start):
        self.wfile.write(self.begin(b"<!DOCTYPE html><html><body>Please log in</body></html>", 0))

    def serve_wrong(self, body, start):
        other = bytearray(gzip.decompress(body))
        other[-1] ^= 1
        self.wfile.write(self.begin(gzip.compress(other), start, honour_range=False))

    def serve_unzipped(self, body, start):
        self.wfile.write(self.begin(gzip.decompress(body), start))

    def serve_elsewhere(self, body, start):
        """Answer a Range with bytes of another place."""
        if not start:
            return self.serve_good(body, start)
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {start + 7}-{len(body) - 1}/{len(body)}")
        self.end_headers()
        self.wfile.write(body[start + 7 :])

    def serve_unsized(self, body, start):
        """Give no Content-Length: the end of the connection is the end of the file."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def serve_garbage(self, body, start):
        self.wfile.write(b"this is not HTTP\r\n\r\n")

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """A client that goes away midway is part of the tests."""
        if not isinstance(sys.exception(), ConnectionError | ValueError):
            super().handle_error(request, client_address)


@pytest.fixture
def server(small):
    with Server(("127.0.0.1", 0), Handler) as server:
        server.files = {f"{file}.gz": small.zipped(file) for file in small.raw}
        server.log = []
        server.go_on = threading.Event()
        server.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.go_on.set()
        server.shutdown()
        thread.join()
