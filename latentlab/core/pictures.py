"""Reading pictures that strangers made: formats by allow-list, size refused before decoding, every mode handled.

Shapes: H, W, C pictures, uint8, C is 1 or 3. Pillow decodes; what it raises becomes one DataError with the file's name.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from latentlab.core.errors import DataError, OptionError

Picture = NDArray[np.uint8]  # (H, W, C)

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm")
# Pictures of phones, cameras and drawing programs that are not read: said, where a folder holds any.
UNREAD_ENDINGS = (".heic", ".heif", ".avif", ".jxl", ".jp2", ".psd", ".svg", ".cr2", ".cr3", ".nef", ".arw", ".dng")
PIXEL_LIMIT = 25_000_000  # Pillow holds 4 bytes a pixel, and what is done with them needs copies
GREY_MODES = frozenset({"1", "L", "LA", "La", "I", "F", "I;16", "I;16L", "I;16B", "I;16N"})

# Pillow only warns up to twice its own limit; a picture that large is refused here like a larger one.
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


@dataclass(frozen=True)
class Crop:
    """Which part of a picture is used: its largest centred square, all of it, or a rectangle in pixels."""

    kind: Literal["centre", "none", "box"] = "centre"
    box: tuple[int, int, int, int] = (0, 0, 0, 0)  # x, y, width, height

    @classmethod
    def parse(cls, text: str) -> Crop:
        """From "centre", "none" or "x,y,width,height". Raises OptionError."""
        word = text.strip().lower()
        if word in ("centre", "center"):
            return cls("centre")
        if word == "none":
            return cls("none")
        try:
            x, y, width, height = (int(part) for part in word.split(","))
        except ValueError:
            raise OptionError(f"--crop '{text}' is not understood; use centre, none or x,y,width,height.") from None
        if x < 0 or y < 0 or width < 1 or height < 1:
            raise OptionError(f"--crop '{text}' is empty or begins outside the picture; x and y count from 0.")
        return cls("box", (x, y, width, height))

    def __str__(self) -> str:
        return ",".join(map(str, self.box)) if self.kind == "box" else self.kind

    def rectangle(self, width: int, height: int) -> tuple[int, int, int, int]:
        """(left, top, right, bottom) in a picture of this size. Raises DataError where it does not fit."""
        if self.kind == "none":
            return 0, 0, width, height
        if self.kind == "centre":
            side = min(width, height)
            left, top = (width - side) // 2, (height - side) // 2
            return left, top, left + side, top + side
        x, y, w, h = self.box
        if x + w > width or y + h > height:
            raise DataError(f"the crop {self} does not fit a picture of {width} x {height}")
        return x, y, x + w, y + h


def read_picture(
    source: Path | bytes, *, crop: Crop | None = None, size: int | None = None, channels: int | None = None
) -> Picture:
    """One picture, uint8 (H, W, C); C is 1 for grey files and 3 for others unless `channels` says it.

    `size`: side in pixels of the square it is resized to, anti-aliased, after the crop. The first frame of an
    animation; transparency over white; the camera's orientation applied. Raises DataError: missing, damaged, not a
    picture, more than PIXEL_LIMIT pixels by its declared size.
    """
    name = "the picture" if isinstance(source, bytes) else str(source)
    try:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=FORMATS) as image:
            if image.format == "JPEG" and size is not None and crop is not None and crop.kind != "box":
                image.draft(image.mode, (2 * size, 2 * size))  # decodes at a fraction, still twice what is needed
            width, height = image.size
            if width * height > PIXEL_LIMIT:
                raise DataError(_too_large(name, width * height))
            grey = image.mode in GREY_MODES if channels is None else channels == 1
            image.load()
            prepared = _upright(_smaller(image, crop, size))
            rectangle = (crop or Crop("none")).rectangle(*prepared.size)
            if rectangle != (0, 0, *prepared.size):
                prepared = prepared.crop(rectangle)
            return _array(prepared, grey, size)
    except DataError as error:
        raise DataError(str(error) if name in str(error) else f"{name}: {error}.") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DataError(_too_large(name, None)) from None
    except FileNotFoundError:
        raise DataError(f"{name} does not exist; check the path.") from None
    except UnidentifiedImageError:
        raise DataError(f"{name} is not a picture in a known format ({', '.join(FORMATS)}).") from None
    except Exception as error:  # noqa: BLE001 - Pillow's plugins raise a dozen classes for damaged files
        raise DataError(f"{name} is damaged and cannot be decoded ({str(error) or type(error).__name__}).") from None


def resized(picture: Picture, size: int) -> Picture:
    """(size, size, C), anti-aliased; the picture itself where it has that size already."""
    if picture.shape[:2] == (size, size):
        return picture
    image = Image.fromarray(picture[..., 0] if picture.shape[2] == 1 else picture)
    return _array(image, picture.shape[2] == 1, size)


def with_channels(picture: Picture, channels: int) -> Picture:
    """As grey (1) or in colour (3); the picture itself where it is."""
    if picture.shape[2] == channels:
        return picture
    if channels == 3:
        return np.repeat(picture, 3, axis=2)
    return np.asarray(Image.fromarray(picture).convert("L"))[..., None]


def _too_large(name: str, pixels: int | None) -> str:
    declared = f"declares {pixels / 1e6:,.0f} megapixels" if pixels else "declares too many pixels"
    return f"{name} {declared}; at most {PIXEL_LIMIT // 1_000_000} are read. Scale it down first."


def _smaller(image: Image.Image, crop: Crop | None, size: int | None) -> Image.Image:
    """At a whole fraction, still twice what is needed: what follows makes copies, and large ones cost memory."""
    if size is None or (crop is not None and crop.kind == "box") or image.mode not in ("L", "RGB", "RGBA", "CMYK"):
        return image
    factor = min(image.size) // (2 * size)
    return image.reduce(factor) if factor > 1 else image


def _upright(image: Image.Image) -> Image.Image:
    """8 bits a channel, transparency over white, turned as the camera was held."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        values = np.asarray(image, np.float32)
        # 16-bit files open as "I;16" or "I"; anything beyond that range is scaled by its own largest value.
        top = 65535.0 if values.size == 0 or values.max() > 255 else 255.0
        top = max(top, float(values.max(initial=0.0)))
        image = Image.fromarray(np.clip(values * np.float32(255.0 / top), 0, 255).round().astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        rgba = image if image.mode == "RGBA" else image.convert("RGBA")
        white = Image.new("RGB", rgba.size, "white")
        white.paste(rgba, mask=rgba.getchannel("A"))
        image = white
    if image.mode not in ("L", "RGB"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    ImageOps.exif_transpose(image, in_place=True)
    return image


def _array(image: Image.Image, grey: bool, size: int | None) -> Picture:
    if image.mode != ("L" if grey else "RGB"):
        image = image.convert("L" if grey else "RGB")
    if size is not None and image.size != (size, size):
        image = image.resize((size, size), Image.Resampling.BICUBIC)
    array = np.array(image, np.uint8)
    return array[..., None] if grey else array
