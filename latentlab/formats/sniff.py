"""What a file is, by its content alone: never by its ending, and without running or unpacking any of it.

Nothing here imports torch, so that a refusal costs milliseconds.
"""

from __future__ import annotations

import difflib
import stat
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.core.atomic import displayed
from latentlab.core.bundled import bundled_models, bundled_named
from latentlab.core.errors import CheckpointError
from latentlab.core.model_folders import weights_in

HEAD_BYTES = 4096
WEB = ("http:", "https:", "ftp:", "s3:", "hf:")
LEGACY_TORCH = bytes.fromhex("80028a0a6cfc9c46f9206aa850192e")
TORCH_TENSORS = "torch zip", "legacy torch"  # weights that torch reads without running code
WEIGHTS = (*TORCH_TENSORS, "safetensors")
PROGRAMS = "torchscript", "pt2"  # opened only where the user trusts them

PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*")
REASONS = {
    "torchscript": "a TorchScript program, which can run code. If you trust where it comes from, open it with --trust; "
    "otherwise save the weights instead: torch.save(model.state_dict(), …)",
    "pt2": "an exported PyTorch program (.pt2), which can run code. If you trust where it comes from, open it with "
    "--trust; otherwise save the weights instead: torch.save(model.state_dict(), …)",
    "pickle": "a Python pickle, which can run any code when it is loaded, so it is not. Save the weights alone: "
    "torch.save(model.state_dict(), …) or safetensors",
    "html": "a web page. The download went to a page about the file; fetch the file itself",
    "git-lfs": "a Git-LFS pointer, not the file it stands for. Run 'git lfs pull', or download the file itself",
    "text": "a text file. Name the checkpoint itself",
    "picture": "a picture. Drop it on the image panel to encode it, or name a checkpoint",
    "npz": "NumPy arrays, not a model. Use it as data: latentlab-train vae --data FILE.npz",
    "hdf5": "an HDF5 file (Keras?), which is not read. Convert the weights to safetensors",
    "zip": "a zip archive without a PyTorch checkpoint in it. Unpack it and name the checkpoint",
    "broken zip": "a zip archive that was cut off or damaged. Copy or download the file again",
    "unknown": "of no known format. Open a .safetensors checkpoint that latentlab-train wrote",
}


@dataclass(frozen=True)
class Found:
    """A regular file that can be read, and what its bytes say it is."""

    path: Path
    kind: str  # one of WEIGHTS, "onnx", "stylegan pickle", or a key of REASONS
    size: int  # bytes

    def held(self, name: str) -> dict[str, Any] | None:
        """The description called `name` that the file itself holds; None where one may lie beside it."""
        return None

    def weights(self) -> dict[str, NDArray[np.generic]] | None:
        """Weights that are at hand or read otherwise than from the bytes of a file of this kind; None: from those."""
        return None


def found(path: Path) -> Found:
    """What lies at a path. A run folder stands for the checkpoint in it, the name of a bundled model for that.

    Raises CheckpointError: missing, a folder without a checkpoint, no regular file, no permission, empty.
    """
    path, size = _regular_file(bundled_named(path))
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise CheckpointError(_unreadable(path, error)) from error
    return Found(path, _kind(path, head, size), size)


def refusal(file: Found) -> CheckpointError:
    """Why a file that is no checkpoint of ours is not opened: what it is, and what to do."""
    return CheckpointError(f"{displayed(file.path)} is {REASONS[file.kind]}.")


def _regular_file(path: Path) -> tuple[Path, int]:
    shown = displayed(path)
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            path = weights_in(path)
            status = path.stat()
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        raise CheckpointError(_unreadable(path, error)) from error
    if not stat.S_ISREG(status.st_mode):  # opening a FIFO would wait for ever
        noun = "a named pipe" if stat.S_ISFIFO(status.st_mode) else "a device or socket"
        raise CheckpointError(f"{shown} is {noun}, not a file. Name the checkpoint itself.")
    if status.st_size == 0:
        raise CheckpointError(f"{shown} is empty (0 bytes). Copy or download the file again.")
    return path, status.st_size


