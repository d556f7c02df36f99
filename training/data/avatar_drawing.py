"""How an avatar is drawn: flat shapes in unit coordinates, drawn large with Pillow and averaged down.

Coordinates: x to the right and y down, both from 0 to 1 across the picture. `turn` moves the features of the face
sideways, as when a head turns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageDraw

Colour = tuple[int, int, int]
Points = NDArray[np.float64]  # (P, 2)

HAIR = {"black": "#2a2630", "brown": "#6b4226", "blond": "#e8bf5a", "ginger": "#c9592a", "grey": "#a9adb5"}
STYLES = ("short", "long", "bob", "curly", "bun", "bald")
BACKGROUNDS = ("#cfe3f2", "#f6dcd0", "#d9ecd5", "#e6dcf2", "#fbf0c9", "#d5eeee")
CLOTHES = ("#3c6e9f", "#c6544f", "#4f8a5b", "#7b5aa6", "#e0a030", "#3d4450")
FRAMES = ("#2b2b33", "#7a3e2b", "#8a2f4b")
SKINS = ("#fbe0cc", "#f2c6a0", "#d9a06f", "#a86d43", "#6d4128")
SUPERSAMPLING = 4

CENTRE_X, CENTRE_Y = 0.5, 0.5  # of the head
HEAD_RX, HEAD_RY = 0.23, 0.275
EYE_Y, EYE_X = 0.5, 0.098  # height, and distance from the middle of the face
TURN_SHIFT = 0.07


@dataclass(frozen=True)
class Avatar:
    glasses: Literal["none", "clear", "dark"]
    frame: str  # colour
    hat: Literal["none", "beanie", "cap"]
    smile: float  # -1 sad, 0 straight, 1 broad
    beard: bool
    hair: str  # a name in HAIR
    style: str  # one of STYLES
    skin: float  # 0 light to 1 dark
    turn: float  # -1 to the left of the picture, 1 to its right
    background: str
    clothes: str
    accent: str  # of the hat
    eye: str
    width: float  # of the head, about 1
    height: float
    brow: float  # -1 frowning to 1 raised


def draw(avatar: Avatar, size: int) -> NDArray[np.uint8]:
    """uint8 (size, size, 3), anti-aliased."""
    large = SUPERSAMPLING * size
    image = Image.new("RGB", (large, large), avatar.background)
    pen = Pen(ImageDraw.Draw(image), large)
    face = Face(avatar)
    face.back(pen)
    face.body(pen)
    face.head(pen)
    face.features(pen)
    face.front_hair(pen)
    face.wear(pen)
    return np.asarray(image.reduce(SUPERSAMPLING), np.uint8)


class Pen:
    """Draws in unit coordinates."""

    def __init__(self, target: ImageDraw.ImageDraw, size: int) -> None:
        self._draw = target
        self._size = size

    def blob(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        s = self._size
        self._draw.ellipse(((x - rx) * s, (y - ry) * s, (x + rx) * s, (y + ry) * s), fill=colour)

    def shape(self, points: Points, colour: Colour) -> None:
        self._draw.polygon([(float(x), float(y)) for x, y in points * self._size], fill=colour)

    def line(self, points: Points, width: float, colour: Colour) -> None:
        """A stroke with round ends."""
        scaled = [(float(x), float(y)) for x, y in points * self._size]
        thick = max(1, round(width * self._size))
        self._draw.line(scaled, fill=colour, width=thick, joint="curve")
        for x, y in (points[0], points[-1]):
            self.blob(float(x), float(y), width / 2, width / 2, colour)

    def ring(self, outline: Points, width: float, colour: Colour) -> None:
        self.line(np.concatenate([outline, outline[:2]]), width, colour)

    def box(self, left: float, top: float, right: float, bottom: float, radius: float, colour: Colour) -> None:
        s = self._size
        self._draw.rounded_rectangle((left * s, top * s, right * s, bottom * s), radius * s, fill=colour)


class Face:
    """One avatar's shapes, back to front."""

    def __init__(self, avatar: Avatar) -> None:
        self.who = avatar
        self.rx, self.ry = HEAD_RX * avatar.width, HEAD_RY * avatar.height
        self.middle = CENTRE_X + TURN_SHIFT * avatar.turn  # of the features
        self.skin = _skin(avatar.skin)
        self.shade = _mixed(self.skin, (96, 40, 30), 0.22)
        self.hair = _rgb(HAIR[avatar.hair])
        self.hair_dark = _mixed(self.hair, (20, 14, 24), 0.3)
        self.hair_light = _mixed(self.hair, (255, 250, 235), 0.22)
        self.lifted = avatar.hat == "none"

    def back(self, pen: Pen) -> None:
        """Hair behind the head and neck."""
        drift = -0.25 * TURN_SHIFT * self.who.turn
        if self.who.style == "long":
            pen.shape(_bell(CENTRE_X + drift, 0.2, self.rx * 1.2, self.rx * 1.42, 0.9), self.hair_dark)
        elif self.who.style == "bob":
            pen.shape(_bell(CENTRE_X + drift, 0.2, self.rx * 1.22, self.rx * 1.34, 0.74), self.hair_dark)
        elif self.who.style == "curly":
            for angle in np.linspace(np.pi * 0.86, np.pi * 2.14, 13):
                x, y = CENTRE_X + drift + self.rx * 1.1 * np.cos(angle), 0.46 + self.ry * 1.02 * np.sin(angle)
                pen.blob(x, y, 0.085, 0.085, self.hair_dark)
        elif self.who.style == "bun" and self.lifted:
            pen.blob(CENTRE_X + drift, 0.165, 0.095, 0.09, self.hair_dark)
            pen.blob(CENTRE_X + drift, 0.16, 0.08, 0.075, self.hair)

    def body(self, pen: Pen) -> None:
        cloth = _rgb(self.who.clothes)
        shoulders = _arc(CENTRE_X, 1.06, 0.39, 0.235, np.pi, 2 * np.pi)
        pen.shape(shoulders, cloth)
        pen.box(0.41, 0.66, 0.59, 0.88, 0.02, self.skin)
        pen.blob(CENTRE_X, 0.83, 0.115, 0.075, self.skin)
        neck = _arc(CENTRE_X, CENTRE_Y + 0.03, self.rx * 0.99, self.ry * 1.02, 0.13 * np.pi, 0.87 * np.pi)
        pen.shape(np.clip(neck, (0.41, 0.6), (0.59, 0.9)), self.shade)
        pen.line(_arc(CENTRE_X, 0.83, 0.115, 0.075, 0.03 * np.pi, 0.97 * np.pi), 0.018, _mixed(cloth, (0, 0, 0), 0.2))

    def head(self, pen: Pen) -> None:
        for side in (-1, 1):
            # The ear on the side the head turns to goes out of sight.
            x = CENTRE_X + side * self.rx * 0.985 - 0.35 * TURN_SHIFT * self.who.turn
            radius = 0.046 * (1 - 0.45 * max(0.0, side * self.who.turn))
            pen.blob(x, EYE_Y + 0.025, radius, 0.058, self.skin)
            pen.blob(x + side * 0.004, EYE_Y + 0.028, radius * 0.5, 0.032, self.shade)
        pen.shape(self._outline(), self.skin)

    def features(self, pen: Pen) -> None:
        if self.who.beard:
            self._beard(pen)
        blush = _mixed(self.skin, (240, 110, 110), 0.3)
        for side in (-1, 1):
            x, scale = self._side(side, 0.13)
            pen.blob(x, 0.588, 0.04 * scale, 0.026, blush)
        for side in (-1, 1):
            self._eye(pen, side)
        self._nose(pen)
        self._mouth(pen)

    def front_hair(self, pen: Pen) -> None:
        style = self.who.style
        if style == "bald":
            shine = _mixed(self.skin, (255, 255, 255), 0.3)
            pen.blob(CENTRE_X - 0.07, 0.3, 0.05, 0.028, shine)
            return
        shift = 0.55 * TURN_SHIFT * self.who.turn
        top = self._crown(1.1 if style != "curly" else 1.06, -0.02)
        pen.shape(np.concatenate([top, self._hairline(style, shift)]), self.hair)
        if style == "curly":
            for angle in np.linspace(np.pi * 1.02, np.pi * 1.98, 9):
                x, y = CENTRE_X + self.rx * 0.9 * np.cos(angle) + shift * 0.4, 0.43 + self.ry * 0.83 * np.sin(angle)
                pen.blob(x, y, 0.066, 0.062, self.hair)
        if style in ("long", "bob"):
            length = 0.8 if style == "long" else 0.66
            for side in (-1, 1):
                x = CENTRE_X + side * self.rx * 1.03 - 0.25 * shift
                pen.shape(_lock(x, 0.31, length, 0.05, side), self.hair)
        gleam = _arc(CENTRE_X - 0.02 + shift, 0.42, self.rx * 0.78, self.ry * 0.78, 1.17 * np.pi, 1.42 * np.pi)
        pen.line(gleam, 0.02, self.hair_light)

    def wear(self, pen: Pen) -> None:
        if self.who.glasses != "none":
            self._glasses(pen)
        if self.who.hat != "none":
            self._hat(pen)

    # --- parts -------------------------------------------------------------------------------------------------

    def _outline(self) -> Points:
        """An ellipse that narrows towards the chin."""
        t = np.linspace(0, 2 * np.pi, 72, endpoint=False)
        narrow = 1 - 0.13 * np.clip(np.sin(t), 0, 1) ** 2
        return np.stack([CENTRE_X + self.rx * np.cos(t) * narrow, CENTRE_Y + self.ry * np.sin(t)], axis=1)

    def _crown(self, scale: float, lift: float) -> Points:
        """The top of the head from the left temple to the right one."""
        return _arc(CENTRE_X, 0.485 + lift, self.rx * scale, self.ry * scale, 0.98 * np.pi, 2.02 * np.pi)

    def _hairline(self, style: str, shift: float) -> Points:
        """From the right temple back to the left one, across the forehead."""
        x = np.linspace(1, -1, 33)
        across = CENTRE_X + self.rx * 1.0 * x
        if style == "bob":
            y = 0.395 + 0.02 * np.abs(x) ** 3
        elif style == "long":
            part = np.abs(x - shift / self.rx)
            y = 0.3 + 0.15 * np.clip(part, 0, 1) ** 0.8
        elif style == "short":
            y = 0.375 + 0.05 * (x - 2 * shift) - 0.045 * np.cos(3 * x) + 0.07 * np.abs(x) ** 6
        else:
            y = 0.325 + 0.11 * np.abs(x) ** 2.4
        return np.stack([across, y], axis=1)

    def _side(self, side: int, distance: float) -> tuple[float, float]:
        """(x, scale) of a feature on one side of the face: the far side is foreshortened."""
        scale = 1 - 0.2 * max(0.0, side * self.who.turn)
        return self.middle + side * distance * scale, scale

    def _eye(self, pen: Pen, side: int) -> None:
        x, scale = self._side(side, EYE_X)
        look = 0.008 * self.who.turn
        pen.blob(x, EYE_Y, 0.043 * scale, 0.043, (255, 255, 255))
        pen.blob(x + look, EYE_Y + 0.003, 0.028 * scale, 0.03, _rgb(self.who.eye))
        pen.blob(x + look, EYE_Y + 0.003, 0.015 * scale, 0.017, (20, 18, 22))
        pen.blob(x + look + 0.01, EYE_Y - 0.01, 0.0085, 0.0085, (255, 255, 255))
        lid = _arc(x, EYE_Y, 0.045 * scale, 0.045, 1.08 * np.pi, 1.92 * np.pi)
        pen.line(lid, 0.013, (52, 36, 40))
        brow_y = EYE_Y - 0.082 - 0.018 * self.who.brow
        tilt = 0.012 * self.who.brow * side
        ends = np.array([[x - 0.04 * scale, brow_y + tilt], [x, brow_y - 0.012], [x + 0.04 * scale, brow_y - tilt]])
        colour = self.hair_dark if self.who.style != "bald" else _mixed(self.skin, (40, 25, 25), 0.6)
        pen.line(_smooth(ends), 0.02, colour)

    def _nose(self, pen: Pen) -> None:
        tip = self.middle + 0.02 * self.who.turn
        pen.line(_arc(tip, 0.572, 0.026, 0.024, 0.1 * np.pi, 0.9 * np.pi), 0.016, self.shade)

    def _mouth(self, pen: Pen) -> None:
        smile, y = self.who.smile, 0.66
        half = 0.062 + 0.018 * max(0.0, smile)
        x = np.linspace(-1, 1, 17)
        curve = y + 0.036 * smile * (1 - x**2) - 0.018 * smile
        points = np.stack([self.middle + half * x, curve], axis=1)
        lip = _mixed(self.skin, (150, 30, 50), 0.62)
        if smile > 0.3:
            depth = 0.062 * smile * np.sqrt(np.clip(1 - x**2, 0, 1))
            top = np.stack([self.middle + half * x, y - 0.012 + 0.006 * (1 - x**2)], axis=1)
            low = np.stack([self.middle + half * x, y - 0.012 + depth], axis=1)[::-1]
            pen.shape(np.concatenate([top, low]), (122, 28, 44))
            teeth = np.stack([self.middle + half * x, y - 0.012 + 0.42 * depth], axis=1)[::-1]
            pen.shape(np.concatenate([top, teeth]), (255, 252, 248))
            pen.ring(np.concatenate([top, low]), 0.011, lip)
        else:
            pen.line(points, 0.021, lip)

    def _beard(self, pen: Pen) -> None:
        colour = _mixed(self.hair, (30, 20, 20), 0.12)
        t = np.linspace(-0.06 * np.pi, 1.06 * np.pi, 41)
        narrow = 1 - 0.12 * np.clip(np.sin(t), 0, 1) ** 2
        outer = np.stack(
            [CENTRE_X + self.rx * 1.02 * np.cos(t) * narrow, CENTRE_Y + 0.035 + self.ry * 0.98 * np.sin(t)], axis=1
        )
        x = np.linspace(-1, 1, 33)
        edge = 0.615 - 0.028 * np.cos(2 * np.pi * x) + 0.0 * x
        edge = np.where(np.abs(x) > 0.72, 0.63 - (np.abs(x) - 0.72) * 0.5, edge)
        middle = self.middle * 0.75 + CENTRE_X * 0.25
        inner = np.stack([middle + self.rx * 0.98 * x, edge], axis=1)
        inner[:, 0] = np.clip(inner[:, 0], CENTRE_X - self.rx, CENTRE_X + self.rx)
        pen.shape(np.concatenate([outer, inner]), colour)

    def _glasses(self, pen: Pen) -> None:
        frame, dark = _rgb(self.who.frame), self.who.glasses == "dark"
        y = EYE_Y + 0.004
        for side in (-1, 1):
            x, scale = self._side(side, EYE_X + 0.004)
            lens = _rounded(x, y, 0.078 * scale, 0.066, 2.6)
            if dark:
                pen.shape(lens, (30, 30, 38))
                glint = np.array([[x - 0.035 * scale, y - 0.012], [x - 0.005 * scale, y - 0.038]])
                pen.line(glint, 0.013, (120, 124, 140))
            pen.ring(lens, 0.022, frame if not dark else (30, 30, 38))
            temple = np.array([[x + side * 0.078 * scale, y - 0.01], [CENTRE_X + side * self.rx * 0.98, y - 0.015]])
            if (temple[1, 0] - temple[0, 0]) * side > 0:
                pen.line(temple, 0.018, frame if not dark else (30, 30, 38))
        left, right = self._side(-1, 0.03)[0], self._side(1, 0.03)[0]
        pen.line(_smooth(np.array([[left, y - 0.012], [(left + right) / 2, y - 0.026], [right, y - 0.012]])), 0.02,
                 frame if not dark else (30, 30, 38))  # fmt: skip

    def _hat(self, pen: Pen) -> None:
        colour = _rgb(self.who.accent)
        dark = _mixed(colour, (0, 0, 0), 0.22)
        light = _mixed(colour, (255, 255, 255), 0.25)
        shift = 0.3 * TURN_SHIFT * self.who.turn
        x = CENTRE_X + shift * 0.4
        if self.who.hat == "beanie":
            pen.blob(x, 0.115, 0.055, 0.052, light)
            pen.shape(_arc(x, 0.36, self.rx * 1.14, 0.235, np.pi, 2 * np.pi), colour)
            pen.box(x - self.rx * 1.18, 0.315, x + self.rx * 1.18, 0.395, 0.035, dark)
            for place in np.linspace(-0.9, 0.9, 9):
                rib = np.array([[x + place * self.rx * 1.12, 0.333], [x + place * self.rx * 1.12, 0.377]])
                pen.line(rib, 0.01, colour)
        else:
            pen.shape(_arc(x, 0.37, self.rx * 1.12, 0.24, np.pi, 2 * np.pi), colour)
            panel = _arc(x + 2 * shift, 0.37, self.rx * 0.5, 0.24, np.pi, 2 * np.pi)
            pen.shape(panel, light)
            pen.blob(x, 0.133, 0.02, 0.013, dark)
            brim = _arc(x + 2.4 * shift, 0.372, self.rx * 1.1, 0.055, 0, 2 * np.pi)
            pen.shape(brim, dark)


