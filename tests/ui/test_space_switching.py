"""Two latent spaces in the window: z, which draws, and w, which the model takes z to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from latentlab.core.requests import Decode, Done, ToSpace
from latentlab.core.spaces import LatentSpace
from latentlab.core.state import Group
from latentlab.engine.map_making import Made
from latentlab.ui.main_window import MainWindow
from latentlab.ui.panels.map import MapPanel
from latentlab.ui.panels.samples import SamplesPanel
from latentlab.ui.panels.sliders import SlidersPanel
from latentlab.ui.panels.walk import WalkPanel
from latentlab.ui.workspace import OpenedModel
from tests.ui.conftest import DIM, FakeEngine, FakeJobs, deliver, mapped, picture_of, some_encodings, some_info
from tests.ui.two_spaces import DRAWS, switch, texts, two_spaces, with_two_spaces


@pytest.fixture
def two(window: MainWindow, engine: FakeEngine) -> MainWindow:
    return with_two_spaces(window, engine)


def last_live(engine: FakeEngine) -> Decode:
    return next(r for consumer, r, *_ in reversed(engine.requests) if consumer == "image" and isinstance(r, Decode))


def test_the_choice_is_beside_the_name_where_there_is_one(window: MainWindow, engine: FakeEngine) -> None:
    choice = window.menus.space_choice
    assert not choice.isVisible()
    engine.info = two_spaces()
    window.opening._show(OpenedModel(engine.info, some_encodings(50)), None)
    deliver()
    assert choice.isVisible()
    assert [choice.itemText(i) for i in range(choice.count())] == ["space z", "space w"]
    assert choice.currentText() == "space z"
    assert choice.accessibleName()


def test_the_same_picture_in_the_other_space_as_one_step(two: MainWindow, engine: FakeEngine) -> None:
    before = two.workspace.state
    switch(two, "w")
    state = two.workspace.state
    assert state.space == "w"
    assert np.array_equal(state.latent, mapped(before.latent[None])[0])
    assert state.name == before.name
    asked = last_live(engine)
    assert two.docks.panels["image"]._current is not None  # type: ignore[attr-defined]
    assert (asked.space, asked.checkpoint) == ("w", "two")
    assert np.array_equal(asked.latents[0], state.latent)
    shown = two.docks.panels["image"].view.picture  # type: ignore[attr-defined]
    assert np.array_equal(shown, picture_of(state.latent[None])[0])
    assert two.menus.space_choice.currentText() == "space w"
    assert two.workspace.session.undo_label == "Switch to w"
    two.workspace.session.undo()
    deliver()
    assert two.workspace.state is before
    assert last_live(engine).space == "z"
    assert two.menus.space_choice.currentText() == "space z"


def test_edits_are_in_the_picture_that_is_taken_along(two: MainWindow) -> None:
    add = two.workspace.state.directions["Eyeglasses"]
    two.commands._add_attribute("Eyeglasses")
    edited = two.workspace.state.latent
    assert add.space == "z"
    switch(two, "w")
    assert np.array_equal(two.workspace.state.latent, mapped(edited[None])[0])
    assert not two.workspace.state.strengths


def test_the_map_is_of_the_space_one_works_in(two: MainWindow, engine: FakeEngine) -> None:
    own = two.workspace.opened.encodings
    assert own is not None
    switch(two, "w")
    there = two.workspace.opened.encodings
    assert there is not None
    assert there.space == "w"
    assert np.array_equal(there.latents, mapped(own.latents))
    assert there.label_names == own.label_names
    panel = two.docks.panels["map"]
    assert isinstance(panel, MapPanel)
    assert panel.canvas.scene is not None
    assert {direction.space for direction in two.workspace.state.directions.values()} == {"w"}
    assert set(two.workspace.state.directions) == set(two.workspace.session._undo[-1][1].directions)
    asked = sum(isinstance(request, ToSpace) and len(request.latents) == 50 for _, request, *_ in engine.requests)
    switch(two, "z")
    assert two.workspace.opened.encodings is own
    assert {direction.space for direction in two.workspace.state.directions.values()} == {"z"}
    switch(two, "w")
    assert two.workspace.opened.encodings is there
    again = sum(isinstance(request, ToSpace) and len(request.latents) == 50 for _, request, *_ in engine.requests)
    assert (asked, again) == (1, 1)


def test_while_the_encodings_are_on_their_way_the_map_says_so(two: MainWindow, engine: FakeEngine) -> None:
    panel = two.docks.panels["map"]
    assert isinstance(panel, MapPanel)
    two.commands.spaces.switch("w")
    engine.hold = True  # the latent's answer is under way, that of the encodings waits
    deliver()
    assert two.workspace.state.space == "w"
    assert "being taken from z to w" in panel.canvas.hint
    assert not panel.offer.isVisible()
    two.workspace.session.undo()  # meanwhile one is back
    engine.release()
    deliver()
    assert two.workspace.opened.encodings is not None
    assert two.workspace.opened.encodings.space == "z"
    two.workspace.session.redo()
    deliver()
    assert two.workspace.opened.encodings.space == "w"
    two.opening.join()


def test_keyframes_wait_in_their_space(two: MainWindow, qtbot: QtBot) -> None:
    two.commands.add_keyframe()
    two.commands.add_keyframe()
    two.workspace.change("Select", groups=(Group("mine", np.arange(4)),))
    walk = two.docks.panel("walk")
    assert isinstance(walk, WalkPanel)
    switch(two, "w")
    assert two.workspace.state.walk.keyframes == ()
    assert [group.name for group in two.workspace.state.groups] == ["mine"]
    assert "2 keyframes in z" in walk.strip.hint
    assert any("2 keyframes in z" in text for text in texts(two))
    two.commands.add_keyframe()
    assert two.workspace.state.walk.keyframes[0].latent.tobytes() == two.workspace.state.latent.tobytes()
    switch(two, "z")
    assert len(two.workspace.state.walk.keyframes) == 2
    assert "1 keyframe in w" in walk.strip.hint


def test_back_where_no_way_leads_is_where_one_was(two: MainWindow) -> None:
    before = two.workspace.state.latent
    switch(two, "w")
    two.workspace.go_to(DRAWS[3], "elsewhere")
    switch(two, "z")
    assert np.array_equal(two.workspace.state.latent, before)
    assert any("no way from w to z: here is where you were in z" in text for text in texts(two))


def test_samples_and_sliders_are_of_the_space(two: MainWindow, engine: FakeEngine) -> None:
    samples, sliders = two.docks.panel("samples"), two.docks.panel("sliders")
    assert isinstance(samples, SamplesPanel)
    assert isinstance(sliders, SlidersPanel)
    switch(two, "w")
    drawn = samples.sheet.items
    z = two.workspace.opened.info.spaces[0]  # a seed is the same picture in both spaces
    assert np.array_equal([item.latent for item in drawn], mapped(z.sample(len(drawn), seed=0)))
    sheet = next(r for consumer, r, *_ in reversed(engine.requests) if consumer == "samples/sheet")
    assert isinstance(sheet, Decode)
    assert sheet.space == "w"
    two.commands.draw_sample()
    deliver()  # the way from z
    assert two.workspace.state.space == "w"
    drawn_seed = int(two.workspace.state.name.removeprefix("sample of seed "))
    assert np.array_equal(two.workspace.state.latent, mapped(z.sample(1, drawn_seed))[0])
    sliders.show_state(two.workspace.state, None)
    values = {round(sliders.list.row(row).value, 3) for row in range(DIM)}
    assert values == {round(float(value), 3) for value in two.workspace.state.latent}


def test_a_model_that_does_not_take_latents_along_begins_anew(two: MainWindow, engine: FakeEngine) -> None:
    engine.info = replace(engine.info, mappings=())  # the engine refuses, whatever was said of the model
    switch(two, "w")
    state = two.workspace.state
    assert state.space == "w"
    assert np.array_equal(state.latent, two.workspace.opened.info.spaces[1].sample(1, 0, 0.7)[0])
    assert any("no way from z to w" in text for text in texts(two))
    panel = two.docks.panels["map"]
    assert isinstance(panel, MapPanel)
    assert "could not be taken" in panel.canvas.hint
    assert two.workspace.opened.encodings is None


def test_a_step_made_meanwhile_is_not_lost(two: MainWindow) -> None:
    two.commands.spaces.switch("w")
    here = DRAWS[5].copy()
    two.workspace.go_to(here, "meanwhile")
    deliver()
    assert np.array_equal(two.workspace.state.latent, mapped(here[None])[0])
    two.opening.join()


def test_a_picture_is_encoded_into_the_space_of_the_encoder(two: MainWindow) -> None:
    switch(two, "w")
    image = two.docks.panels["image"]
    image.exchange._find_latent(np.zeros((8, 8, 3), np.uint8), "holiday.png")  # type: ignore[attr-defined]
    deliver()
    state = two.workspace.state
    assert (state.space, state.name) == ("z", "holiday.png")
    assert np.array_equal(state.latent, np.full(DIM, 0.5))
    assert two.workspace.opened.encodings is not None
    assert two.workspace.opened.encodings.space == "z"


def test_a_saved_picture_brings_its_space_along(two: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
    image = two.docks.panels["image"]
    two.commands._add_attribute("Smiling")
    deliver()
    saved, edited = tmp_path / "smile.png", two.workspace.state.latent
    image.exchange.save_to(saved, image.view.picture)  # type: ignore[attr-defined]
    switch(two, "w")
    with qtbot.waitSignal(image.exchange._read.arrived):  # type: ignore[attr-defined]
        image.exchange.read(str(saved))  # type: ignore[attr-defined]
    deliver()
    state = two.workspace.state
    assert (state.space, dict(state.strengths)) == ("z", {"Smiling": 2.0})
    assert np.array_equal(state.latent, edited)
    assert two.workspace.session.undo_label == "Restore smile.png"
    two.opening.join()


def test_an_inversion_goes_on_while_the_map_changes(two: MainWindow, jobs: FakeJobs) -> None:
    two.workspace.opened.info = replace(two.workspace.opened.info, encoder=False, invertible=True)
    image = two.docks.panels["image"]
    image.exchange._find_latent(np.zeros((8, 8, 3), np.uint8), "face.png")  # type: ignore[attr-defined]
    switch(two, "w")
    assert not jobs.started[-1].cancelled


def test_a_session_in_w_opens_in_w(two: MainWindow, engine: FakeEngine, tmp_path: Path) -> None:
    switch(two, "w")
    state = two.workspace.state
    engine.info = two_spaces()
    two.opening._show(OpenedModel(engine.info, some_encodings(50)), state)
    deliver()
    assert two.workspace.state.space == "w"
    assert two.workspace.opened.encodings is not None
    assert two.workspace.opened.encodings.space == "w"
    assert two.menus.space_choice.currentText() == "space w"


def test_a_map_made_while_in_w_is_one_of_w(two: MainWindow, jobs: FakeJobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_, **__: "pictures")
    switch(two, "w")
    two.commands.encode_folder()
    jobs.started[-1].say(Done(Made(some_encodings(30), "kept")))
    deliver()
    two.opening.join()
    deliver()
    there = two.workspace.opened.encodings
    assert there is not None
    assert (there.space, len(there)) == ("w", 30)


def test_it_can_be_switched_by_the_palette(two: MainWindow) -> None:
    command = next(c for c in two.commands.palette_commands() if c.text == "Switch to the latent space w")
    command.run()
    deliver()
    assert two.workspace.state.space == "w"
    two.opening.join()


def test_a_space_whose_draws_are_no_pictures_begins_with_pictures(
    window: MainWindow, engine: FakeEngine, qtbot: QtBot
) -> None:
    spatial = LatentSpace("spatial", (2, 2, 2), "empirical", np.zeros(DIM, np.float32), np.ones(DIM, np.float32))
    engine.info = some_info(sha256="kl", spaces=(spatial,))
    window.opening._show(OpenedModel(engine.info, None), None)
    deliver()
    state = window.workspace.state
    assert (state.space, state.name) == ("spatial", "the middle of spatial")
    samples, sliders = window.docks.panel("samples"), window.docks.panel("sliders")
    assert isinstance(samples, SamplesPanel)
    assert isinstance(sliders, SlidersPanel)
    assert samples.sheet.items == ()
    assert "encode a folder" in samples.sheet.hint
    window.commands.draw_sample()
    sliders.randomise()
    assert window.workspace.state is state
    notice = window.workspace.notices.shown[-1]
    assert notice.count == 2
    assert "no pictures" in notice.text
    assert [action.text for action in notice.actions] == ["Encode a folder…"]
    window.workspace.opened.info = replace(engine.info, encoder=False)
    samples.show_state(state, None)
    assert "folder" not in samples.sheet.hint
    window.commands.draw_sample()
    assert "no encoder" in window.workspace.notices.shown[-1].text
    assert not window.workspace.notices.shown[-1].actions
    window.opening._show(OpenedModel(engine.info, replace(some_encodings(20), space="spatial")), None)
    window.opening.join()
    deliver()
    assert any(np.array_equal(window.workspace.state.latent, row) for row in some_encodings(20).latents)
