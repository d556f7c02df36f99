"""The samples panel: draws by seed and truncation, chosen, kept, dragged out; and the strip that shows them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from latentlab.core.requests import Done
from latentlab.core.state import NamedLatent, SampleSheet
from latentlab.engine.edit_sheet import EditSheet
from latentlab.ui.latent_mime import LATENTS, packed, unpacked
from latentlab.ui.panels.samples import SamplesPanel
from latentlab.ui.sliders.row import tip_of
from latentlab.ui.tile_layout import TileLayout
from latentlab.ui.workspace import Workspace
from tests.ui.conftest import CHECKPOINT, DIM, FakeEngine, FakeJobs

LEFT, NO_KEY = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


@pytest.fixture
def panel(workspace: Workspace, qtbot: QtBot, follow: Callable[[SamplesPanel], None]) -> SamplesPanel:
    panel = SamplesPanel(workspace)
    qtbot.addWidget(panel)
    panel.resize(420, 220)
    panel.show()
    follow(panel)
    return panel


def test_a_layout_finds_its_own_tiles() -> None:
    tiles = TileLayout.wrapped(10, 300, 150, 60, margin=4)
    assert (tiles.columns, tiles.rows, tiles.rows_in(150)) == (4, 3, 2)
    assert tiles.rect(5).bottom() == pytest.approx(146)
    for index in range(10):
        assert tiles.index_at(tiles.rect(index).center()) == index
        assert tiles.insertion_at(tiles.rect(index).center() - QPointF(20, 0)) == index
    assert tiles.index_at(QPointF(1, 1)) == -1
    assert tiles.index_at(tiles.rect(9).center() + QPointF(tiles.side + 6, 0)) == -1
    assert tiles.insertion_at(QPointF(299, 500)) == 10
    row = TileLayout.in_a_row(3, 90, captioned=True)
    assert row.rect(2).right() == pytest.approx(row.width)


def test_the_sheet_is_the_prior_of_the_seed_decoded_in_one_batch(
    panel: SamplesPanel, workspace: Workspace, engine: FakeEngine, settled: Callable[[], None]
) -> None:
    count = len(panel.sheet.items)
    assert count >= 8
    consumer, request, lane, _ = engine.requests[-1]
    assert (consumer, lane.name) == ("samples/sheet", "VISIBLE")
    np.testing.assert_array_equal(request.latents, workspace.space.sample(count, 0, 1.0))
    settled()
    assert all(panel.sheet.picture(i) is not None for i in range(count))


def test_the_next_draw_is_the_next_seed_and_can_be_undone(panel: SamplesPanel, workspace: Workspace) -> None:
    first = panel.sheet.items[0].latent
    panel.draw_button.click()
    assert workspace.state.samples.seed == 1
    assert panel.seed_field.value() == 1
    assert not np.array_equal(panel.sheet.items[0].latent, first)
    workspace.session.undo()
    np.testing.assert_array_equal(panel.sheet.items[0].latent, first)


def test_draws_come_from_the_prior_or_from_around_encodings_and_can_be_undone(
    panel: SamplesPanel, workspace: Workspace
) -> None:
    first, count = panel.sheet.items[0].latent, len(panel.sheet.items)
    assert panel.way.currentText() == "From prior"
    panel.way.setCurrentIndex(1)
    panel.way.activated.emit(1)
    around_ND = workspace.space.sample(count, 0, around=True)
    np.testing.assert_array_equal([item.latent for item in panel.sheet.items], around_ND)
    assert not np.array_equal(around_ND[0], first)
    assert "mean of the encodings" in tip_of(panel.truncation.row(0), "rail", switchable=False)
    workspace.session.undo()
    np.testing.assert_array_equal(panel.sheet.items[0].latent, first)
    assert panel.way.currentText() == "From prior"


def test_without_encodings_there_is_nothing_to_choose(panel: SamplesPanel, workspace: Workspace) -> None:
    assert panel.way.isVisibleTo(panel)
    workspace.change("Samples", samples=replace(workspace.state.samples, around=True))
    workspace.opened = replace(workspace.opened, encodings=None)
    workspace.change("Seed", samples=replace(workspace.state.samples, seed=5))
    assert not panel.way.isVisibleTo(panel)
    np.testing.assert_array_equal(panel.sheet.items[0].latent, workspace.space.sample(1, 5)[0])


def test_a_measured_prior_is_drawn_around_encodings_unless_one_asks_for_the_prior(
    panel: SamplesPanel, workspace: Workspace
) -> None:
    plain = workspace.opened.info.spaces[0]
    measured = replace(plain, prior="empirical", std=np.ones(plain.dim, np.float32))
    info = replace(workspace.opened.info, spaces=(measured,))
    workspace.opened = replace(workspace.opened, info=info)
    workspace.change("Seed", samples=replace(workspace.state.samples, seed=5))
    assert panel.way.currentText() == "Around data"
    np.testing.assert_array_equal(panel.sheet.items[0].latent, workspace.space.sample(1, 5, around=True)[0])
    panel.way.activated.emit(0)
    np.testing.assert_array_equal(panel.sheet.items[0].latent, workspace.space.sample(1, 5, around=False)[0])


def test_a_seed_is_typed(panel: SamplesPanel, workspace: Workspace, qtbot: QtBot) -> None:
    panel.seed_field.setValue(1234)
    assert workspace.state.samples.seed == 1234
    np.testing.assert_array_equal(panel.sheet.items[2].latent, workspace.space.sample(3, 1234)[2])


def test_arrow_keys_step_the_truncation_and_are_one_step_to_undo(
    panel: SamplesPanel, workspace: Workspace, qtbot: QtBot
) -> None:
    for _ in range(2):
        qtbot.keyClick(panel.truncation, Qt.Key.Key_Left)
    assert workspace.state.samples.truncation == pytest.approx(0.9)
    workspace.session.undo()
    assert workspace.state.samples.truncation == 1.0


def test_the_rail_of_the_truncation_says_what_it_does(panel: SamplesPanel, workspace: Workspace) -> None:
    slider = panel.truncation
    said = tip_of(slider.row(0), "rail", switchable=False)
    assert said.startswith("Below 1 draws are more typical")
    assert "Double-click resets" in said
    space = workspace.opened.info.spaces[0]
    encodings = workspace.opened.encodings
    assert encodings is not None
    around = replace(space, prior="empirical").drawn_around(encodings.latents)
    workspace.opened.info = replace(workspace.opened.info, spaces=(around,))
    assert "blur into the mean of the encodings" in tip_of(slider.row(0), "rail", switchable=False)


def test_truncation_is_dragged_in_one_step_and_scales_the_draws(panel: SamplesPanel, workspace: Workspace) -> None:
    full = panel.sheet.items[0].latent
    slider = panel.truncation
    QTest.mousePress(slider.viewport(), LEFT, NO_KEY, slider.handle_position(0))
    for value in (0.8, 0.6, 0.5):
        QTest.mouseMove(slider.viewport(), slider.position_of(0, value))
    QTest.mouseRelease(slider.viewport(), LEFT, NO_KEY, slider.position_of(0, 0.5))
    psi = workspace.state.samples.truncation
    assert psi == pytest.approx(0.5, abs=0.03)
    np.testing.assert_allclose(panel.sheet.items[0].latent, psi * full, rtol=1e-5)
    assert len(workspace.session._undo) == 1
    slider.reset.emit(0)
    assert workspace.state.samples.truncation == 1.0
    slider.typed.emit(0, -4)
    assert workspace.state.samples.truncation == 0.0


def test_a_click_makes_a_sample_the_current_picture(panel: SamplesPanel, workspace: Workspace) -> None:
    where = panel.sheet.rect_of(3).center().toPoint()
    QTest.mouseClick(panel.sheet.viewport(), LEFT, NO_KEY, where)
    np.testing.assert_array_equal(workspace.state.latent, workspace.space.sample(4, 0)[3])
    assert workspace.state.name == "sample 3 of seed 0"
    assert panel.sheet.shown == 3


def test_the_star_keeps_a_sample_beyond_its_seed(panel: SamplesPanel, workspace: Workspace) -> None:
    chosen = panel.sheet.items[2].latent
    QTest.mouseClick(panel.sheet.viewport(), LEFT, NO_KEY, panel.sheet.badge_rect(2).center().toPoint())
    panel.draw_button.click()
    assert [item.name for item in workspace.state.samples.kept] == ["sample 2 of seed 0"]
    panel.kept_button.click()
    assert len(panel.sheet.items) == 1
    np.testing.assert_array_equal(panel.sheet.items[0].latent, chosen)
    QTest.mouseClick(panel.sheet.viewport(), LEFT, NO_KEY, panel.sheet.badge_rect(0).center().toPoint())
    assert workspace.state.samples.kept == ()
    assert not panel.kept_button.isChecked()
    assert len(panel.sheet.items) > 1
    workspace.session.undo()
    assert len(workspace.state.samples.kept) == 1


def test_the_keyboard_walks_chooses_and_keeps(panel: SamplesPanel, workspace: Workspace, qtbot: QtBot) -> None:
    panel.sheet.setFocus()
    qtbot.keyClick(panel.sheet, Qt.Key.Key_Right)
    qtbot.keyClick(panel.sheet, Qt.Key.Key_Return)
    assert workspace.state.name == "sample 1 of seed 0"
    qtbot.keyClick(panel.sheet, Qt.Key.Key_Down)
    qtbot.keyClick(panel.sheet, Qt.Key.Key_K)
    assert len(workspace.state.samples.kept) == 1
    assert "of" in panel.sheet.accessibleDescription()


def test_more_room_shows_more_samples(panel: SamplesPanel, qtbot: QtBot) -> None:
    few = [item.latent for item in panel.sheet.items]
    panel.resize(900, 420)
    qtbot.waitUntil(lambda: len(panel.sheet.items) > len(few))
    np.testing.assert_array_equal([item.latent for item in panel.sheet.items[: len(few)]], few)


def test_pictures_that_are_there_are_not_asked_for_again(
    panel: SamplesPanel, workspace: Workspace, engine: FakeEngine, settled: Callable[[], None], qtbot: QtBot
) -> None:
    def quiet() -> int:
        """How much has been asked for once the sheet has found its size."""
        settled()
        qtbot.waitUntil(lambda: not panel._resizing.isActive())
        settled()
        return len(engine.requests)

    before = quiet()
    panel.draw_button.click()
    asked = quiet()
    assert asked > before
    workspace.session.undo()
    assert quiet() == asked
    assert panel.sheet.picture(0) is not None


def test_what_is_dragged_out_can_be_dropped_in_and_nothing_of_another_model() -> None:
    item = NamedLatent(np.arange(DIM, dtype=np.float32), "sample 1")
    mime = packed([item], CHECKPOINT, "w")
    assert mime.hasFormat(LATENTS)
    carried = unpacked(mime, CHECKPOINT)
    assert carried is not None
    assert carried.space == "w"
    (back,) = carried.latents
    assert back.name == item.name
    np.testing.assert_array_equal(back.latent, item.latent)
    assert unpacked(mime, "another") is None
    damaged = (b'{"latent": ["a"]}', b"", b'{"name": "of a version without spaces", "latent": [1]}')
    documents = [b'{"checkpoint": "x", "latents": [%b]}' % row for row in damaged]
    for foreign in (b"", b"{", b"[]", b'{"checkpoint": "x"}', *documents):
        mime.setData(LATENTS, foreign)
        assert unpacked(mime, "x") is None


def test_the_sheet_is_one_widget(panel: SamplesPanel) -> None:
    panel.resize(1800, 1200)
    panel._fill()
    assert len(panel.sheet.items) > 200
    assert len(panel.findChildren(QWidget)) < 40


def test_drawing_any_state_writes_nothing_back(panel: SamplesPanel, workspace: Workspace) -> None:
    before = workspace.state
    old = before
    for sheet in (
        SampleSheet(seed=7, truncation=0.2),
        SampleSheet(kept=(NamedLatent(before.latent, "x"),)),
        SampleSheet(seed=2**31 - 1, truncation=9.0),
    ):
        new = replace(before, samples=sheet)
        panel.show_state(new, old)
        panel.grab()
        old = new
    assert workspace.state is before
    assert workspace.session.undo_label == ""


def test_a_sheet_is_saved_of_the_seed_or_of_the_kept_ones(
    panel: SamplesPanel,
    workspace: Workspace,
    jobs: FakeJobs,
    tmp_path: Path,
    settled: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def where(_parent: QWidget, _title: str, suggested: str, _kinds: str) -> tuple[str, str]:
        asked.append(Path(suggested).name)
        return str(tmp_path / "sheet"), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", where)
    workspace.change("Seed 3", samples=SampleSheet(seed=3, truncation=0.5))
    panel.save_button.click()
    first = jobs.started[-1]
    assert first.function == "latentlab.engine.edit_sheet:run"
    assert first.arguments["edit"] is None
    assert first.arguments["target"] == str(tmp_path / "sheet.png")
    np.testing.assert_array_equal(first.arguments["latents"], workspace.space.sample(64, 3, 0.5))
    panel.sheet.marked.emit(2)
    panel.kept_button.click()
    panel.save_sheet()
    np.testing.assert_array_equal(jobs.started[-1].arguments["latents"], [workspace.state.samples.kept[0].latent])
    assert asked == ["samples-seed-3.png", "kept-samples.png"]
    first.say(Done(EditSheet(str(tmp_path / "sheet.png"), 64, 1000)))
    settled()
    assert workspace.notices.log[-1].text == "Saved sheet.png: 64 samples of seed 3."


def test_a_hint_that_does_not_fit_is_not_shown_in_part(panel: SamplesPanel) -> None:
    panel.hint.show()
    panel.hint.resize(panel.hint.sizeHint().width() + 4, 16)
    whole = panel.hint.grab().toImage()
    panel.hint.resize(panel.hint.sizeHint().width() // 2, 16)
    part = panel.hint.grab().toImage()
    assert len({whole.pixel(x, y) for x in range(whole.width()) for y in range(16)}) > 1
    assert len({part.pixel(x, y) for x in range(part.width()) for y in range(16)}) == 1
    assert panel.hint.toolTip() == panel.hint.text()
