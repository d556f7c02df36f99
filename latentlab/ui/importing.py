"""Importing: what has to be asked of a person before, or after, a file of someone else opens."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QMessageBox, QPushButton, QWidget

from latentlab.core.atomic import displayed
from latentlab.core.errors import LatentlabError
from latentlab.core.readings import Guess, answers_path, in_words, remember
from latentlab.core.requests import Decode, Decoded, JobFailed, Lane
from latentlab.ui.import_form import ImportForm
from latentlab.ui.latent_size_form import LatentSizeForm
from latentlab.ui.notices import Action, Notice
from latentlab.ui.opening import Opening
from latentlab.ui.running import RunningJob
from latentlab.ui.workspace import Workspace

GUESSING = "latentlab.formats.guessing:run"
LIKELIEST = "importing/likeliest"  # the consumer of its samples
SAMPLES = 4  # as the job draws them


class Importing(QObject):
    """Asks how a file is read that does not say it, and whether one that can run code is trusted."""

    def __init__(self, workspace: Workspace, opening: Opening, window: QWidget) -> None:
        super().__init__(window)
        self._workspace = workspace
        self._opening = opening
        self._window = window
        self.form: ImportForm | None = None
        self._job: RunningJob | None = None  # what draws its samples
        self.box: TrustBox | None = None
        self._ticket = -1  # of the likeliest reading's samples
        self.size_form: LatentSizeForm | None = None
        self._sized: tuple[str, str] | None = None  # a file, and the size that was said of it
        self._left: Notice | None = None  # that it was left at the likeliest
        workspace.decoding.decoded.connect(self._take_likeliest)
        opening.opened.connect(self._offer)
        opening.shown.connect(self._close_form)
        opening.trust_wanted.connect(self._ask_trust)
        opening.latent_wanted.connect(self._ask_size)

    # --- how it is read

    def _offer(self) -> None:
        """The likeliest guess is on screen already; the question comes with it."""
        self._remember_size()
        if self._workspace.opened.info.guessed and self.form is None:
            self.choose_reading()

    def choose_reading(self) -> None:
        """Asks with pictures, which a job draws one reading after the other."""
        opened = self._workspace.opened
        info = opened.info
        if not info.reading or not info.path:
            self._workspace.notices.info("This file says itself how it is read, so there is nothing to choose.")
            return
        self._close_form()
        form = ImportForm(Path(info.path), dict(info.reading), self._window)
        request = opened.request
        arguments = {"path": info.path, "trust": request.trust, "options": dict(request.options)}
        job = self._workspace.running.start("Reading the file", GUESSING, arguments)
        job.partial.connect(lambda guess: form.add(guess) if form is self.form else None)
        job.progress.connect(lambda progress: form.show_progress(progress) if form is self.form else None)
        job.done.connect(lambda _count: self._finish(form))
        job.failed.connect(lambda failure: self._finish(form, failure))
        form.chosen.connect(self._take)
        form.rejected.connect(self._leave)
        form.finished.connect(lambda _result: self._forget(form))
        self.form, self._job = form, job
        form.open()
        if info.guessed:
            self._ask_for_likeliest()

    def _ask_for_likeliest(self) -> None:
        """The engine has it open: its card need not wait for a process that takes what others leave of the machine."""
        opened = self._workspace.opened.info
        space = opened.spaces[0]
        request = Decode(opened.sha256, space.sample(SAMPLES, seed=0), space.name)
        self._ticket = self._workspace.decoding.submit(LIKELIEST, request, Lane.VISIBLE)

    def _take_likeliest(self, reply: Decoded) -> None:
        if self.form is not None and (reply.consumer, reply.ticket) == (LIKELIEST, self._ticket):
            known = self._workspace.opened.info.reading
            activation, output, picture = (known.get(name, "") for name in ("activation", "range", "picture"))
            self.form.add(Guess(activation, output, reply.images, picture))

    def _finish(self, form: ImportForm, failure: JobFailed | None = None) -> None:
        if form is self.form:
            self._job = None
            form.finish(f"The samples could not be drawn: {failure.message}" if failure else "")

    def _forget(self, form: ImportForm) -> None:
        if form is self.form:
            self.form = None
            self._cancel()

    def _cancel(self) -> None:
        job, self._job = self._job, None
        if job is not None:
            job.cancel()

    def _close_form(self) -> None:
        """Another model, or another reading: the question was about the one before."""
        if self._left is not None:
            self._workspace.notices.dismiss(self._left)
            self._left = None
        if self.form is not None:
            form, self.form = self.form, None
            self._cancel()
            form.rejected.disconnect(self._leave)
            form.reject()

    def _take(self, guess: Guess) -> None:
        info = self._workspace.opened.info
        self._opening.reread(guess.reading)
        latent = info.reading.get("latent", "")
        self._keep(Path(info.path), guess.activation, guess.range, latent, guess.picture)

    def _keep(self, path: Path, activation: str = "", output: str = "", latent: str = "", picture: str = "") -> None:
        notices = self._workspace.notices
        try:
            kept = remember(path, activation, output, latent, picture)
        except LatentlabError as error:
            notices.report(error)
            return
        if kept != answers_path(path):
            notices.info(f"{displayed(path.parent)} cannot be written to; the choice is kept as {displayed(kept)}.")

    def _leave(self) -> None:
        info = self._workspace.opened.info
        if info.guessed:
            again = Action("Choose from pictures…", self.choose_reading)
            self._left = self._workspace.notices.info(f"Read as the likeliest guess: {in_words(info.reading)}.", again)

    # --- how large its latents are

    def _ask_size(self, path: str, message: str) -> None:
        form = LatentSizeForm(Path(path), message, self._window)
        form.chosen.connect(lambda size: self._take_size(path, size))
        form.rejected.connect(lambda: self._opening.refuse(path, message))
        form.finished.connect(lambda _result: setattr(self, "size_form", None))
        self.size_form = form
        form.open()

    def _take_size(self, path: str, size: str) -> None:
        self._sized = (path, size)
        self._opening.say_latent(path, size)

    def _remember_size(self) -> None:
        """Once it has opened with it."""
        sized, self._sized = self._sized, None
        if sized is not None and self._workspace.opened.info.path == sized[0]:
            self._keep(Path(sized[0]), latent=sized[1])

    # --- whether it is trusted

    def _ask_trust(self, path: str, message: str) -> None:
        box = TrustBox(path, message, self._window)
        box.finished.connect(lambda _result: self._answer_trust(box, path, message))
        self.box = box
        box.open()

    def _answer_trust(self, box: TrustBox, path: str, message: str) -> None:
        self.box = None
        if box.clickedButton() is box.trust_button:
            self._opening.trust(path)
        else:
            self._opening.refuse(path, message)


class TrustBox(QMessageBox):
    """Whether to open a file that can run code. The answer is no unless a person says otherwise, each time anew."""

    def __init__(self, path: str, message: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("A file that can run code")
        self.setIcon(QMessageBox.Icon.Warning)
        self.setTextFormat(Qt.TextFormat.PlainText)
        name = displayed(Path(path).name)
        self.setText(f"Do you trust {name}?")
        what = message.replace(displayed(Path(path)), name).partition(". ")[0].rstrip(".")
        self.setInformativeText(
            f"{what}.\n\nWhoever made this file decides what happens when it is opened: it could read, change or "
            "send your files. Open it only if you know where it comes from. The answer holds for this opening alone."
        )
        self.refuse_button = self._button("Do not open", QMessageBox.ButtonRole.RejectRole)
        self.trust_button = self._button("Trust it and open", QMessageBox.ButtonRole.AcceptRole)
        self.setDefaultButton(self.refuse_button)
        self.setEscapeButton(self.refuse_button)

    def _button(self, text: str, role: QMessageBox.ButtonRole) -> QPushButton:
        button = QPushButton(text)
        self.addButton(button, role)
        return button
