"""From components of pictures: along what those of draws vary most (GANSpace, Härkönen et al. 2020). As a job."""

from __future__ import annotations

from typing import Any

from latentlab.core.requests import JobFailed
from latentlab.core.state import State
from latentlab.core.unsupervised import Component
from latentlab.ui.directions.components_form import ComponentsForm
from latentlab.ui.running import RunningJob

FUNCTION = "latentlab.engine.picture_components:run"
TITLE = "Components of pictures"
WAIT = "Draws are being decoded; the status line says how far, and cancels."
CANCELLED = "Cancelled. Choose it again from Add to begin anew."
SAID = "Along what the pictures of {count:,} draws vary most, with the share of their variance. No label is needed."


class FromPictures(ComponentsForm):
    """What was found is kept until another model, space or condition comes."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.job: RunningJob | None = None
        self._asked: tuple[object, ...] = ()  # what the components, or the job that runs, are of

    def begin(self) -> None:
        self.remember_place()
        state, opened = self.workspace.state, self.workspace.opened
        asked = _place(state)
        if asked == self._asked:  # it runs already, or is there
            return
        if self.job is not None:
            self.job.cancel()
        self._asked = asked
        self.show_nothing(WAIT)
        arguments = {
            "path": opened.info.path,
            "space": state.space,
            "condition": state.condition,
            "checkpoint": opened.info.sha256,
            **opened.for_jobs,
        }
        self.job = job = self.workspace.running.start(TITLE, FUNCTION, arguments)
        job.done.connect(lambda components: self._take(components, asked))
        job.failed.connect(lambda failure: self._take_failure(failure, asked))
        job.cancelled.connect(lambda: self._give_up(CANCELLED, asked))

    def show_state(self, new: State) -> None:
        if (new.checkpoint, new.space) != self._asked[:2] and self.job is not None:
            self.job.cancel()
        super().show_state(new)

    def _take(self, components: tuple[Component, ...], asked: tuple[object, ...]) -> None:
        if asked != self._asked:
            return
        self.job = None
        self.say(SAID.format(count=components[0].direction.examples if components else 0))
        self.show_components(components, TITLE, focus=False)  # somebody may be at work elsewhere by now

    def _take_failure(self, failure: JobFailed, asked: tuple[object, ...]) -> None:
        self._give_up(failure.message, asked)

    def _give_up(self, sentence: str, asked: tuple[object, ...]) -> None:
        if asked == self._asked:
            self.job = None
            self._asked = ()
            self.show_nothing(sentence)


def _place(state: State) -> tuple[object, ...]:
    return (state.checkpoint, state.space, state.condition)
