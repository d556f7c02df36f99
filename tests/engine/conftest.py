"""Engines and jobs whose processes find the fakes in this folder."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER))  # tests are imported without it, and the fakes are imported by processes too

from fake_model import Gate  # noqa: E402
from inboxes import Inbox  # noqa: E402

from latentlab.engine.client import EngineClient  # noqa: E402


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Callable[[str], str]:
    """Makes a file that `open_fake` opens as a model of this SHA-256; its path."""

    def make(sha256: str = "one") -> str:
        path = tmp_path / f"{sha256}.fake"
        path.write_text(sha256)
        return str(path)

    return make


@pytest.fixture
def findable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that are started import the modules of this folder."""
    monkeypatch.setenv("PYTHONPATH", str(FOLDER))


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def engine(findable: None, inbox: Inbox) -> Iterator[EngineClient]:
    client = EngineClient("fake_model:open_fake")
    client.on_reply = inbox
    yield client
    client.on_reply = None
    client.close()