# --- geometry --------------------------------------------------------------------------------------------------


def _arc(x: float, y: float, rx: float, ry: float, start: float, end: float, count: int = 41) -> Points:
    """Along an ellipse; angles grow clockwise on the screen from the right."""
    t = np.linspace(start, end, count)
    return np.stack([x + rx * np.cos(t), y + ry * np.sin(t)], axis=1)


def _rounded(x: float, y: float, rx: float, ry: float, power: float) -> Points:
    """A superellipse: 2 is an ellipse, more is squarer."""
    t = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    cos, sin = np.cos(t), np.sin(t)
    return np.stack(
        [x + rx * np.sign(cos) * np.abs(cos) ** (2 / power), y + ry * np.sign(sin) * np.abs(sin) ** (2 / power)], axis=1
    )


def _bell(x: float, top: float, narrow: float, wide: float, bottom: float) -> Points:
    """Hair that falls from a round crown and ends in rounded tips."""
    crown = _arc(x, top + narrow, narrow, narrow, np.pi, 2 * np.pi, 31)
    radius = 0.07
    right = _arc(x + wide - radius, bottom - radius, radius, radius, 0, 0.5 * np.pi, 9)
    left = _arc(x - wide + radius, bottom - radius, radius, radius, 0.5 * np.pi, np.pi, 9)
    return np.concatenate([crown, right, left])


