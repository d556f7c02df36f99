"""The "+" of the attributes: every source, what it adds, what can be taken back, and what it says where it cannot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from latentlab.core.directions import Direction
from latentlab.core.registry import DIRECTION_SOURCES
from latentlab.core.requests import Decode, Done, JobFailed
from latentlab.core.spaces import LatentSpace
from latentlab.core.state import Group
from latentlab.core.unsupervised import Component
from latentlab.engine.folder_direction import FolderDirection
from latentlab.ui.directions.components_form import ComponentsForm
from latentlab.ui.directions.drawn_pictures import FromPictures
from latentlab.ui.directions.folder import FromFolder
from latentlab.ui.panels.attributes import AttributesPanel
from latentlab.ui.workspace import Workspace
from tests.ui.conftest import CHECKPOINT, DIM, FakeEngine, FakeJobs, some_info

LEFT, NO_KEY = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


@pytest.fixture
def panel(workspace: Workspace, qtbot: QtBot, follow: Callable[[AttributesPanel], None]) -> AttributesPanel:
    panel = AttributesPanel(workspace)
    qtbot.addWidget(panel)
    panel.resize(360, 640)
    panel.show()
    follow(panel)
    return panel


def components(panel: AttributesPanel, key: str, qtbot: QtBot) -> ComponentsForm:
    source = panel.adding.choose(key)
    assert isinstance(source, ComponentsForm)
    qtbot.waitUntil(lambda: bool(source.components))
    return source


def click(form: ComponentsForm, row: int) -> None:
    rect = form.list.visualItemRect(form.list.item(row))
    QTest.mouseClick(form.list.viewport(), LEFT, NO_KEY, rect.center())


def test_the_menu_lists_every_source(panel: AttributesPanel) -> None:
    assert [action.text() for action in panel.adding.menu.actions()] == [e.title for e in DIRECTION_SOURCES.values()]
    assert panel.adding.button.menu() is panel.adding.menu
    assert not panel.adding.isVisible()


def test_components_are_added_one_by_one_and_taken_away_again(
    panel: AttributesPanel, workspace: Workspace, qtbot: QtBot
) -> None:
    form = components(panel, "principal", qtbot)
    assert "60 encodings" in form.sentence.text()
    assert form.list.count() == DIM
    click(form, 1)
    encodings = workspace.opened.encodings
    assert encodings is not None
    pca = encodings.principal
    made = workspace.state.directions["PC 2"]
    np.testing.assert_allclose(made.vector, pca.components[1] * pca.sigma[1], rtol=1e-5)
    assert made.method.startswith("PCA, ")
    assert panel.list.row(2).caption == f"{made.method} · 60 examples"
    assert workspace.session.undo_label == "Add PC 2"
    form.list.setFocus()
    qtbot.keyClick(form.list, Qt.Key.Key_Up)
    qtbot.keyClick(form.list, Qt.Key.Key_Return)
    assert list(workspace.state.directions)[2:] == ["PC 2", "PC 1"]
    click(form, 1)
    assert list(workspace.state.directions)[2:] == ["PC 1"]
    workspace.session.undo()
    workspace.session.undo()
    assert list(workspace.state.directions)[2:] == ["PC 2"]
    qtbot.keyClick(form.list, Qt.Key.Key_Escape)
    assert not panel.adding.isVisible()


def test_a_component_shows_where_it_leads(
    panel: AttributesPanel, workspace: Workspace, engine: FakeEngine, qtbot: QtBot, settled: Callable[[], None]
) -> None:
    form = components(panel, "principal", qtbot)
    form.list.setCurrentRow(3)
    settled()
    consumer, request, lane, _ = engine.requests[-1]
    assert (consumer, lane.name) == ("attributes/components", "VISIBLE")
    assert isinstance(request, Decode)
    vector = form.components[3].direction.vector
    wanted = [workspace.state.latent + sigmas * vector for sigmas in (-3, -1.5, 0, 1.5, 3)]
    np.testing.assert_allclose([item.latent for item in form.preview.items], wanted, rtol=1e-5, atol=1e-6)
    assert all(form.preview.picture(i) is not None for i in range(5))
    form.preview.chosen.emit(4)
    np.testing.assert_allclose(workspace.state.latent, wanted[4], rtol=1e-5, atol=1e-6)


def test_stored_draws_are_said_to_have_no_components_worth_the_name(
    panel: AttributesPanel, workspace: Workspace, qtbot: QtBot
) -> None:
    assert workspace.opened.encodings is not None
    workspace.opened.encodings = replace(workspace.opened.encodings, samples=True)
    form = components(panel, "principal", qtbot)
    assert "varies alike in every direction" in form.sentence.text()


def test_without_encodings_the_draws_of_w_have_components(
    panel: AttributesPanel, workspace: Workspace, qtbot: QtBot
) -> None:
    draws = np.random.default_rng(0).standard_normal((200, DIM)).astype(np.float32) * np.arange(1, DIM + 1)
    w = LatentSpace("z", (DIM,), "empirical", draws.mean(0), draws.std(0), draws.astype(np.float32))
    workspace.opened.encodings = None
    workspace.opened.info = some_info(spaces=(w,), encoder=False)
    form = components(panel, "principal", qtbot)
    assert "200 draws" in form.sentence.text()
    assert "GANSpace" in form.sentence.text()
    workspace.opened.info = some_info()
    panel.adding.choose("principal")
    qtbot.waitUntil(lambda: "need encodings" in form.sentence.text())
    assert not form.list.isVisible()


def test_the_weights_give_directions_and_undo_takes_one_back(
    panel: AttributesPanel, workspace: Workspace, qtbot: QtBot
) -> None:
    form = components(panel, "weights", qtbot)
    click(form, 0)
    made = workspace.state.directions["SeFa 1"]
    np.testing.assert_allclose(made.vector, np.eye(DIM)[2], atol=1e-6)
    assert made.method == "SeFa, 67 % of the first layer"
    workspace.session.undo()
    assert "SeFa 1" not in workspace.state.directions


def test_a_model_whose_weights_say_nothing_says_so_in_the_form(
    panel: AttributesPanel, workspace: Workspace, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.no_weights = "Its first layer cannot be named."
    source = panel.adding.choose("weights")
    qtbot.waitUntil(lambda: source.sentence.text() == "Its first layer cannot be named.")
    assert isinstance(source, ComponentsForm)
    assert not source.list.isVisible()
    assert workspace.notices.log == []


def found_in_pictures(count: int = 3) -> tuple[Component, ...]:
    return tuple(
        Component(Direction(f"GANSpace {k + 1}", 3 * np.eye(DIM, dtype=np.float32)[k + 3], examples=900), 0.5 / (k + 1))
        for k in range(count)
    )


def test_components_of_pictures_are_found_by_a_job_and_kept(
    panel: AttributesPanel, workspace: Workspace, jobs: FakeJobs, settled: Callable[[], None]
) -> None:
    form = panel.adding.choose("pictures")
    assert isinstance(form, ComponentsForm)
    job = jobs.started[-1]
    assert job.function == "latentlab.engine.picture_components:run"
    assert (job.arguments["space"], job.arguments["checkpoint"]) == ("z", CHECKPOINT)
    assert "being decoded" in form.sentence.text()
    panel.adding.close_form()
    panel.adding.choose("pictures")
    assert jobs.started[-1] is job, "it is not begun twice"
    panel.setFocus()
    job.say(Done(found_in_pictures()))
    settled()
    assert "900 draws" in form.sentence.text()
    assert not form.list.hasFocus(), "somebody may be typing"
    click(form, 1)
    assert workspace.session.undo_label == "Add GANSpace 2"
    panel.adding.close_form()
    panel.adding.choose("pictures")
    assert jobs.started[-1] is job
    assert form.list.count() == 3


def test_components_of_pictures_that_cannot_be_had_say_why_and_can_be_asked_for_again(
    panel: AttributesPanel, workspace: Workspace, jobs: FakeJobs, settled: Callable[[], None]
) -> None:
    form = panel.adding.choose("pictures")
    jobs.started[-1].say(JobFailed("Draws of z are no pictures here."))
    settled()
    assert form.sentence.text() == "Draws of z are no pictures here."
    panel.adding.choose("pictures")
    assert len(jobs.started) == 2
    assert isinstance(form, FromPictures)
    assert form.job is not None
    form.job.cancel()
    settled()
    assert "Cancelled" in form.sentence.text()
    assert form.job is None


def test_components_of_pictures_of_another_model_are_not_waited_for(
    panel: AttributesPanel, workspace: Workspace, jobs: FakeJobs, settled: Callable[[], None]
) -> None:
    form = panel.adding.choose("pictures")
    job = jobs.started[-1]
    workspace.session.restart(replace(workspace.state, checkpoint="another"))
    settled()
    assert job.cancelled
    panel.adding.choose("pictures")
    assert jobs.started[-1] is not job
    assert isinstance(form, FromPictures)
    assert "being decoded" in form.sentence.text()


def test_another_model_closes_the_form(panel: AttributesPanel, workspace: Workspace, qtbot: QtBot) -> None:
    components(panel, "weights", qtbot)
    panel.show_model()
    assert not panel.adding.isVisible()
    components(panel, "principal", qtbot)
    workspace.session.update(replace(workspace.state, space="w"), "Switch")
    assert not panel.adding.isVisible()


def test_a_name_that_is_taken_gets_a_number(panel: AttributesPanel, workspace: Workspace) -> None:
    panel.editing.add([Direction("Smiling", np.ones(DIM, np.float32))], "Add Smiling")
    assert list(workspace.state.directions) == ["Eyeglasses", "Smiling", "Smiling 2"]


# --- a folder ------------------------------------------------------------------------------------------------------


@pytest.fixture
def folders(panel: AttributesPanel, monkeypatch: pytest.MonkeyPatch) -> Callable[..., FromFolder]:
    def start(*chosen: str) -> FromFolder:
        answers = list(chosen)
        monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_, **__: answers.pop(0))
        source = panel.adding.choose("folder")
        assert isinstance(source, FromFolder)
        for button, _ in zip((source.having_button, source.lacking_button), chosen, strict=False):
            button.click()
        return source

    return start


def made(name: str = "Hats") -> FolderDirection:
    vector = np.eye(DIM, dtype=np.float32)[5]
    direction = Direction(name, vector, method="two sets of pictures", examples=9, auc=0.9, checkpoint=CHECKPOINT)
    return FolderDirection(direction, 4, 5, ("broken.png: cannot be read",))


def test_two_folders_become_a_direction_as_a_job(
    panel: AttributesPanel, workspace: Workspace, jobs: FakeJobs, folders: Callable[..., FromFolder],
    settled: Callable[[], None],
) -> None:  # fmt: skip
    source = folders("/pictures/hats", "/pictures/bare")
    assert source.name.text() == "hats"
    source.name.setText("Hats")
    source.add.click()
    job = jobs.started[-1]
    assert job.function == "latentlab.engine.folder_direction:run"
    assert job.arguments["with_folder"] == str(Path("/pictures/hats"))
    assert job.arguments["without_folder"] == str(Path("/pictures/bare"))
    assert (job.arguments["name"], job.arguments["checkpoint"], job.arguments["against"]) == ("Hats", CHECKPOINT, None)
    assert not source.add.isEnabled()
    job.say(Done(made()))
    settled()
    assert workspace.state.directions["Hats"].examples == 9
    assert workspace.session.undo_label == "Add Hats"
    said = workspace.notices.log[-1]
    assert "4 pictures with it and 5 without" in said.text
    assert "AUC 0.90" in said.text
    assert [action.text for action in said.actions] == ["Which"]
    assert not panel.adding.isVisible()
    workspace.session.undo()
    assert "Hats" not in workspace.state.directions


def test_one_folder_stands_against_the_map(
    workspace: Workspace, jobs: FakeJobs, folders: Callable[..., FromFolder]
) -> None:
    source = folders("/pictures/hats")
    assert source.lacking_button.text() == "Everything on the map"
    source.encode()
    assert workspace.opened.encodings is not None
    np.testing.assert_array_equal(jobs.started[-1].arguments["against"], workspace.opened.encodings.latents)


def test_a_job_that_fails_or_is_cancelled_leaves_all_as_it_was(
    workspace: Workspace, jobs: FakeJobs, folders: Callable[..., FromFolder], settled: Callable[[], None]
) -> None:
    source = folders("/pictures/hats")
    before = workspace.state
    source.encode()
    jobs.started[-1].say(JobFailed("There is no picture in /pictures/hats."))
    settled()
    assert source.add.isEnabled()
    source.encode()
    assert source.job is not None
    source.job.cancel()
    settled()
    assert source.job is None
    assert workspace.state is before


def test_what_was_made_for_another_model_is_not_added(
    workspace: Workspace, jobs: FakeJobs, folders: Callable[..., FromFolder], settled: Callable[[], None]
) -> None:
    source = folders("/pictures/hats")
    source.encode()
    workspace.session.restart(replace(workspace.state, checkpoint="another"))
    before = workspace.state
    jobs.started[-1].say(Done(made()))
    settled()
    assert workspace.state is before
    assert "another model" in workspace.notices.log[-1].text


@pytest.mark.parametrize(
    ("parts", "said", "usable"),
    [
        ({"encoder": False, "invertible": False}, "cannot be searched for", False),
        ({"encoder": False, "invertible": True}, "up to 20 pictures", True),
        ({"path": ""}, "model.direction_from", False),
    ],
)
def test_what_a_folder_needs_is_said(
    panel: AttributesPanel, workspace: Workspace, parts: dict[str, object], said: str, usable: bool
) -> None:
    workspace.opened.info = some_info(**parts)
    source = panel.adding.choose("folder")
    assert isinstance(source, FromFolder)
    assert said in source.sentence.text()
    assert source.fields.isVisible() == usable
    assert not source.add.isEnabled()


def test_without_encodings_a_second_folder_is_needed(workspace: Workspace, folders: Callable[..., FromFolder]) -> None:
    workspace.opened.encodings = None
    source = folders("/pictures/hats")
    assert "second folder" in source.sentence.text()
    assert not source.add.isEnabled()


def test_directions_are_loaded_from_the_menu(
    panel: AttributesPanel, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel.editing.save_to(tmp_path / "mine.json")
    panel.editing.delete("Smiling")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, **__: (str(tmp_path / "mine.json"), ""))
    panel.adding.choose("file")
    assert list(workspace.state.directions) == ["Eyeglasses", "Smiling"]
    assert not panel.adding.isVisible()


def test_groups_may_come_while_the_form_is_open(panel: AttributesPanel, workspace: Workspace) -> None:
    source = panel.adding.choose("selection")
    assert "hold Shift" in source.sentence.text()
    workspace.change("Select", groups=(Group("some", np.arange(10)),))
    assert not source.sentence.isVisible()


def test_a_long_folder_name_widens_nothing(panel: AttributesPanel, folders: Callable[..., FromFolder]) -> None:
    wide = panel.adding.choose("folder").minimumSizeHint().width()
    source = folders("/pictures/" + "people in hats " * 9, "/pictures/bare")
    assert source.minimumSizeHint().width() == wide
    assert "…" in source.having_button.text()
    assert "people in hats people in hats" in source.having_button.toolTip()
