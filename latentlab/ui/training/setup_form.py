"""The form of a new run: what is asked most, the rest unfolded on request, and the same from a shell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QFileDialog,
    QFormLayout,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from latentlab.core.errors import LatentlabError
from latentlab.core.settings import Settings
from latentlab.core.trainer import TrainerEnded
from latentlab.core.training_offer import (
    AskedRun,
    TrainingOffer,
    TrainingOption,
    arguments_of,
    as_typed,
    explanation,
    settled_values,
    suggested_folder,
)
from latentlab.ui import theme
from latentlab.ui.choice_box import ChoiceBox
from latentlab.ui.space_key import leave_space
from latentlab.ui.tool_button import tool_button
from latentlab.ui.training.data_field import DataField
from latentlab.ui.training.more_options import MoreOptions
from latentlab.ui.training.option_field import OptionField
from latentlab.ui.training.training import Training

CHECK_MS = 350  # after the last letter
MOST_ASKED = ("--epochs", "--latent-dim", "--image-size", "--batch-size", "--seed", "--device")
OTHERWISE = {"--image-size": "the data's own", "--latent-dim": "as the family likes"}
RUNS = "latentlab-runs"  # a folder in the home folder, where runs are kept unless one says otherwise
NO_RECIPE = "None: good beginnings for family and data"
MOST_WIDTH_PX = 640
LABEL_PX = 76
SAID_AS = "--print-config"


class SetupForm(QWidget):
    """`begun` carries the arguments and the folder of the run that is to begin."""

    begun = Signal(object, object)

    def __init__(self, training: Training, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._training = training
        self._settings = settings
        self._offer: TrainingOffer | None = None
        self._checked = 0  # the newest question that was asked
        self._suggested = ""
        self._busy = ""
        self._check_soon = QTimer(self, singleShot=True, interval=CHECK_MS)
        self._check_soon.timeout.connect(self.check)
        self._build()
        self._lay_out()

    # --- the widgets

    def _build(self) -> None:
        self.recipe = _box("Recipe")
        self.recipe.activated.connect(lambda _: self._choose_recipe())
        self.family = _box("Family")
        self.family.activated.connect(lambda _: self._choose_family())
        self.data = DataField(self._settings.open_folder)
        self.data.changed.connect(self._change)
        self.root = QLineEdit()
        self.root.setAccessibleName("Where downloaded data lies")
        self.root.textEdited.connect(lambda _: self._change())
        self.root_row = _with_button(self.root, "Choose the folder", self._choose_root)
        self.out = QLineEdit()
        self.out.setAccessibleName("Folder of the run")
        self.out.setToolTip("A new folder: checkpoint, curves and sheets are kept there")
        self.out.textEdited.connect(lambda _: self._change())
        self.out_row = _with_button(self.out, "Choose where runs are kept", self._choose_out)
        self._build_foot()
        self.asked = {flag: OptionField(TrainingOption(flag=flag)) for flag in MOST_ASKED}
        self.chosen = QLabel()
        self.chosen.setProperty("role", "caption")
        self.chosen.setTextFormat(Qt.TextFormat.PlainText)
        self.chosen.setWordWrap(True)
        self.chosen.hide()
        self.more = MoreOptions()
        self.more.changed.connect(self._change)

    def _build_foot(self) -> None:
        self.command = QLabel()
        self.command.setTextFormat(Qt.TextFormat.PlainText)
        self.command.setWordWrap(True)
        self.command.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.command.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.command.setAccessibleName("The same from a shell")
        self.command.setStyleSheet(f"font-family: monospace; font-size: {theme.CAPTION_PX}px;")
        self.copy_button = tool_button("mdi6.content-copy", "Copy the command: the same from a shell")
        self.copy_button.clicked.connect(self._copy)
        self.error = QLabel()
        self.error.setProperty("role", "danger")
        self.error.setWordWrap(True)
        self.error.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.error.hide()
        self.start_button = QPushButton("Start training")
        self.start_button.setProperty("primary", True)
        self.start_button.clicked.connect(self.start)

    def _lay_out(self) -> None:
        self._form = QFormLayout()
        self._form.setSpacing(theme.GRID_PX)
        self._form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        for title, field in (
            ("Data", self.data),
            ("Kept in", self.root_row),
            ("Family", self.family),
            ("Recipe", self.recipe),
            ("Run folder", self.out_row),
        ):
            label = QLabel(title)
            label.setMinimumWidth(LABEL_PX)
            label.setBuddy(field)
            self._form.addRow(label, field)
        self._numbers = QGridLayout()
        self._numbers.setHorizontalSpacing(theme.GRID_PX)
        self._numbers.setVerticalSpacing(theme.GRID_PX)
        self._numbers.setColumnStretch(1, 1)
        self._numbers.setColumnStretch(3, 1)
        for place in (0, 2):
            self._numbers.setColumnMinimumWidth(place, LABEL_PX)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(theme.PADDING_PX, 4, theme.PADDING_PX, theme.PADDING_PX)
        column.setSpacing(theme.PADDING_PX)
        column.addLayout(self._form)
        column.addLayout(self._numbers)
        column.addWidget(self.chosen)
        column.addWidget(self.more)
        column.addStretch(1)
        inside.setMaximumWidth(MOST_WIDTH_PX)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inside)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        for ground in (area.viewport(), inside):
            ground.setAutoFillBackground(False)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(area, 1)
        whole.addWidget(self._foot())

    def _foot(self) -> QWidget:
        foot = QWidget()
        foot.setMaximumWidth(MOST_WIDTH_PX)
        shell = QHBoxLayout()
        shell.setSpacing(theme.GRID_PX)
        shell.addWidget(self.command, 1)
        shell.addWidget(self.copy_button, 0, Qt.AlignmentFlag.AlignTop)
        row = QHBoxLayout()
        row.addWidget(self.error, 1)
        row.addStretch()
        row.addWidget(self.start_button, 0, Qt.AlignmentFlag.AlignBottom)
        column = QVBoxLayout(foot)
        column.setContentsMargins(theme.PADDING_PX, theme.GRID_PX, theme.PADDING_PX, theme.PADDING_PX)
        column.setSpacing(theme.GRID_PX)
        column.addLayout(shell)
        column.addLayout(row)
        return foot

    # --- what there is

    def show_offer(self, offer: TrainingOffer) -> None:
        self._offer = offer
        self.family.clear()
        for family in offer.families:
            self.family.addItem(family.title, family.name)
        vae = self.family.findData("vae")
        self.family.setCurrentIndex(max(0, vae))
        with QSignalBlocker(self.data):
            self.data.offer(offer.data)
        for place, flag in enumerate(MOST_ASKED):
            option = next((one for one in offer.options if one.flag == flag), None)
            if option is not None:
                self._ask(place, option)
        leave_space(self)
        self._choose_family()

    def _ask(self, place: int, option: TrainingOption) -> None:
        self.asked[option.flag] = field = OptionField(option)
        field.changed.connect(self._change)
        row, column = divmod(place, 2)
        title = QLabel(option.title)
        title.setBuddy(field)
        self._numbers.addWidget(title, row, 2 * column)
        self._numbers.addWidget(field, row, 2 * column + 1)

    def _choose_family(self) -> None:
        offer = self._offer
        if offer is None:
            return
        name = self.family.currentData()
        chosen = self.recipe.currentData()
        self.recipe.clear()
        self.recipe.addItem(NO_RECIPE, "")
        for recipe in offer.recipes:
            if recipe.family == name:
                self.recipe.addItem(recipe.name, recipe.name)
                self.recipe.setItemData(self.recipe.count() - 1, recipe.title, Qt.ItemDataRole.ToolTipRole)
        self.recipe.setCurrentIndex(max(0, self.recipe.findData(chosen)))
        self._form.setRowVisible(self.recipe, self.recipe.count() > 1)
        hidden = (*MOST_ASKED, "--root")
        self.more.offer([option for option in offer.options_of(name) if option.flag not in hidden])
        self._change()

    def _choose_recipe(self) -> None:
        self.recipe.setToolTip(self.recipe.currentData(Qt.ItemDataRole.ToolTipRole) or "")
        self._change()

    # --- what is asked

    def show_busy(self, run: str) -> None:
        """Another run is trained: its name; empty when none is."""
        self._busy = run
        self.start_button.setEnabled(not run and self._offer is not None)
        self.start_button.setToolTip(f"{run} is being trained; pause it first" if run else "")

    def set_data(self, data: str) -> None:
        self.data.set_value(data)

    def asked_run(self) -> AskedRun:
        """What the form says."""
        fields = {flag: field.value for flag, field in self.asked.items()}
        root = {"--root": self.root.text().strip()} if not self.root_row.isHidden() else {}
        return AskedRun(
            family=str(self.family.currentData() or ""),
            data=self.data.value,
            out=self.out.text().strip(),
            recipe=str(self.recipe.currentData() or ""),
            download=self.data.downloads,
            values={**fields, **root, **self.more.values()},
        )

    def arguments(self) -> list[str]:
        assert self._offer is not None
        asked = self.asked_run()
        return arguments_of(asked, self._offer.options_of(asked.family))

    def _change(self) -> None:
        if self._offer is None:
            return
        self._form.setRowVisible(self.root_row, not self.data.download.isHidden())
        self.root.setPlaceholderText(str(self._runs_folder.parent / "latentlab-data"))
        if self.out.text().strip() in ("", self._suggested):
            family, data = str(self.family.currentData()), self.data.value
            self._suggested = str(suggested_folder(self._runs_folder, family, data))
            self.out.setText(self._suggested)
        if not self.root_row.isHidden() and not self.root.text():
            self.root.setText(self.root.placeholderText())
        self.command.setText(as_typed(self.arguments()))
        self.say("")
        self._check_soon.start()

    @property
    def _runs_folder(self) -> Path:
        return Path(self._settings.runs_folder) if self._settings.runs_folder else Path.home() / RUNS

    def check(self) -> None:
        """Asks the trainer what would hold where nothing is said, and whether it would refuse any of it."""
        asked = self.asked_run()
        if self._offer is None or not asked.data:
            return
        self._checked += 1
        number = self._checked
        arguments = [*self.arguments(), SAID_AS]
        self._training.ask(arguments, lambda ended, printed: self._take_checked(number, ended, printed))

    def _take_checked(self, number: int, ended: TrainerEnded, printed: str) -> None:
        if number != self._checked:
            return
        self.say(ended.text if ended.status else "")
        if ended.status:
            return
        try:
            settled = settled_values(printed)
        except LatentlabError as error:
            self.say(str(error))
            return
        self.chosen.setText(explanation(printed))
        self.chosen.setVisible(bool(self.chosen.text()))
        for flag, field in self.asked.items():
            field.settle(settled.get(field.option.name, ""), OTHERWISE.get(flag, ""))
        self.more.settle(settled)

    def say(self, text: str) -> None:
        """Why the trainer refuses what is asked, in its own words; empty where it does not."""
        self.error.setText(text)
        self.error.setVisible(bool(text))

    def start(self) -> None:
        if self._offer is None or self._busy:
            return
        out = self.out.text().strip()
        if not out:
            self.say("Say where the run is kept: choose a folder.")
            return
        folder = Path(out).expanduser().absolute()
        self.out.setText(str(folder))
        self._settings.runs_folder = str(folder.parent)
        self.begun.emit(self.arguments(), folder)

    def begin_anew(self) -> None:
        """The same form for another run: in a folder of its own."""
        self.out.clear()
        self._change()

    # --- buttons

    def _copy(self) -> None:
        if self._offer is not None:
            QGuiApplication.clipboard().setText(as_typed(self.arguments()))

    def _choose_out(self) -> None:
        parent = QFileDialog.getExistingDirectory(self, "Where runs are kept", str(self._runs_folder))
        if parent:
            self._settings.runs_folder = parent
            self.out.clear()
            self._change()

    def _choose_root(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Where downloaded data lies", self.root.text())
        if folder:
            self.root.setText(folder)
            self._change()


def _box(name: str) -> ChoiceBox:
    box = ChoiceBox()
    box.setAccessibleName(name)
    box.setMinimumContentsLength(8)
    box.setSizeAdjustPolicy(ChoiceBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return box


def _with_button(field: QWidget, tip: str, choose: Callable[[], None]) -> QWidget:
    """A field for a folder, with the button that opens a dialog to choose one."""
    button = tool_button("mdi6.folder-outline", tip)
    button.clicked.connect(lambda _=False: choose())
    both = QWidget()
    row = QHBoxLayout(both)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(4)
    row.addWidget(field, 1)
    row.addWidget(button)
    both.setFocusProxy(field)
    return both
