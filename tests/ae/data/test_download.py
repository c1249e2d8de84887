"""Downloads from a local server that serves well, badly or not at all: what is kept is whole, what is cut resumes."""

import errno
import io
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import ae.data
from ae.data import download, load
from ae.data.download import cache_folder, fetch
from ae.data.mnist import SOURCES

FILE = "train-images-idx3-ubyte"
HALF = 100_000  # bytes that the server's cut and stalled answers deliver: less than half of the file


@pytest.fixture
def get(server, small, tmp_path):
    """Fetch the large file from mirrors that behave as named; return it after checking that it is the right one."""

    def get_from(*behaviours):
        array = fetch(small.source(*(f"{server.url}/{behaviour}" for behaviour in behaviours)), FILE, tmp_path)
        np.testing.assert_array_equal(array, small.arrays[FILE])
        assert contents(tmp_path) == {"download.lock", f"{FILE}.gz"}
        return array

    return get_from


@pytest.fixture
def part(tmp_path):
    return tmp_path / f"{FILE}.gz.part"


def contents(folder):
    return {path.name for path in folder.iterdir()}


def asked(server):
    """The behaviour and the Range of each request so far."""
    return [(folder, wanted) for folder, _, wanted in server.log]


def test_a_file_is_downloaded_once(server, get, small, tmp_path):
    get("good")
    get("good")
    assert asked(server) == [("good", None)]
    assert (tmp_path / f"{FILE}.gz").read_bytes() == small.zipped(FILE)


def test_the_folder_is_made(server, small, tmp_path):
    folder = tmp_path / "a" / "b"
    fetch(small.source(f"{server.url}/good"), FILE, folder)
    assert f"{FILE}.gz" in contents(folder)


@pytest.mark.parametrize("behaviour", ["cut", "reset"])
def test_a_lost_connection_is_taken_up_where_it_broke(server, get, small, behaviour):
    get(behaviour)
    ranges = [wanted for _, wanted in asked(server)]
    starts = [int(wanted[6:-1]) for wanted in ranges[1:]]
    assert ranges[0] is None
    assert len(starts) >= 2
    assert starts == sorted(set(starts))
    if behaviour == "cut":
        assert starts == [HALF, 2 * HALF]


def test_an_earlier_part_is_resumed(server, get, small, part):
    part.write_bytes(small.zipped(FILE)[:12345])
    get("good")
    assert asked(server) == [("good", "bytes=12345-")]


def test_a_part_of_one_mirror_is_resumed_at_the_next(server, get):
    get("cutplain", "good")
    assert asked(server) == [("cutplain", None), ("cutplain", f"bytes={HALF}-"), ("good", f"bytes={HALF}-")]


def test_a_server_that_ignores_range_sends_it_all_again(server, get, small, part):
    part.write_bytes(small.zipped(FILE)[:12345])
    get("plain")
    assert asked(server) == [("plain", "bytes=12345-")]


def test_a_part_already_whole_is_taken(server, get, small, part):
    part.write_bytes(small.zipped(FILE))
    get("good")
    assert asked(server) == [("good", f"bytes={len(small.zipped(FILE))}-")]


@pytest.mark.parametrize("size", [1, 12345, 10_000_000])
def test_a_corrupt_part_is_thrown_away_and_fetched_from_its_start(server, get, part, size):
    part.write_bytes(b"x" * size)
    get("good")
    assert asked(server) == [("good", f"bytes={size}-"), ("good", None)]


def test_a_part_that_the_server_answers_from_another_place_goes_to_the_next_mirror(server, get, small, part):
    part.write_bytes(small.zipped(FILE)[:12345])
    get("elsewhere", "good")
    assert asked(server) == [("elsewhere", "bytes=12345-"), ("good", "bytes=12345-")]


def test_a_mirror_that_hardly_moves_is_left_after_a_few_tries(server, get):
    get("dribble", "good")
    assert [folder for folder, _ in asked(server)] == ["dribble"] * download.TRIES + ["good"]


