"""A model of two latent spaces in the window: z, which draws, and w, which it takes z to."""

from __future__ import annotations

from typing import Any

import numpy as np

from latentlab.core.latent_model import ModelInfo
from latentlab.core.spaces import LatentSpace
from latentlab.ui.main_window import MainWindow
from latentlab.ui.workspace import OpenedModel
from tests.ui.conftest import DIM, FakeEngine, deliver, mapped, some_encodings, some_info

DRAWS = mapped(np.random.default_rng(2).standard_normal((80, DIM)).astype(np.float32))


def two_spaces(**parts: Any) -> ModelInfo:
    spaces = (LatentSpace("z", (DIM,)), LatentSpace("w", (DIM,), "empirical", DRAWS.mean(0), DRAWS.std(0), DRAWS))
    return some_info(sha256="two", spaces=spaces, mappings=(("z", "w"),), **parts)


def with_two_spaces(window: MainWindow, engine: FakeEngine) -> MainWindow:
    """The window on a model with two spaces and 50 encodings in z, at one of them."""
    engine.info = two_spaces()
    window.opening._show(OpenedModel(engine.info, some_encodings(50)), None)
    window.opening.join()
    deliver()
    return window


def switch(window: MainWindow, to: str) -> None:
    """By the hand on the tool bar."""
    choice = window.menus.space_choice
    choice.activated.emit([choice.itemText(i) for i in range(choice.count())].index(f"space {to}"))
    deliver()
    window.opening.join()
    deliver()


def texts(window: MainWindow) -> list[str]:
    return [notice.text for notice in window.workspace.notices.log]
