"""Which losses of a run belong on one plot, and what people call them. No Qt here.

Shapes: E epochs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from latentlab.core.run_folder import HELD_OUT, LossCurve

# What the field calls them; others are called as the trainer does.
NAMES = {
    "loss": "Loss",
    "reconstruction": "Reconstruction",
    "kl": "KL",
    "mse": "Mean squared error",
    "l1": "Mean absolute error",
    "spread": "Spread of the samples",
    "features": "Feature errors",
    "attributes": "Attributes",
    "code_ratio": "Size of the codes",
    "d_loss": "D",
    "g_loss": "G",
    "c_loss": "C",
    "d_real": "D(x)",
    "d_fake": "D(G(z))",
    "d_reconstruction": "D(reconstruction)",
    "c_code": "C(code)",
    "d_gradient": "D",
    "g_gradient": "G",
}
SHORT = {  # where a plot is narrow
    "reconstruction": "Recon.",
    "mse": "MSE",
    "l1": "MAE",
    "spread": "Spread",
    "features": "Features",
    "code_ratio": "Codes",
    "judged": "Judged",
    "gradients": "Gradients",
}
LOSSES, JUDGED, GRADIENTS = "losses", "judged", "gradients"
TITLES = {LOSSES: "Losses", JUDGED: "Judged real", GRADIENTS: "Gradient norms"}
FIRST = (LOSSES, JUDGED)
BELIEVED = ("d_real", "d_fake", "d_reconstruction", "c_code")
EVEN = 0.5  # D(x) and D(G(z)) where the two networks are even


@dataclass(frozen=True, eq=False)
class CurveGroup:
    """The curves of one plot. `level`: a line across, where there is a value that means something."""

    key: str
    title: str
    curves: tuple[LossCurve, ...]
    level: float | None = None

    @property
    def names(self) -> list[str]:
        return list(dict.fromkeys(curve.name for curve in self.curves))

    @property
    def titles(self) -> list[tuple[str, bool]]:
        """What to write above the plot, the longest first, and whether with the names of the curves.

        Several losses say by their names what they are; the splits of one are told apart by their colours.
        """
        short = SHORT.get(self.key, self.title)
        last = ("", True) if len(self.names) > 1 else (short, False)
        return list(dict.fromkeys([(self.title, True), (short, True), last]))

    @property
    def positive(self) -> bool:
        """Whether a logarithm can show all of it."""
        return all(bool((curve.values_E > 0).all()) for curve in self.curves)


def groups_of(curves: Iterable[LossCurve]) -> tuple[CurveGroup, ...]:
    """What two networks make of each other first, then in the order in which the trainer names them."""
    found: dict[str, list[LossCurve]] = {}
    for curve in curves:
        found.setdefault(_group(curve.name), []).append(curve)
    return tuple(
        CurveGroup(key, TITLES.get(key, named(key)), tuple(members), EVEN if key == JUDGED else None)
        for key, members in sorted(
            found.items(), key=lambda item: FIRST.index(item[0]) if item[0] in FIRST else len(FIRST)
        )
    )


def named(name: str) -> str:
    return NAMES.get(name, name.replace("_", " ").capitalize())


def series_name(group: CurveGroup, curve: LossCurve) -> str:
    """What tells a curve from the others of its plot."""
    held_out = curve.split == HELD_OUT
    if len(group.names) == 1:
        return "held out" if held_out else "training"
    return f"{named(curve.name)}, held out" if held_out else named(curve.name)


def value_at(curve: LossCurve, epoch: float) -> float | None:
    """After the last epoch that is not later; None before the first."""
    place = int(np.searchsorted(curve.epochs_E, epoch, side="right")) - 1
    return float(curve.values_E[place]) if place >= 0 else None


def short(value: float | None, figures: int = 4) -> str:
    """So many figures that mean something."""
    if value is None:
        return "–"
    if abs(value) >= 1e5 or 0 < abs(value) < 1e-3:
        return f"{value:.2e}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.{figures}g}"


def ticks(low: float, high: float, most: int, *, log: bool = False) -> list[tuple[float, str]]:
    """(place, text) of at most `most` round values between `low` and `high`; with `log` these are powers of ten."""
    if not high > low or most < 1:
        return []
    if log:
        found = [math.log10(m) + d for d in range(math.floor(low), math.ceil(high) + 1) for m in (1, 2, 5)]
        within = [place for place in found if low <= place <= high]
        whole = [place for place in within if abs(place - round(place)) < 1e-9]
        chosen = within if len(within) <= most else whole if len(whole) > 1 else within[:: -(-len(within) // most)]
        chosen = chosen[:: -(-len(chosen) // most)] if chosen else []
        return [(place, f"{10**place:.4g}") for place in chosen]
    step = 10.0 ** math.floor(math.log10((high - low) / most))
    step *= next(m for m in (1, 2, 5, 10, 20) if (high - low) / (step * m) < most)
    first = math.ceil(low / step)
    return [(k * step, f"{k * step:.6g}") for k in range(first, math.floor(high / step) + 1)]


def _group(name: str) -> str:
    if name.endswith("_loss"):
        return LOSSES
    if name in BELIEVED:
        return JUDGED
    return GRADIENTS if name.endswith("_gradient") else name
