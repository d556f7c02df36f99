"""The same picture, attribute, seed and path in both models, and their figures."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from latentlab.core.inversion import Inversion
from latentlab.core.requests import Decode, Done, Encode, Lane, Progress
from latentlab.core.spaces import LatentSpace
from latentlab.core.state import NamedLatent, Original
from latentlab.ui.compare.attribute_page import AttributePage
from latentlab.ui.compare.figures_page import FiguresPage
from latentlab.ui.compare.gaps_page import GapsPage
from latentlab.ui.compare.picture_page import PicturePage
from latentlab.ui.compare.samples_page import SamplesPage
from latentlab.ui.panels.compare import ComparePanel
from latentlab.ui.workspace import Workspace
from tests.ui.compare.conftest import Settled, asked, go_to, open_second
from tests.ui.conftest import CHECKPOINT, DIM, SECOND, FakeEngine, FakeJobs, picture_of, some_info

# --- the picture


def test_both_encode_the_current_picture_and_follow_it_live(
    both: ComparePanel, workspace: Workspace, engine: FakeEngine, settled: Settled
) -> None:
    page = both.pages["picture"]
    assert isinstance(page, PicturePage)
    latent = go_to(workspace, 2.0, -1.0)
    settled()
    np.testing.assert_array_equal(page.source.view.picture, picture_of(latent[None])[0])
    for side, checkpoint in (("first", CHECKPOINT), ("second", SECOND)):
        request = asked(engine, f"found/{side}")[-1]
        assert isinstance(request, Encode)
        assert request.checkpoint == checkpoint
        np.testing.assert_array_equal(request.images[0], picture_of(latent[None])[0])
    lanes = {lane for consumer, _, lane, _ in engine.requests if consumer.startswith("compare/")}
    assert lanes == {Lane.VISIBLE}, "the picture under the pointer goes first"
    assert "MSE 0.0100" in page.second.caption.text()


def test_a_picture_from_outside_is_the_one_both_reconstruct_until_it_is_edited(
    both: ComparePanel, workspace: Workspace, engine: FakeEngine, settled: Settled, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = both.pages["picture"]
    assert isinstance(page, PicturePage)
    image = np.full((8, 8, 3), 77, np.uint8)
    latent = np.full(8, 0.25, np.float32)
    workspace.go_to(latent, "me.png", Original(image, "me.png", latent, 0.0123))
    settled()
    np.testing.assert_array_equal(page.source.view.picture, image)
    assert "a picture of yours" in page.source.caption.text()
    assert "MSE 0.0123" in page.first.caption.text()
    assert "MSE 0.0100 ✓" in page.second.caption.text()
    np.testing.assert_array_equal(page.first.view.picture, picture_of(latent[None])[0])
    with monkeypatch.context() as larger:
        larger.setattr(page, "_of_second", lambda: (np.zeros((16, 16, 3), np.uint8), 0.01, ""))
        page.show_found()
        assert "MSE 0.0100" in page.second.caption.text()
        assert "✓" not in page.second.caption.text(), "a larger picture has more to get wrong"
    moved = replace(workspace.state, base=latent + 1)
    workspace.session.update(moved, "Move")
    workspace.decoding.submit("image", Decode(CHECKPOINT, moved.latent[None]), Lane.LIVE)
    settled()
    assert "drawn by the first model" in page.source.caption.text()


def test_a_second_model_that_is_slow_is_asked_when_the_picture_rests(
    both: ComparePanel, workspace: Workspace, engine: FakeEngine, qtbot: QtBot, settled: Settled
) -> None:
    finding = both.found["second"]
    finding._cost_ms = 300.0  # as its last reply said
    before = len(asked(engine, "found/second"))
    for value in (1.0, 2.0, 3.0):
        go_to(workspace, value)
        settled()
    assert len(asked(engine, "found/second")) == before
    qtbot.waitUntil(lambda: len(asked(engine, "found/second")) == before + 1)
    request = asked(engine, "found/second")[-1]
    assert isinstance(request, Encode)
    np.testing.assert_array_equal(request.images[0], picture_of(workspace.state.latent[None])[0])


def test_nothing_is_asked_while_the_panel_cannot_be_seen(
    both: ComparePanel, workspace: Workspace, engine: FakeEngine, settled: Settled
) -> None:
    both.hide()
    before = len(asked(engine, ""))
    workspace.decoding.submit("image", Decode(CHECKPOINT, np.ones((1, 8), np.float32)), Lane.LIVE)
    settled()
    assert len(asked(engine, "")) == before


def test_a_click_on_the_firsts_reconstruction_makes_it_current(
    both: ComparePanel, workspace: Workspace, settled: Settled
) -> None:
    page = both.pages["picture"]
    assert isinstance(page, PicturePage)
    QTest.mouseClick(page.first.view, Qt.MouseButton.LeftButton, pos=page.first.view.place.center())
    np.testing.assert_array_equal(workspace.state.latent, np.full(8, 0.5, np.float32))
    assert workspace.state.name == "#0, encoded"


def test_without_an_encoder_a_search_finds_the_picture_with_progress_and_cancel(
    panel: ComparePanel,
    workspace: Workspace,
    engine: FakeEngine,
    jobs: FakeJobs,
    path: Path,
    qtbot: QtBot,
    settled: Settled,
) -> None:
    engine.second = some_info(sha256=SECOND, encoder=False, invertible=True, family="dcgan")
    open_second(panel, path, qtbot, settled)
    page = panel.pages["picture"]
    assert isinstance(page, PicturePage)
    assert page.search.button.isVisible()
    assert not asked(engine, "found/second")
    QTest.mouseClick(page.search.button, Qt.MouseButton.LeftButton)
    job = jobs.started[0]
    assert job.arguments["path"] == str(path)
    np.testing.assert_array_equal(job.arguments["image"], page.source.view.picture)
    job.say(Progress(30, 300, "error 0.0400"))
    settled()
    assert (page.search.progress.value(), page.search.progress.maximum()) == (30, 300)
    QTest.mouseClick(page.search.cancel, Qt.MouseButton.LeftButton)
    settled()
    assert job.cancelled
    assert page.search.button.isVisible()
    QTest.mouseClick(page.search.button, Qt.MouseButton.LeftButton)
    latent, drawn = np.ones(8, np.float32), np.full((8, 8, 3), 50, np.uint8)
    assert page.source.view.picture is not None
    jobs.started[1].say(Done(Inversion(latent, page.source.view.picture, drawn, 0.02, 0.1, "prior", 300)))
    settled()
    np.testing.assert_array_equal(page.second.view.picture, drawn)
    assert "MSE 0.0200" in page.second.caption.text()
    assert not page.search.isVisible()
    go_to(workspace, 3.0)
    settled()
    assert page.second.caption.text() == "of the picture before"
    assert page.search.button.text() == "Search again"


# --- the attribute


def test_the_same_attribute_is_put_on_by_both_with_one_strength(
    both: ComparePanel, workspace: Workspace, engine: FakeEngine, settled: Settled
) -> None:
    both.choose("attribute")
    settled()
    page = both.pages["attribute"]
    assert isinstance(page, AttributePage)
    assert [page.choice.itemText(i) for i in range(page.choice.count())] == ["Eyeglasses", "Smiling"]
    page.choice.setCurrentIndex(1)
    page.choice.activated.emit(1)
    page.slider.typed.emit(0, 1.5)
    settled()
    assert (workspace.state.comparison.attribute, workspace.state.comparison.strength) == ("Smiling", 1.5)
    assert both.second.held is not None
    vectors = {"first": workspace.state.directions["Smiling"], "second": both.second.held.directions["Smiling"]}
    bases = {"first": workspace.state.latent, "second": np.full(8, 0.5, np.float32)}
    for side, direction in vectors.items():
        request = asked(engine, f"attribute/{side}")[-1]
        assert isinstance(request, Decode)
        np.testing.assert_allclose(request.latents[0], bases[side])
        np.testing.assert_allclose(request.latents[1], bases[side] + 1.5 * direction.vector, rtol=1e-6)
    assert page.cells["second", "after"].caption.text() == "+1.5 Smiling"
    workspace.session.undo()
    assert workspace.state.comparison.strength == 2.0


def test_models_that_share_no_attribute_say_so(
    panel: ComparePanel, engine: FakeEngine, path: Path, settled: Settled
) -> None:
    engine.second_encodings = None
    panel.second.open(path)
    settled()
    panel.choose("attribute")
    page = panel.pages["attribute"]
    assert isinstance(page, AttributePage)
    assert page.hint.isVisible()
    assert not page.slider.isVisible()


# --- samples


def test_samples_of_both_come_from_the_seed_of_the_samples_panel(
    both: ComparePanel, workspace: Workspace, engine: FakeEngine, settled: Settled, qtbot: QtBot
) -> None:
    both.choose("samples")
    settled()
    page = both.pages["samples"]
    assert isinstance(page, SamplesPage)
    count = len(page.sheets["first"].items)
    assert count == len(page.sheets["second"].items) >= 4
    page.draw_next()
    settled()
    assert workspace.state.samples.seed == 1
    for side, checkpoint in (("first", CHECKPOINT), ("second", SECOND)):
        request = asked(engine, f"samples/{side}")[-1]
        assert isinstance(request, Decode)
        assert request.checkpoint == checkpoint
        np.testing.assert_array_equal(request.latents, workspace.space.sample(count, 1, 1.0))
        assert all(page.sheets[side].picture(i) is not None for i in range(count))
    page.truncation_field.setValue(0.5)
    assert workspace.state.samples.truncation == 0.5
    page.sheets["first"].chosen.emit(2)
    assert workspace.state.name == "sample 2 of seed 1, truncation 0.5"


def test_a_conditional_second_draws_each_class_in_turn(
    panel: ComparePanel, engine: FakeEngine, path: Path, qtbot: QtBot, settled: Settled
) -> None:
    engine.second = some_info(sha256=SECOND, conditional=("low", "middle", "high"))
    open_second(panel, path, qtbot, settled)
    panel.choose("samples")
    settled()
    page = panel.pages["samples"]
    assert isinstance(page, SamplesPage)
    requests = asked(engine, "samples/second")
    labels = {request.condition.label for request in requests if request.condition is not None}
    assert labels == {0, 1, 2}
    sheet = page.sheets["second"]
    assert [item.name.rpartition(" ")[2] for item in sheet.items[:4]] == ["low", "middle", "high", "low"]
    assert all(sheet.picture(i) is not None for i in range(len(sheet.items)))


def test_a_prior_without_pictures_is_said(
    panel: ComparePanel, engine: FakeEngine, path: Path, qtbot: QtBot, settled: Settled
) -> None:
    engine.second = some_info(sha256=SECOND, spaces=(LatentSpace("z", (8,), "empirical"),))
    open_second(panel, path, qtbot, settled)
    panel.choose("samples")
    settled()
    page = panel.pages["samples"]
    assert isinstance(page, SamplesPage)
    assert page.sheets["second"].items == ()
    assert page.sheets["second"].hint == "Draws from this space are no pictures"
    assert page.sheets["first"].items


# --- gaps


def test_a_path_between_two_encodings_is_decoded_by_both(
    both: ComparePanel, workspace: Workspace, engine: FakeEngine, settled: Settled
) -> None:
    both.choose("gaps")
    settled()
    page = both.pages["gaps"]
    assert isinstance(page, GapsPage)
    end = NamedLatent(np.full(8, -1.0, np.float32), "there")
    workspace.change("Another end", comparison=replace(workspace.state.comparison, end=end))
    settled()
    first, second = asked(engine, "gaps/first")[-1], asked(engine, "gaps/second")[-1]
    assert isinstance(first, Decode)
    assert isinstance(second, Decode)
    np.testing.assert_allclose(first.latents[0], workspace.state.latent)
    np.testing.assert_allclose(first.latents[-1], end.latent)
    middle = (first.latents[0] + first.latents[-1]) / 2
    np.testing.assert_allclose(first.latents[(len(first.latents) - 1) // 2 :].min(axis=0), end.latent)
    assert np.isfinite(middle).all()
    assert second.checkpoint == SECOND
    far = asked(engine, "gaps/far")[-1]
    assert isinstance(far, Encode)
    np.testing.assert_array_equal(far.images[0], picture_of(end.latent[None])[0])
    assert len(page.sheets["first"].items) == len(first.latents)
    assert "× the mean" in page.captions["first"].text()
    assert "there" in page.between.text()
    encoded = len(asked(engine, "gaps/far"))
    both.resize(700, 700)
    page.show_state(workspace.state)
    settled()
    assert len(asked(engine, "gaps/first")[-1].latents) > len(first.latents)
    assert len(asked(engine, "gaps/far")) == encoded, "a longer path has the same end"
    page.another_end()
    assert workspace.state.comparison.end is not end


# --- figures


def test_figures_of_both_stand_side_by_side_with_the_better_one_marked(
    panel: ComparePanel, workspace: Workspace, engine: FakeEngine, path: Path, qtbot: QtBot, settled: Settled
) -> None:
    trained = {"data": "faces"}
    workspace.opened.info = some_info(training=trained, figures={"held_out": {"mse": 0.02}})
    engine.second = some_info(sha256=SECOND, training=trained, figures={"held_out": {"mse": 0.01}})
    open_second(panel, path, qtbot, settled)
    panel.choose("figures")
    settled()
    page = panel.pages["figures"]
    assert isinstance(page, FiguresPage)
    qtbot.waitUntil(lambda: page.table.rowCount() > 0)
    rows = {page.table.item(row, 0).text(): row for row in range(page.table.rowCount())}
    row = rows["Mean squared error ↓"]
    assert [page.table.item(row, column).text() for column in (1, 2)] == ["0.0200", "0.0100"]
    assert [page.table.item(row, column).font().bold() for column in (1, 2)] == [False, True]
    assert page.note.text().startswith("Both were trained on faces")
    picture = rows["Picture"]
    assert [page.table.item(picture, column).text() for column in (1, 2)] == ["8 × 8 RGB", "8 × 8 RGB"]


def test_the_figures_of_both_are_copied_as_a_table_for_a_spreadsheet(
    panel: ComparePanel, workspace: Workspace, engine: FakeEngine, path: Path, qtbot: QtBot, settled: Settled
) -> None:
    trained = {"data": "faces"}
    workspace.opened.info = some_info(training=trained, figures={"held_out": {"mse": 0.02}})
    engine.second = some_info(sha256=SECOND, training=trained, figures={"held_out": {"mse": 0.01}})
    open_second(panel, path, qtbot, settled)
    page = panel.pages["figures"]
    assert isinstance(page, FiguresPage)
    assert not page.copy_button.isEnabled()
    panel.choose("figures")
    qtbot.waitUntil(page.copy_button.isEnabled)
    page.copy("CSV")
    rows = list(csv.DictReader(io.StringIO(QGuiApplication.clipboard().text())))
    error = next(row for row in rows if row["path"] == "reconstruction.mse")
    assert panel.second.held is not None
    first, second = page.pair.first_name, panel.second.held.name
    assert (error[first], error[second], error["better"]) == ("0.02", "0.01", second)
    page.copy("text")
    assert "Mean squared error" in QGuiApplication.clipboard().text()


def test_the_figures_of_both_say_what_the_quality_panel_says_of_their_dimensions(
    panel: ComparePanel, workspace: Workspace, path: Path, qtbot: QtBot, settled: Settled
) -> None:
    """The KL of the encodings, not the one that training ended with: that was measured beside another prior."""
    encodings = workspace.opened.encodings
    assert encodings is not None
    workspace.opened.encodings = replace(encodings, kl_per_dimension=np.full(DIM, 0.5, np.float32))
    workspace.opened.info = some_info(figures={"held_out": {"kl": 9.0}})
    open_second(panel, path, qtbot, settled)
    panel.choose("figures")
    page = panel.pages["figures"]
    assert isinstance(page, FiguresPage)
    qtbot.waitUntil(lambda: page.table.rowCount() > 0)
    rows = {page.table.item(row, 0).text(): page.table.item(row, 1) for row in range(page.table.rowCount())}
    assert rows["KL divergence"].text() == "4 nats"
