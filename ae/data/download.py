"""Get the files of a data set once: resumable, checked, atomic, safe for several processes at a time.

A file is received as `NAME.gz.part`. Only when its content is the official one (MD5 of the uncompressed bytes, since
mirrors may compress differently) is it renamed, in one step, to `NAME.gz`. Whatever interrupts a download, a lost
connection, Ctrl-C or the end of the process, leaves the `.part`, and the next call asks the server for the rest of it.
"""

import hashlib
import os
import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ae.data.idx import parse_idx, read_content

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

CHUNK = 1 << 16  # bytes asked of the server at a time
TIMEOUT = 30  # seconds of silence after which a server is given up
TRIES = 5  # requests to one mirror, as long as each brings the download further


@dataclass(frozen=True)
class Source:
    """Where the files of a data set are published, and the MD5 sum of each one's uncompressed content."""

    name: str
    mirrors: tuple[str, ...]
    md5: dict[str, str]


class _MirrorError(Exception):
    """A mirror did not deliver; the message says why, and the next one is tried."""


def cache_folder() -> Path:
    """Return the folder for downloads: `$AE_CACHE`, or `ae` in the folder that the system keeps caches in."""
    if chosen := os.environ.get("AE_CACHE"):
        return Path(chosen).expanduser()
    if sys.platform == "win32" and (local := os.environ.get("LOCALAPPDATA")):
        return Path(local) / "ae" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "ae"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ae"


def read_checked(path: Path, source: Source, file: str) -> np.ndarray:
    """Read an IDX file, raw or gzip, and raise ValueError unless its content is `file` of that source."""
    content = read_content(path)
    array = parse_idx(content, str(path))
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if digest != source.md5[file]:
        raise ValueError(
            f"{path}: an IDX file of shape {array.shape}, but not {source.name}'s {file}: the MD5 sum of its content, "
            f"uncompressed, is {digest}, not {source.md5[file]}; get the original file"
        )
    return array


def fetch(source: Source, file: str, folder: Path) -> np.ndarray:
    """Return a file of a source as an array: from `folder` if it is there and whole, else downloaded into it.

    Raises ConnectionError, which lists what was tried, if no mirror delivers it.
    """
    target = folder / f"{file}.gz"
    array = _read_if_whole(target, source, file)
    if array is not None:
        return array
    folder.mkdir(parents=True, exist_ok=True)
    with _only_one_process(folder / "download.lock"):
        array = _read_if_whole(target, source, file)  # another process may have downloaded it while this one waited
        return array if array is not None else _download(source, file, target)


def _read_if_whole(path: Path, source: Source, file: str) -> np.ndarray | None:
    try:
        return read_checked(path, source, file)
    except (FileNotFoundError, ValueError):
        return None


def _download(source: Source, file: str, target: Path) -> np.ndarray:
    failures = []
    for mirror in source.mirrors:
        url = f"{mirror}/{file}.gz"
        try:
            return _download_from(url, source, file, target)
        except _MirrorError as failure:
            failures.append(f"\n  {url}: {failure}")
    raise ConnectionError(
        f"could not download {source.name}'s {file}.gz. Tried:{''.join(failures)}\n"
        f"Without a connection, get the files ({', '.join(source.md5)}; raw or .gz) in another way, and name their "
        f"folder: --data-root DIR on the command line, root=DIR in Python."
    )


def _download_from(url: str, source: Source, file: str, target: Path) -> np.ndarray:
    part = target.with_name(target.name + ".part")
    for attempt in range(1, TRIES + 1):
        before = _size(part)
        try:
            resumed = _receive(url, part)
        except _MirrorError:
            if attempt == TRIES or _size(part) <= before:
                raise
            continue  # cut, but further than before
        try:
            array = read_checked(part, source, file)
        except ValueError as error:
            part.unlink()
            if not resumed:
                raise _MirrorError(f"deleted what it sent: {error}") from None
            continue  # the start, from an earlier call, may have been the bad half: once more from the first byte
        part.replace(target)
        return array
    raise _MirrorError(f"{TRIES} tries did not complete it")


def _receive(url: str, part: Path) -> bool:
    """Bring `part` to the full length of what `url` serves; tell whether bytes of an earlier call are in it."""
    have = _size(part)
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response: HTTPResponse = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416 and have:
            return True  # nothing comes after what is there: it is whole, or longer than the file; its sum will tell
        raise _MirrorError(f"HTTP status {error.code} ({error.reason})") from None
    except urllib.error.URLError as error:
        raise _MirrorError(str(error.reason)) from None
    except (OSError, HTTPException) as error:
        raise _MirrorError(_describe(error)) from None
    with response:
        start = _first_byte(response)
        if start not in (0, have):
            raise _MirrorError(f"asked for the bytes from {have} on, it sent those from {start} on")
        length = response.headers.get("Content-Length")
        total = start + int(length) if length else None
        name = url.rpartition("/")[2]
        bar = tqdm(desc=name, total=total, initial=start, unit="B", unit_scale=True, file=sys.stderr, disable=None)
        # Unbuffered, so that even a killed process leaves what it received.
        with bar, part.open("ab" if start else "wb", buffering=0) as out:
            for chunk in _chunks(response):
                out.write(chunk)
                bar.update(len(chunk))
    if total is not None and _size(part) < total:
        raise _MirrorError(f"the connection was cut after {_size(part):,} of {total:,} bytes")
    return start > 0


def _first_byte(response: HTTPResponse) -> int:
    """Return where in the file the body of a response begins: 0 if the server ignored the Range it was asked for."""
    if response.status != 206:
        return 0
    found = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    if found is None:
        raise _MirrorError("it sent a part of the file without saying which")
    return int(found[1])


def _chunks(response: HTTPResponse) -> Iterator[bytes]:
    try:
        while chunk := response.read1(CHUNK):
            yield chunk
    except (OSError, HTTPException) as error:
        raise _MirrorError(f"the connection was cut: {_describe(error)}") from None


def _describe(error: Exception) -> str:
    return str(error) or type(error).__name__


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


@contextmanager
def _only_one_process(path: Path) -> Iterator[None]:
    """Hold a lock file; the system releases it when its process ends, in whatever way."""
    with path.open("ab") as file:
        if not _try_lock(file.fileno()):
            print(f"waiting for another process that downloads into {path.parent}", file=sys.stderr)
            while not _try_lock(file.fileno()):
                time.sleep(0.1)
        yield


def _try_lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # how Linux and macOS, and how Windows, say that another has it
        return False
    return True
