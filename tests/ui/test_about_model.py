"""About this model is a table that one can read; the user guide is a page that one can follow."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication, QTextFormat
from pytestqt.qtbot import QtBot

from latentlab.core.bundled import bundled_models, docs_folder
from latentlab.ui.main_window import MainWindow
from latentlab.ui.model_dialog import ModelDialog
from latentlab.ui.model_facts import Facts, facts_of
from latentlab.ui.opening import read_natively
from latentlab.ui.user_guide import UserGuide, slug
from latentlab.ui.workspace import OpenedModel
from tests.ui.conftest import CHECKPOINT, some_encodings, some_info

TRAINING = {
    "family": "vae",
    "seed": 1234,
    "data": "cartoon-faces",
    "limit": None,
    "objective": {"learning_rate": 0.0003, "diffaugment": ["translation", "cutout"]},
    "epochs": 1200,
    "flip": True,
    "ema": 0.999,
}


def opened() -> OpenedModel:
    figures = {"train": {"loss": 2.0}, "held_out": {"loss": 3.0, "mse": 0.00416}}
    return OpenedModel(some_info(training=TRAINING, figures=figures, licence="CC BY 4.0"), some_encodings())


def told(groups: list[Facts], heading: str) -> dict[str, str]:
    return {row.title: row.text for group in groups if group.heading == heading for row in group.rows}


def test_a_training_is_told_in_words_what_one_asks_for_first() -> None:
    training = told(facts_of(opened()), "Training")
    assert list(training)[:3] == ["Data", "Epochs", "Seed"]
    assert training["Epochs"] == "1,200"
    assert training["Seed"] == "1234", "as one types it"
    assert training["Objective: learning rate"] == "0.0003"
    assert training["Objective: DiffAugment"] == "translation, cutout"
    assert training["Flip"] == "yes"
    assert training["Weight averaging (EMA)"] == "0.999", "what is short for something is said in words"
    assert "Limit" not in training, "what was left open"


def test_the_model_and_its_figures_stand_beside_it() -> None:
    groups = facts_of(opened())
    model = told(groups, "Model")
    assert model["Family"] == "Variational autoencoder"
    assert model["Licence"] == "CC BY 4.0"
    assert model["SHA-256"] == CHECKPOINT
    assert told(groups, "Reconstruction")["Mean squared error"] == "0.00416"
    assert told(groups, "Losses")["Loss"] == "2 training, 3 held out"


def test_what_a_header_says_is_text_and_no_markup(window: MainWindow) -> None:
    window.workspace.opened = OpenedModel(some_info(training={"data": "<b>bold</b>"}), None)
    window.commands.show_model_info()
    dialog = window.findChild(ModelDialog)
    assert dialog is not None
    assert "<b>bold</b>" in dialog.table.toPlainText()


def test_a_header_of_another_hand_does_not_fill_the_screen() -> None:
    training = {f"key {k}": "long" * 1000 for k in range(5000)}
    rows = told(facts_of(OpenedModel(some_info(training=training), None)), "Training")
    assert len(rows) <= 120
    assert max(map(len, rows.values())) <= 300


@pytest.mark.parametrize("path", bundled_models(), ids=lambda path: path.stem)
def test_of_no_bundled_model_raw_json_is_shown(path: Path) -> None:
    model = read_natively(path)
    assert model is not None
    groups = facts_of(model)
    assert {"Data", "Epochs", "Seed"} <= set(told(groups, "Training"))
    assert not [row for group in groups for row in group.rows if re.search(r"[{}\[\]_]|None|True", row.text)]


def test_the_hash_is_copied_by_its_button_and_everything_by_the_other(qtbot: QtBot, window: MainWindow) -> None:
    window.workspace.opened = opened()
    window.commands.show_model_info()
    dialog = window.findChild(ModelDialog)
    assert dialog is not None
    dialog.sha_button.click()
    assert QGuiApplication.clipboard().text() == CHECKPOINT
    assert "cartoon-faces" in dialog.table.toPlainText()
    dialog.copy_button.click()
    assert "Objective: learning rate  0.0003" in QGuiApplication.clipboard().text()


# --- the guide


@pytest.fixture
def guide(qtbot: QtBot, window: MainWindow) -> UserGuide:
    window.actions_by_key["guide"].trigger()
    found = window.findChild(UserGuide)
    assert found is not None
    return found


def test_the_links_of_the_guide_lead_to_its_headings_and_to_other_pages(guide: UserGuide) -> None:
    bar = guide.pages.verticalScrollBar()
    assert bar.value() == 0
    guide.follow(QUrl("#walk"))
    assert bar.value() > 0
    guide.follow(QUrl("formats.md#converting"))
    assert guide.page == "formats.md"
    assert not guide.back.isHidden()
    guide.back.click()
    assert guide.page == "user-guide.md"
    assert bar.value() == 0


def test_lines_of_code_stand_close_and_paragraphs_apart(guide: UserGuide) -> None:
    below: dict[bool, set[float]] = {True: set(), False: set()}
    block = guide.pages.document().begin()
    while block.next().isValid():
        fenced = [one.blockFormat().hasProperty(QTextFormat.Property.BlockCodeFence) for one in (block, block.next())]
        if fenced[0]:
            below[fenced[1]].add(block.blockFormat().bottomMargin())
        block = block.next()
    assert below[True] == {0.0}, "between two lines of code"
    assert min(below[False]) > 0, "after the last one"


def test_what_lies_outside_is_opened_outside(guide: UserGuide, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: asked.append(url.toString()))
    guide.follow(QUrl("https://example.org/a"))
    assert asked == ["https://example.org/a"]
    guide.follow(QUrl("nowhere.md"))
    assert guide.page == "user-guide.md"
    assert "nowhere.md was not installed" in guide.words.text()


def test_an_installation_without_the_guide_says_so(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("latentlab.ui.user_guide.docs_folder", lambda: tmp_path)
    window.actions_by_key["guide"].trigger()
    assert window.findChild(UserGuide) is None
    assert "user guide is not here" in window.workspace.notices.log[-1].text


def test_every_page_that_the_guide_leads_to_is_in_a_wheel_and_has_the_heading() -> None:
    text = (docs_folder() / "user-guide.md").read_text("utf-8")
    project = tomllib.loads((docs_folder().parent / "pyproject.toml").read_text("utf-8"))
    packed = project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
    assert "docs/user-guide.md" in packed
    for page, heading in re.findall(r"\]\(([\w-]*(?:\.md)?)(?:#([\w-]+))?\)", text):
        if page:
            assert f"docs/{page}" in packed
        target = text if not page else (docs_folder() / page).read_text("utf-8")
        if heading:
            assert heading in [slug(line.lstrip("# ")) for line in target.splitlines() if line.startswith("#")]
