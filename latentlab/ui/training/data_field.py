"""What to train on: a name that the trainer knows, a folder of pictures or an .npz file."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QFileDialog, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from latentlab.core.training_offer import TrainingData
from latentlab.ui.choice_box import ChoiceBox
from latentlab.ui.tool_button import tool_button


class DataField(QWidget):
    changed = Signal()

    def __init__(self, folder: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._folder = folder  # where the dialogs begin
        self._known: dict[str, TrainingData] = {}
        self.box = ChoiceBox()
        self.box.setEditable(True)
        self.box.setInsertPolicy(ChoiceBox.InsertPolicy.NoInsert)
        self.box.setAccessibleName("Data")
        self.box.setMinimumContentsLength(8)
        line = self.box.lineEdit()
        assert line is not None
        line.setPlaceholderText("a name, a folder of pictures, or an .npz file")
        self.box.editTextChanged.connect(lambda _: self._show())
        self.folder_button = tool_button("mdi6.folder-image", "Choose a folder of pictures")
        self.folder_button.clicked.connect(self._choose_folder)
        self.file_button = tool_button("mdi6.file-table-outline", "Choose an .npz file")
        self.file_button.clicked.connect(self._choose_file)
        self.words = QLabel()
        self.words.setProperty("role", "caption")
        self.words.setWordWrap(True)
        self.download = QCheckBox("Download it where it is not on this machine yet")
        self.download.toggled.connect(lambda _: self.changed.emit())
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.box, 1)
        row.addWidget(self.folder_button)
        row.addWidget(self.file_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self.words)
        column.addWidget(self.download)
        self.setFocusProxy(self.box)
        self._show()

    @property
    def value(self) -> str:
        return self.box.currentText().strip()

    @property
    def downloads(self) -> bool:
        return self.download.isChecked() and not self.download.isHidden()

    def offer(self, data: tuple[TrainingData, ...]) -> None:
        said = self.value
        self._known = {one.name: one for one in data}
        self.box.clear()
        for place, one in enumerate(data):
            self.box.addItem(one.name)
            self.box.setItemData(place, one.title, Qt.ItemDataRole.ToolTipRole)
        self.box.setEditText(said or (data[0].name if data else ""))

    def set_value(self, value: str) -> None:
        self.box.setEditText(value)

    def _show(self) -> None:
        known = self._known.get(self.value)
        self.words.setText(known.title if known else "")
        self.words.setVisible(known is not None)
        self.download.setVisible(known is not None and known.downloaded)
        self.changed.emit()

    def _choose_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "A folder of pictures", self._folder)
        self._take(name)

    def _choose_file(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Pictures in one file", self._folder, "Pictures (*.npz)")
        self._take(name)

    def _take(self, name: str) -> None:
        if name:
            self._folder = str(Path(name).parent)
            self.set_value(name)
