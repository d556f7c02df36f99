"""Settings survive damage, other versions and their own mistakes, one value at a time."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from latentlab.core.errors import SaveError
from latentlab.core.settings import RECENT_LIMIT, Settings, config_folder, data_folder


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "settings.json"


def test_round_trip(file: Path) -> None:
    settings = Settings.load(file)
    assert settings.notes == []
    settings.theme = "light"
    settings.window_layout = "AAAA"
    settings.add_recent("/models/a.safetensors")
    settings.save()
    again = Settings.load(file)
    assert again.model_dump() == settings.model_dump()
    assert again.theme == "light"
    assert again.notes == []


def test_folders_follow_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATENTLAB_CONFIG_HOME", str(tmp_path / "deep" / "config"))
    monkeypatch.setenv("LATENTLAB_DATA_HOME", str(tmp_path / "data"))
    assert config_folder() == tmp_path / "deep" / "config"
    assert data_folder() == tmp_path / "data"
    Settings().save()
    assert (tmp_path / "deep" / "config" / "settings.json").exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe\x00", b"[" * 5000, b"null"])
def test_damaged_file_gives_defaults_and_keeps_a_backup(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    settings = Settings.load(file)
    assert settings.model_dump() == Settings().model_dump()
    assert len(settings.notes) == 1
    assert "damaged" in settings.notes[0]
    assert file.with_suffix(".backup.json").read_bytes() == content
    assert str(file.with_suffix(".backup.json")) in settings.notes[0]


def test_one_bad_value_is_dropped_alone(file: Path) -> None:
    document = {
        "theme": "pink",
        "device": "cuda",
        "recent": ["/a", 7, "/b", None],
        "snapshot_seconds": -1,
        "later": [1],
    }
    file.write_text(json.dumps(document))
    settings = Settings.load(file)
    assert settings.theme == "system"
    assert settings.device == "cuda"
    assert settings.recent == ["/a", "/b"]
    assert settings.snapshot_seconds == Settings().snapshot_seconds
    assert "theme = 'pink'" in settings.notes[0]
    assert "snapshot_seconds = -1" in settings.notes[0]
    assert json.loads(file.with_suffix(".backup.json").read_text()) == document


def test_unknown_keys_are_kept_and_written_back(file: Path) -> None:
    file.write_text(json.dumps({"theme": "dark", "of a later version": {"a": [1, 2]}}))
    settings = Settings.load(file)
    settings.device = "cpu"
    settings.save()
    written = json.loads(file.read_text())
    assert written["of a later version"] == {"a": [1, 2]}
    assert written["theme"] == "dark"
    assert settings.notes == []


@pytest.mark.parametrize(
    "document",
    [{"theme": "dark"}, {"editor.fontSize": 12, "files": {"recent": []}}, {}],
    ids=["older", "of another program", "empty"],
)
def test_what_is_not_there_has_its_default(file: Path, document: dict[str, object]) -> None:
    file.write_text(json.dumps(document))
    settings = Settings.load(file)
    assert settings.notes == []
    assert Settings().model_dump() | document == settings.model_dump()
    settings.save()
    assert document.items() <= json.loads(file.read_text()).items(), "what belongs to others stays"


def test_wrong_assignment_is_refused() -> None:
    settings = Settings()
    with pytest.raises(ValidationError):
        settings.theme = "pink"  # type: ignore[assignment]
    assert settings.theme == "system"


def test_recent_files_are_unique_newest_first_and_few(tmp_path: Path) -> None:
    settings = Settings()
    for number in range(RECENT_LIMIT + 3):
        settings.add_recent(tmp_path / f"{number}")
    settings.add_recent(tmp_path / "5")
    assert settings.recent[0] == str(tmp_path / "5")
    assert len(settings.recent) == len(set(settings.recent)) == RECENT_LIMIT
    settings.add_recent(tmp_path / "\udcff")
    assert settings.recent[0] == str(tmp_path / "5")


def test_folder_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("LATENTLAB_CONFIG_HOME", str(tmp_path / "file" / "config"))
    with pytest.raises(SaveError, match="LATENTLAB_CONFIG_HOME"):
        Settings().save()
    assert Settings.load().theme == "system"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file_is_said(file: Path) -> None:
    file.write_text("{}")
    file.chmod(0)
    settings = Settings.load(file)
    assert "cannot be read" in settings.notes[0]


def test_folder_in_place_of_the_file_is_said(file: Path) -> None:
    file.mkdir()
    settings = Settings.load(file)
    assert "cannot be read" in settings.notes[0]
