"""Compare: a second checkpoint beside the first. The same picture, attribute and seed in both, and their figures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtGui import QDragEnterEvent, QDropEvent, QShowEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QSizePolicy, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from latentlab.core.requests import Decoded, Encoded
from latentlab.core.state import Aspect, State
from latentlab.ui import theme
from latentlab.ui.compare.attribute_page import AttributePage
from latentlab.ui.compare.figures_page import FiguresPage
from latentlab.ui.compare.finding import Finding
from latentlab.ui.compare.gaps_page import GapsPage
from latentlab.ui.compare.heads import Empty, Heads, OpeningLine, choose_file
from latentlab.ui.compare.page import Page
from latentlab.ui.compare.pair import Pair
from latentlab.ui.compare.picture_page import PicturePage
from latentlab.ui.compare.samples_page import SamplesPage
from latentlab.ui.panel import Panel
from latentlab.ui.picture_exchange import is_picture
from latentlab.ui.workspace import Workspace

ASPECTS: dict[Aspect, tuple[str, str, type[Page]]] = {
    "picture": ("Picture", "The current picture, encoded and decoded again by both", PicturePage),
    "attribute": ("Attribute", "The same attribute put on the same picture by both", AttributePage),
    "samples": ("Samples", "Draws of both from the same seed", SamplesPage),
    "gaps": ("Gaps", "A straight path between two encodings, decoded by both: holes show", GapsPage),
    "figures": ("Figures", "What was measured of both", FiguresPage),
}


class ComparePanel(Panel):
    key = "compare"

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace, parent)
        self.setAcceptDrops(True)
        self.pair = Pair(workspace, self.key, self)
        self.second = self.pair.second
        self.found = {side: Finding(self.pair, f"found/{side}", side, self) for side in ("first", "second")}
        self._drawn: State | None = None
        self._shown = ""  # what stands in the columns, as far as the pages know
        self.heads = Heads(self.pair)
        self.empty = Empty(self.pair)
        self.opening = OpeningLine()
        self.pages: dict[Aspect, Page] = {
            aspect: kind(self.pair, self.found) for aspect, (_, _, kind) in ASPECTS.items()
        }
        self.buttons: dict[Aspect, QToolButton] = {}
        self._build()
        self._connect()
        self.empty.show_models()
        self._show_columns()

    def _build(self) -> None:
        self.choice = QWidget()
        row = QHBoxLayout(self.choice)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        self._group = QButtonGroup(self)
        for number, (aspect, (title, tip, _)) in enumerate(ASPECTS.items()):
            button = QToolButton()
            button.setText(title)
            button.setToolTip(tip)
            button.setAccessibleName(f"Compare: {title}")
            button.setCheckable(True)
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            self._group.addButton(button, number)
            self.buttons[aspect] = button
            row.addWidget(button)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.empty)
        for page in self.pages.values():
            self.stack.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.PADDING_PX, theme.GRID_PX, theme.PADDING_PX, theme.GRID_PX)
        column.setSpacing(theme.GRID_PX)
        column.addWidget(self.choice)
        column.addWidget(self.heads)
        column.addWidget(self.opening)
        column.addWidget(self.stack, 1)

    def _connect(self) -> None:
        self._group.idClicked.connect(lambda number: self.choose(list(ASPECTS)[number]))
        self.opening.cancelled.connect(self.second.close)
        self.second.waiting.connect(lambda: self.opening.show_opening(self.second.opening))
        self.second.changed.connect(self._show_models)
        self.pair.current.changed.connect(self._show_source)
        for finding in self.found.values():
            finding.changed.connect(self._show_found)

    @property
    def aspect(self) -> Aspect:
        return self.workspace.state.comparison.aspect

    @property
    def page(self) -> Page:
        return self.pages[self.aspect]

    # --- what the window calls

    def show_model(self) -> None:
        self._drawn = None
        self.pair.current.forget()
        self._show_models()

    def show_state(self, new: State, old: State | None) -> None:
        drawn, self._drawn = (None if old is None else self._drawn), new
        self.second.follow(new.comparison)
        if drawn is None or new.comparison.aspect != drawn.comparison.aspect:
            self._show_columns()
        self.pair.current.follow(new)
        self._draw()

    def show_decoded(self, reply: Decoded) -> None:
        _, _, place = reply.consumer.partition("/")
        aspect, _, detail = place.partition("/")
        for known, page in self.pages.items():
            if known == aspect and self.second.held is not None:
                page.take(detail, reply)

    def show_encoded(self, reply: Encoded) -> None:
        place = reply.consumer.partition("/")[2]
        for side, finding in self.found.items():
            if place == f"found/{side}":
                finding.take(reply)
        gaps = self.pages["gaps"]
        if isinstance(gaps, GapsPage) and place == "gaps/far":
            gaps.far.take(reply)

    def show_theme(self) -> None:
        for page in self.pages.values():
            page.show_theme()

    # --- inside

    def _show_models(self) -> None:
        """Another model in one of the columns, or attributes that were fitted meanwhile."""
        held, first = self.second.held, self.workspace.opened.info
        shown = f"{first.sha256} {held.info.sha256 if held is not None else ''}"
        self.heads.show_models()
        self.empty.show_models()
        if shown != self._shown:
            self._shown = shown
            for finding in self.found.values():
                finding.forget()
            for page in self.pages.values():
                page.show_models()
        self._show_columns()
        self._draw()

    def _show_columns(self) -> None:
        there = self.second.held is not None
        self.choice.setVisible(there)
        self.heads.setVisible(there)
        self.stack.setCurrentWidget(self.page if there else self.empty)
        self.buttons[self.aspect].setChecked(True)
        self.first_focus = self.buttons[self.aspect] if there else self.empty.buttons[0]

    def _draw(self) -> None:
        """The page in sight, and what the models make of the current picture where it wants that."""
        if self.second.held is None or self._drawn is None:
            return
        self._look()
        self.page.show_state(self._drawn)

    def _look(self) -> None:
        source = self.pair.source
        if source is None or not self.page.finds:
            return
        self.found["second"].look_for(source.image, self.pair.condition("second"))
        if self.aspect == "picture" and not source.outside:
            self.found["first"].look_for(source.image, source.condition)

    def _show_source(self) -> None:
        if self.isVisible():
            self._draw()

    def _show_found(self) -> None:
        if self.second.held is not None:
            self.page.show_found()

    # --- what a person does

    def choose_file(self) -> None:
        """Any checkpoint that opens, as the second model."""
        choose_file(self.pair, self)

    def choose(self, aspect: Aspect) -> None:
        """Looks at another aspect of the two."""
        comparison = self.workspace.state.comparison
        if aspect != comparison.aspect:
            title = ASPECTS[aspect][0]
            self.workspace.change(f"Compare {title.lower()}", comparison=replace(comparison, aspect=aspect))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._draw()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """A second checkpoint, or a picture for both."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if is_picture(event.mimeData().urls()[:1]):
            self.command_wanted.emit(f"picture:{paths[0]}")  # encoded where it always is, and compared here
        elif paths:
            self.second.open(paths[0])