@pytest.mark.parametrize("bad", ["missing", "page", "wrong", "garbage"])
def test_a_bad_mirror_is_passed_over(server, get, bad):
    get(bad, "good")
    assert asked(server) == [(bad, None), ("good", None)]


@pytest.mark.parametrize("behaviour", ["unzipped", "unsized"])
def test_other_ways_of_sending_the_same_content_are_accepted(get, behaviour):
    get(behaviour)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("missing", "HTTP status 404"),
        ("page", "deleted what it sent: .* a web page, not an IDX file"),
        ("wrong", "deleted what it sent: .* not mnist's train-images-idx3-ubyte: the MD5 sum"),
        ("cutplain", f"the connection was cut after {HALF:,} of"),
        ("dribble", f"the connection was cut after {10 * download.TRIES} of"),
    ],
)
def test_failures_are_reported_with_their_address_and_advice(server, small, tmp_path, bad, reason):
    source = small.source(f"{server.url}/{bad}", f"{server.url}/missing")
    with pytest.raises(ConnectionError, match=f"{server.url}/{bad}/{FILE}.gz: {reason}") as caught:
        fetch(source, FILE, tmp_path)
    assert f"{server.url}/missing/{FILE}.gz: HTTP status 404" in str(caught.value)
    assert "--data-root" in str(caught.value)
    assert f"{FILE}.gz" not in contents(tmp_path)
    assert (f"{FILE}.gz.part" in contents(tmp_path)) == (bad in {"cutplain", "dribble"})


