"""Downloads that go wrong, from a server of our own: said in one line, and nothing half is taken for whole."""

from __future__ import annotations

import gc
import gzip
import hashlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from torchvision.datasets import MNIST

from latentlab.core.errors import DataError, Failure
from training.cli import main
from training.data import load
from training.data.fetching import STAGE

SIDE = 4
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
LOADING = """
import sys
from torchvision.datasets import MNIST
from training.data import load
MNIST.mirrors = [sys.argv[1]]
MNIST.resources = [tuple(pair.split("=")) for pair in sys.argv[3].split(",")]
load("mnist", root=__import__("pathlib").Path(sys.argv[2]), download=True)
"""


def idx(array: np.ndarray) -> bytes:
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


@dataclass
class Server:
    """Serves a tiny MNIST, or what a test makes of it."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    status: int = 200
    stops_within: bool = False  # half of the body, then the connection ends
    waits_within: threading.Event | None = None  # half of the body, then nothing until this is set
    half_way: threading.Event = field(default_factory=threading.Event)

    @property
    def resources(self) -> list[tuple[str, str]]:
        return [(name, hashlib.md5(data).hexdigest()) for name, data in self.files.items()]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    found = Server()
    for part, count in (("train", 6), ("t10k", 2)):
        images = np.full((count, SIDE, SIDE), 200, np.uint8)
        found.files[f"{part}-images-idx3-ubyte.gz"] = gzip.compress(idx(images))
        found.files[f"{part}-labels-idx1-ubyte.gz"] = gzip.compress(idx(np.arange(count, dtype=np.uint8)))

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = found.files[self.path[1:]]
            self.send_response(found.status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if found.stops_within or found.waits_within:
                self.wfile.write(data[: len(data) // 2])
                self.wfile.flush()
                found.half_way.set()
                if found.waits_within:
                    found.waits_within.wait()
            else:
                self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        found.address = f"http://127.0.0.1:{listening.server_address[1]}/"
        monkeypatch.setattr(MNIST, "mirrors", [found.address])
        monkeypatch.setattr(MNIST, "resources", found.resources)
        yield found
        if found.waits_within:
            found.waits_within.set()
        listening.shutdown()
        thread.join()
    gc.collect()  # urllib's errors hold a connection each, which torchvision keeps and never closes


def files(root: Path) -> list[str]:
    return [path.name for path in root.rglob("*") if path.is_file()]


def test_what_is_downloaded_is_whole_and_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    data = load("mnist", root=tmp_path, download=True)
    assert data.images.shape == (8, SIDE, SIDE, 1)
    assert not (tmp_path / STAGE).exists()
    server.status = 404
    assert len(load("mnist", root=tmp_path, download=True)) == 8


@pytest.mark.parametrize(
    ("fault", "said"),
    [("404", "404"), ("no network", "refused"), ("wrong hash", "corrupted"), ("cut off", "corrupted")],
)
def test_a_download_that_fails_is_one_line_and_leaves_nothing(
    fault: str, said: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
) -> None:
    match fault:
        case "404":
            server.status = 404
        case "no network":
            with socket.create_server(("127.0.0.1", 0)) as free:
                nobody = free.getsockname()[1]
            monkeypatch.setattr(MNIST, "mirrors", [f"http://127.0.0.1:{nobody}/"])
        case "wrong hash":
            server.files = {name: data + b"more" for name, data in server.files.items()}
        case _:
            server.stops_within = True
    asked = ["vae", "--data", "mnist", "--root", str(tmp_path / "data"), "--download", "--out", str(tmp_path / "run")]
    assert main([*asked, "--progress", "none"]) == 1
    error = capfd.readouterr().err
    assert "Traceback" not in error
    (line,) = [line for line in error.splitlines() if line.startswith("latentlab-train: ")]
    assert said in line
    assert "could not be downloaded" in line
    assert "try again" in line
    assert not files(tmp_path)
    server.status, server.stops_within = 200, False


def test_a_server_that_falls_silent_is_given_up(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.data.fetching.SILENT_S", 0.1)
    server.waits_within = threading.Event()
    with pytest.raises(Failure, match="timed out"):
        load("mnist", root=tmp_path, download=True)
    assert not files(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9")
def test_a_download_that_is_killed_half_way_begins_anew(server: Server, tmp_path: Path) -> None:
    server.waits_within = threading.Event()
    resources = ",".join(f"{name}={md5}" for name, md5 in server.resources)
    command = [sys.executable, "-c", LOADING, server.address, str(tmp_path), resources]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        assert server.half_way.wait(60)
        process.kill()
    server.waits_within.set()
    server.waits_within = None
    with pytest.raises(DataError, match="--download"):
        load("mnist", root=tmp_path)
    assert len(load("mnist", root=tmp_path, download=True)) == 8
    assert not (tmp_path / STAGE).exists()


def test_what_was_unpacked_by_half_is_replaced(server: Server, tmp_path: Path) -> None:
    """As torchvision alone leaves it behind when it is killed while it unpacks."""
    load("mnist", root=tmp_path, download=True)
    images = tmp_path / "MNIST" / "raw" / "train-images-idx3-ubyte"
    images.write_bytes(images.read_bytes()[:50])
    own = tmp_path / "MNIST" / "notes.txt"
    own.write_text("mine")
    with pytest.raises(DataError, match=r"not whole.*--download"):
        load("mnist", root=tmp_path)
    assert len(load("mnist", root=tmp_path, download=True)) == 8
    assert own.read_text() == "mine"


def test_a_disk_that_is_full_is_said(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("torchvision.datasets.utils._urlretrieve", full)
    with pytest.raises(Failure, match="No space left on device"):
        load("mnist", root=tmp_path, download=True)
    assert not files(tmp_path)
