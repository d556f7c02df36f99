"""The engine's process as it sets itself up."""

from __future__ import annotations

import pytest

from latentlab.engine import server


@pytest.mark.parametrize(("factory", "threads"), [(server.FORMATS, 1), ("fake_model:open_fake", 2)])
def test_the_live_decoder_has_one_thread(monkeypatch: pytest.MonkeyPatch, factory: str, threads: int) -> None:
    """Two threads beside a busy core make 3 ms of a decode 318 ms."""
    import torch

    seen: list[int] = []
    torch.set_num_threads(2)
    monkeypatch.setattr(server, "connected", lambda handle: None)
    monkeypatch.setattr(server, "named", lambda function: None)
    monkeypatch.setattr(server, "send", lambda connection, message: None)
    monkeypatch.setattr(server, "serve", lambda *_: seen.append(torch.get_num_threads()))
    server.main("0", factory)
    assert seen == [threads]