def test_without_a_connection_the_error_says_what_was_tried_and_what_to_do(small, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(ConnectionError) as caught:
        fetch(small.source(f"{nobody}/a", f"{nobody}/b"), FILE, tmp_path)
    for words in [
        f"{nobody}/a/{FILE}.gz: ",
        f"{nobody}/b/{FILE}.gz: ",
        "refused",
        "--data-root",
        "t10k-labels-idx1-ubyte",
    ]:
        assert words in str(caught.value)


def test_a_server_that_falls_silent_is_asked_for_the_rest(server, get, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT", 0.2)
    get("stall")
    assert asked(server) == [("stall", None), ("stall", f"bytes={HALF}-"), ("stall", f"bytes={2 * HALF}-")]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full, which plays the full disk")
def test_a_full_disk_is_not_blamed_on_the_mirror(server, small, tmp_path, part):
    part.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left") as caught:
        fetch(small.source(f"{server.url}/good"), FILE, tmp_path)
    assert caught.value.errno == errno.ENOSPC


@pytest.mark.parametrize("damage", [b"", b"half", b"<html></html>"])
def test_a_damaged_file_in_the_cache_is_replaced(server, get, tmp_path, damage):
    (tmp_path / f"{FILE}.gz").write_bytes(damage)
    get("good")
    assert asked(server) == [("good", None)]


def test_a_cache_that_was_cut_short_behind_our_back_is_replaced(server, get, small, tmp_path):
    (tmp_path / f"{FILE}.gz").write_bytes(small.zipped(FILE)[:-1])
    get("good")


def start_process(url, small, folder):
    """Fetch the large file in a process of its own."""
    program = (  # a job that was started in the background would ignore the interrupt
        "import signal, sys; from pathlib import Path; from ae.data.download import Source, fetch; "
        "signal.signal(signal.SIGINT, signal.default_int_handler); "
        "url, file, md5, folder = sys.argv[1:]; fetch(Source('mnist', (url,), {file: md5}), file, Path(folder))"
    )
    return subprocess.Popen(
        [sys.executable, "-c", program, url, FILE, small.source().md5[FILE], str(folder)],
        env={**os.environ, "PYTHONPATH": str(Path(ae.data.__file__).parents[2])},
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail("what the test waits for did not happen within a minute")
        time.sleep(0.01)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("ending", ["SIGINT", "SIGKILL"])
def test_an_interrupted_download_leaves_a_part_that_the_next_call_resumes(server, get, small, tmp_path, part, ending):
    process = start_process(f"{server.url}/stall", small, tmp_path)
    try:
        wait_for(lambda: part.exists() and part.stat().st_size == HALF)
        assert contents(tmp_path) == {"download.lock", f"{FILE}.gz.part"}
        process.send_signal(getattr(signal, ending))
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == -getattr(signal, ending)
    assert ("KeyboardInterrupt" in errors) == (ending == "SIGINT")
    assert contents(tmp_path) == {"download.lock", f"{FILE}.gz.part"}
    get("good")
    assert asked(server)[-1] == ("good", f"bytes={HALF}-")


def test_processes_that_want_the_same_file_wait_for_one_download(server, small, tmp_path, part):
    processes = [start_process(f"{server.url}/stall", small, tmp_path)]
    try:
        wait_for(lambda: part.exists() and part.stat().st_size == HALF)
        processes += [start_process(f"{server.url}/stall", small, tmp_path) for _ in range(2)]
        for process in processes[1:]:
            assert "waiting for another process" in process.stderr.readline()
        server.go_on.set()
        for process in processes:
            _, errors = process.communicate(timeout=60)
            assert (process.returncode, errors) == (0, "")
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert asked(server) == [("stall", None)]
    assert (tmp_path / f"{FILE}.gz").read_bytes() == small.zipped(FILE)
    assert contents(tmp_path) == {"download.lock", f"{FILE}.gz"}


def test_threads_that_want_the_same_file_wait_for_one_download(server, small, tmp_path):
    arrays = []
    source = small.source(f"{server.url}/good")
    threads = [threading.Thread(target=lambda: arrays.append(fetch(source, FILE, tmp_path))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(arrays) == 4
    for array in arrays:
        np.testing.assert_array_equal(array, small.arrays[FILE])
    assert asked(server) == [("good", None)]


def test_progress_is_shown_on_a_terminal(get, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    get("good")
    assert f"{FILE}.gz: 100%" in sys.stderr.getvalue()


def test_nothing_is_shown_where_there_is_no_terminal(get, capfd):
    get("good")
    assert capfd.readouterr() == ("", "")


def test_load_without_root_downloads_into_the_cache_and_then_needs_no_network(server, small, tmp_path, monkeypatch):
    monkeypatch.setenv("AE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(SOURCES, "mnist", small.source(f"{server.url}/good"))
    first = load("mnist")
    assert sorted(name for _, name, _ in server.log) == sorted(f"{file}.gz" for file in small.raw)
    monkeypatch.setitem(SOURCES, "mnist", small.source(f"{server.url}/missing"))
    second = load("mnist")
    assert len(server.log) == 4
    for splits in (first, second):
        np.testing.assert_array_equal(
            splits.train_images * 255, small.arrays["train-images-idx3-ubyte"].reshape(300, 784)
        )
        np.testing.assert_array_equal(splits.test_labels, small.arrays["t10k-labels-idx1-ubyte"])
    assert contents(tmp_path / "cache" / "mnist") == {"download.lock", *(f"{file}.gz" for file in small.raw)}


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {"AE_CACHE": "/chosen", "XDG_CACHE_HOME": "/xdg"}, "/chosen"),
        ("linux", {"AE_CACHE": "~/mine"}, "/home/u/mine"),
        ("linux", {"XDG_CACHE_HOME": "/xdg"}, "/xdg/ae"),
        ("linux", {}, "/home/u/.cache/ae"),
        ("linux", {"AE_CACHE": "", "XDG_CACHE_HOME": ""}, "/home/u/.cache/ae"),
        ("darwin", {}, "/home/u/Library/Caches/ae"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/ae/cache"),
        ("win32", {}, "/home/u/.cache/ae"),
    ],
)
def test_the_cache_is_where_the_system_keeps_caches(monkeypatch, platform, variables, expected):
    for name in ("AE_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/home/u")
    monkeypatch.setenv("USERPROFILE", "/home/u")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    assert cache_folder() == Path(expected)
