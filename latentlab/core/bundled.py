"""The models and the documentation that travel with latentlab."""

from __future__ import annotations

from pathlib import Path

# The first is what the window opens with; the others follow by name.
DEFAULT = "faces-vae-128.safetensors"


def assets_folder() -> Path:
    """Inside the package once installed from a wheel, beside it in a checkout."""
    return _travelling("assets")


def docs_folder() -> Path:
    """Likewise; a wheel holds the pages that the user guide leads to."""
    return _travelling("docs")


def _travelling(name: str) -> Path:
    package = Path(__file__).resolve().parent.parent
    inside = package / name
    return inside if inside.is_dir() else package.parent / name


def bundled_models() -> list[Path]:
    """The default first; empty where the assets are missing."""
    return sorted(assets_folder().glob("*.safetensors"), key=lambda path: (path.name != DEFAULT, path.name))


def bundled_named(path: Path) -> Path:
    """A bundled model where its bare name is meant (`faces-vae`) and nothing of that name lies here; else the path."""
    named = {model.stem: model for model in bundled_models()}.get(str(path))
    return path if named is None or path.exists() else named
