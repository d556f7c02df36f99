"""Exporting a walk: GIF, MP4, a folder of PNG frames, a contact strip. As a job of the window and for the command line.

Everything is made in memory or in a folder beside the target and moved there last: a cancelled or failed export
leaves what was there before. Shapes: K keyframes, T frames, D latent, H W C pictures.
"""

from __future__ import annotations

import io
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from latentlab.core.atomic import UNFINISHED, atomic_write, displayed, refusal
from latentlab.core.condition import Condition
from latentlab.core.errors import OptionError, SaveError
from latentlab.core.latent_model import Images, LatentModel
from latentlab.core.paths import frame_count, walk_latents
from latentlab.core.recipe import Recipe
from latentlab.core.recipe_png import png_bytes
from latentlab.core.requests import Report
from latentlab.core.spaces import FloatArray

Kind = Literal["gif", "mp4", "frames", "strip"]

PIECE = 8  # frames decoded between two looks at whether the job is cancelled
FRAMES_AT_MOST = 20_000
GIF_FPS_AT_MOST = 50  # browsers slow down frames shorter than 20 ms
GIF_PX_ADVISED = 256
PALETTE_FRAMES = 16  # frames the common palette is chosen from
MP4_CRF = "16"  # visually lossless
STRIP_FRAMES = 8
STRIP_GAP_PX = 2


@dataclass(frozen=True)
class Exported:
    """`notes` are sentences worth showing: what was changed to fit the format."""

    path: str
    frames: int
    bytes_written: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class WalkExport:
    """What to export; `keyframes` (K, D). `scale` enlarges each pixel so many times."""

    keyframes: FloatArray
    path: Path
    kind: Kind
    interpolation: Literal["linear", "spherical"] = "linear"
    loop: bool = False
    seconds: float = 6.0
    fps: int = 30
    space: str | None = None
    condition: Condition | None = None
    scale: int = 1


def run(report: Report, checkpoint_path: str, keyframes: FloatArray, path: str, **options: Any) -> Exported:
    """The job "latentlab.engine.exporting:run".

    Options: kind ("gif", "mp4", "frames", "strip"; "" or none: by the ending of `path`), interpolation, loop, seconds,
    fps, space, condition, scale; device, trust, and `reading` (activation and range of a foreign checkpoint).
    """
    from latentlab.formats import open_checkpoint

    device, trust = options.pop("device", "auto"), options.pop("trust", False)
    reading = options.pop("reading", None)
    kind = options.pop("kind", "") or kind_of(Path(path))
    export = WalkExport(np.atleast_2d(np.asarray(keyframes, np.float32)), Path(path), kind, **options)
    check(export)  # before torch is imported
    if not checkpoint_path:
        raise OptionError("The model lives in the process that called explore(). Save it as a checkpoint to export.")
    report.progress(0, 0, "opening the model")
    return export_walk(open_checkpoint(Path(checkpoint_path), device, trust, reading), export, report)


def kind_of(path: Path) -> Kind:
    """By the ending: .gif, .mp4, .png (a strip), none (a folder of frames). Raises OptionError."""
    match path.suffix.lower():
        case ".gif":
            return "gif"
        case ".mp4" | ".m4v" | ".mov":
            return "mp4"
        case ".png":
            return "strip"
        case "":
            return "frames"
    raise OptionError(
        f"A walk cannot be saved as '{path.suffix}'. End the name in .gif, .mp4 or .png (a strip), or name a folder."
    )


def check(export: WalkExport) -> None:
    """Raises OptionError or SaveError for what can be said before anything is decoded."""
    frames = frame_count(export.seconds, export.fps)
    if export.kind not in get_args(Kind):
        raise OptionError(f"There is no kind of export '{export.kind}'. Known: {', '.join(get_args(Kind))}.")
    if frames > FRAMES_AT_MOST:
        raise OptionError(f"{frames:,} frames are too many; at most {FRAMES_AT_MOST:,}. Shorten the walk.")
    if not 1 <= export.scale <= 64:
        raise OptionError(f"A scale of {export.scale} is not possible; choose 1 to 64.")
    if export.kind == "mp4":
        _video_library()
    if export.kind == "frames" and export.path.is_dir() and any(export.path.iterdir()):
        raise SaveError(f"The folder {displayed(export.path)} is not empty. Name a new folder for the frames.")