def _lock(x: float, top: float, bottom: float, half: float, side: int) -> Points:
    """A strand beside the face that grows out of the crown, bends outwards and ends round."""
    t = np.linspace(0, 1, 25)
    bend = side * 0.03 * np.sin(t * np.pi * 0.5)
    width = half * np.sqrt(np.clip(t / 0.35, 0, 1)) * np.sqrt(1 - np.clip((t - 0.86) / 0.14, 0, 1) ** 2)
    y = top + (bottom - top) * t
    outer = np.stack([x + bend + width, y], axis=1)
    inner = np.stack([x + bend - width, y], axis=1)[::-1]
    return np.concatenate([outer, inner])


def _smooth(ends: Points) -> Points:
    """A quadratic curve through the first and last of three points, drawn towards the second."""
    t = np.linspace(0, 1, 13)[:, None]
    curve: Points = (1 - t) ** 2 * ends[0] + 2 * t * (1 - t) * ends[1] + t**2 * ends[2]
    return curve


def _rgb(colour: str) -> Colour:
    return ImageColor.getrgb(colour)[:3]


def _mixed(a: Sequence[int], b: Sequence[int], share: float) -> Colour:
    """`a` with a share of `b`."""
    red, green, blue = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return red, green, blue


def _skin(tone: float) -> Colour:
    place = tone * (len(SKINS) - 1)
    low = min(int(place), len(SKINS) - 2)
    return _mixed(_rgb(SKINS[low]), _rgb(SKINS[low + 1]), place - low)