def _unreadable(path: Path, error: OSError | ValueError) -> str:
    shown = displayed(path)
    if isinstance(error, FileNotFoundError):
        if path.parts[:1] and path.parts[0].lower() in WEB:
            return f"{shown} is an address, and opening a file never downloads one. Download it, then open the file."
        names = [bundled.stem for bundled in bundled_models()]
        close = difflib.get_close_matches(path.name, names, 1) if len(path.parts) == 1 else []
        meant = f" Did you mean the bundled model '{close[0]}'?" if close else ""
        return f"{shown} does not exist. Check the path, or whether the file was moved.{meant}"
    if isinstance(error, PermissionError):
        return f"{shown} may not be read: permission denied. Change its permissions or copy it elsewhere."
    cause = error.strerror if isinstance(error, OSError) else str(error)
    return f"{shown} cannot be read: {cause}. Check the path."


def _kind(path: Path, head: bytes, size: int) -> str:
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") > 0:
        # Also when it is cut off: the reader then says what is wrong with its header.
        return "safetensors"
    if head.startswith(b"PK\x03\x04"):
        return _zip_kind(path)
    if head.startswith(LEGACY_TORCH[:14]):
        return "legacy torch"
    if len(head) > 1 and head[0] == 0x80 and 2 <= head[1] <= 5:
        return "stylegan pickle" if _names_stylegan(path, size) else "pickle"
    if head.startswith(PICTURES) or head[8:12] == b"WEBP":
        return "picture"
    if head.startswith(b"\x89HDF\r\n\x1a\n"):
        return "hdf5"
    if head.startswith(b"\x93NUMPY"):
        return "npz"
    return _text_kind(head) or ("onnx" if _like_onnx(head) else "unknown")


def _text_kind(head: bytes) -> str:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"version https://git-lfs"):
        return "git-lfs"
    if text[:256].lower().startswith((b"<!doctype html", b"<html", b"<head", b"<?xml")):
        return "html"
    if b"\0" in head:
        return ""
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(head) < HEAD_BYTES or error.start < len(head) - 4:  # a character cut in two at the end is still text
            return ""
    return "text" if all(byte >= 32 or byte in b"\t\n\r\f\x1b" for byte in head) else ""


def _like_onnx(head: bytes) -> bool:
    """ModelProto: field 1 (ir_version) is a small varint, then producer, opset or graph."""
    return len(head) > 4 and head[0] == 0x08 and 1 <= head[1] <= 32 and head[2] in (0x12, 0x1A, 0x22, 0x3A, 0x42)


def _names_stylegan(path: Path, size: int) -> bool:
    with path.open("rb") as file:
        return b"torch_utils.persistence" in file.read(min(size, 1 << 20))


def _zip_kind(path: Path) -> str:
    """From the central directory alone; nothing is inflated. Raises CheckpointError for compressed tensors."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except Exception:  # noqa: BLE001 - zipfile raises half a dozen classes for damaged directories
        return "broken zip"
    names = {entry.filename.partition("/")[2] or entry.filename for entry in entries}
    whole = {entry.filename for entry in entries}
    if "archive_format" in names | whole:
        return "pt2"
    if any(name.endswith(".npy") for name in whole):
        return "npz"
    if "data.pkl" not in names:
        return "zip"
    if "constants.pkl" in names and any(name.startswith("code/") for name in names):
        return "torchscript"
    compressed = [entry for entry in entries if entry.compress_type != zipfile.ZIP_STORED]
    declared = sum(entry.file_size for entry in entries)
    if compressed or declared > path.stat().st_size:
        raise CheckpointError(
            f"{displayed(path)} is a PyTorch checkpoint with compressed entries that declare {declared:,} bytes; "
            "torch.save never compresses, so this is a damaged file or a zip bomb. Save it again with torch.save."
        )
    return "torch zip"