def export_walk(model: LatentModel, export: WalkExport, report: Report) -> Exported:
    """Decodes and writes. Raises OptionError, SaveError, and whatever the report raises when it is cancelled."""
    check(export)
    writers: dict[Kind, Callable[[LatentModel, WalkExport, Report], Exported]] = {
        "gif": _gif,
        "mp4": _mp4,
        "frames": _frames,
        "strip": _strip,
    }
    return writers[export.kind](model, export, report)


def tiled(images: Images, columns: int, gap_px: int = 0) -> NDArray[np.uint8]:
    """(H, W, C): pictures (B, H, W, C) row by row on white."""
    count, height, width, channels = images.shape
    rows = -(-count // columns)
    sheet = np.full((rows * (height + gap_px) - gap_px, columns * (width + gap_px) - gap_px, channels), 255, np.uint8)
    for index, image in enumerate(images):
        top, left = index // columns * (height + gap_px), index % columns * (width + gap_px)
        sheet[top : top + height, left : left + width] = image
    return sheet


# --- frames ----------------------------------------------------------------------------------------------------


def _latents(export: WalkExport, frames: int) -> FloatArray:
    return walk_latents(export.keyframes, frames, export.interpolation, export.loop)


def _pictures(
    model: LatentModel, export: WalkExport, latents_TD: FloatArray, report: Report
) -> Iterator[NDArray[np.uint8]]:
    """Each (H, W, C), enlarged; the report hears of every piece, and may end the walk."""
    total = len(latents_TD)
    for begin in range(0, total, PIECE):
        report.progress(begin, total, f"frame {begin + 1} of {total}")
        piece = model.decode(latents_TD[begin : begin + PIECE], space=export.space, condition=export.condition)
        for picture in piece:
            yield np.repeat(np.repeat(picture, export.scale, 0), export.scale, 1) if export.scale > 1 else picture


def _recipe(model: LatentModel, export: WalkExport, latents: FloatArray) -> Recipe:
    info = model.info
    return Recipe(
        checkpoint=info.sha256,
        model=Path(info.path).name,
        space=export.space or info.spaces[0].name,
        latent=np.atleast_2d(latents)[0].tolist(),
        tiles=latents.tolist() if latents.ndim == 2 else [],
        condition=export.condition,
        name=f"walk {displayed(export.path.name)}",
    )


# --- writers ---------------------------------------------------------------------------------------------------


def _gif(model: LatentModel, export: WalkExport, report: Report) -> Exported:
    from PIL import Image

    fps = min(export.fps, GIF_FPS_AT_MOST)
    frames = frame_count(export.seconds, fps)
    latents_TD = _latents(export, frames)
    sheet = _palette_sheet(model, export, latents_TD)
    palette = None if sheet.shape[-1] == 1 else Image.fromarray(sheet).quantize(256, Image.Quantize.MEDIANCUT)

    def coded(picture: NDArray[np.uint8]) -> Image.Image:
        if palette is None:
            return Image.fromarray(picture[..., 0])
        # One palette for all frames: no flicker, and unchanged parts stay unchanged.
        return Image.fromarray(picture).quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)

    coming = (coded(picture) for picture in _pictures(model, export, latents_TD, report))
    buffer = io.BytesIO()
    next(coming).save(buffer, "GIF", save_all=True, append_images=coming, duration=_durations_ms(frames, fps), loop=0)
    report.progress(frames, frames, "Writing")
    atomic_write(export.path, buffer.getvalue())
    side = export.scale * max(model.info.image.height, model.info.image.width)
    notes = []
    if fps < export.fps:
        notes.append(f"GIF shows at most {GIF_FPS_AT_MOST} frames a second; {frames} frames were written.")
    if side > GIF_PX_ADVISED:
        notes.append(f"GIFs above {GIF_PX_ADVISED} px are slow and large ({buffer.tell():,} bytes); MP4 is smaller.")
    return Exported(str(export.path), frames, buffer.tell(), tuple(notes))


