"""What `explore` hands to the window."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from torch import nn

import latentlab


def test_the_window_is_given_what_was_made_of_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Any] = []
    monkeypatch.setattr("latentlab.api.exploring.check_display", lambda: None)
    monkeypatch.setattr("latentlab.app.explore_model", shown.append)
    images = np.random.default_rng(0).integers(0, 256, (9, 8, 8)).astype(np.uint8)
    latentlab.explore(
        nn.Sequential(nn.Linear(6, 64), nn.Sigmoid()),
        latent_dim=6,
        encoder=nn.Sequential(nn.Flatten(), nn.Linear(64, 6)),
        images=images,
        labels=["a", "b", "c"] * 3,
        attributes={"odd": np.arange(9) % 2},
    )
    (model,) = shown
    assert model.info.encoder
    assert (len(model.encodings), model.encodings.label_names) == (9, ("a", "b", "c"))
    assert model.encodings.attribute_names == ("odd",)