def _palette_sheet(model: LatentModel, export: WalkExport, latents_TD: FloatArray) -> NDArray[np.uint8]:
    chosen = latents_TD[np.unique(np.linspace(0, len(latents_TD) - 1, PALETTE_FRAMES).astype(np.int64))]
    images = model.decode(chosen, space=export.space, condition=export.condition)
    return tiled(images, 1)


def _durations_ms(frames: int, fps: int) -> list[int]:
    """GIF counts in hundredths of a second: rounded so that the whole keeps its length (30 fps: 30, 30, 40 ms)."""
    ends = np.rint(np.arange(frames + 1) * 100 / fps).astype(int)
    return [int(step) * 10 for step in np.diff(ends)]


def _mp4(model: LatentModel, export: WalkExport, report: Report) -> Exported:
    av = _video_library()
    frames = frame_count(export.seconds, export.fps)
    buffer = io.BytesIO()
    notes: tuple[str, ...] = ()
    with av.open(buffer, "w", format="mp4") as container:
        stream = None
        for picture in _pictures(model, export, _latents(export, frames), report):
            even = _even(np.repeat(picture, 3, 2) if picture.shape[2] == 1 else picture)
            if stream is None:
                stream = container.add_stream("libx264", rate=Fraction(export.fps))
                stream.height, stream.width = even.shape[:2]
                stream.pix_fmt = "yuv420p"  # what browsers and phones play; it needs even sizes
                stream.options = {"crf": MP4_CRF, "preset": "medium"}
                if even.shape[:2] != picture.shape[:2]:
                    notes = (f"MP4 needs even sizes; padded to {even.shape[1]} x {even.shape[0]}.",)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(even), format="rgb24")))
        if stream is not None:
            container.mux(stream.encode())
    report.progress(frames, frames, "Writing")
    atomic_write(export.path, buffer.getvalue())
    return Exported(str(export.path), frames, len(buffer.getbuffer()), notes)


def _video_library() -> Any:
    try:
        import av
    except ImportError:
        raise OptionError(
            "MP4 needs the extra 'video': python -m pip install 'latentlab[video]'. Or end the name in .gif."
        ) from None
    return av


def _even(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = picture.shape[:2]
    return np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def _frames(model: LatentModel, export: WalkExport, report: Report) -> Exported:
    frames = frame_count(export.seconds, export.fps)
    latents_TD = _latents(export, frames)
    target = Path(os.path.realpath(export.path))
    temporary = target.with_name(f".latentlab-{secrets.token_hex(6)}.tmp")
    written = 0
    try:
        UNFINISHED.add(temporary)
        temporary.mkdir()
        for index, picture in enumerate(_pictures(model, export, latents_TD, report)):
            data = png_bytes(picture, _recipe(model, export, latents_TD[index]))
            (temporary / f"frame_{index:05d}.png").write_bytes(data)  # the rename makes it whole
            written += len(data)
        report.progress(frames, frames, "Writing")
        temporary.replace(target)  # an empty folder of that name gives way
    except OSError as error:
        raise refusal(export.path, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        UNFINISHED.discard(temporary)
    return Exported(str(export.path), frames, written)


def _strip(model: LatentModel, export: WalkExport, report: Report) -> Exported:
    count = max(len(export.keyframes), STRIP_FRAMES)
    latents = _latents(export, count)
    pictures = np.stack(list(_pictures(model, export, latents, report)))
    data = png_bytes(tiled(pictures, count, STRIP_GAP_PX), _recipe(model, export, latents))
    report.progress(count, count, "Writing")
    atomic_write(export.path, data)
    return Exported(str(export.path), count, len(data))
