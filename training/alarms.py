"""What can be heard in the curves of a GAN: that it goes wrong, said once each, and that it is done.

Fed with means over some steps, as the loop reads them: d_loss, g_loss, D(x) as d_real, D(G(z)) as d_fake, norms of
gradients as d_gradient and g_gradient, the relative spread of the samples. What is not recorded raises no alarm. Where
the generator's loss is more than fooling, as in a GAN with an encoder, `g_fooling` is that part, and is listened to.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NEAR_ZERO = 0.05  # nats; a discriminator with this loss is right about nearly everything
SURE = 0.85  # D(x) - D(G(z)); with one-sided smoothing of 0.1 the loss cannot fall below 0.33, this can still be seen
STEEP = 100.0  # norm of a gradient; Chintala et al. 2016, "How to train a GAN"
ALIKE = 0.1  # spread of the samples beside the data's
PATIENCE = 1000  # steps that a discriminator may win, or that samples may be alike, before it is said
FALLING = 2000  # steps that the generator's loss may fall without a rise
FALLEN = 0.5  # nats it must have fallen by then
BALANCED = 0.05  # how far D(x) and D(G(z)) may be from where the two networks are even

SAYS = {
    "imbalance": (
        "The discriminator has won for {steps:,} steps: D(x) {d_real:.2f}, D(G(z)) {d_fake:.2f}. The generator learns "
        "little from it. Try {against_a_winner} or a lower discriminator_learning_rate."
    ),
    "gradient": "The gradient norm is {norm:.0f}, above 100. Try a lower learning rate, R1 or gradient_clip.",
    "falling": (
        "The generator's loss has fallen steadily for {steps:,} steps, to {fooling:.2f}: it fools the discriminator, "
        "perhaps with nonsense. Look at samples/; try {against_a_loser}a higher discriminator_learning_rate."
    ),
    "collapse": (
        "The samples hardly differ from each other: their spread is {spread:.0%} of the data's. The generator has "
        "collapsed. Try diffaugment, R1, label smoothing or another seed."
    ),
    "balance": "D(x) and D(G(z)) stayed near {balance:.2f} for {steps:,} steps: the run ends with this epoch.",
}


@dataclass
class Alarms:
    """`balance` is D where the networks are even; `stop_after` so many steps there the run is over, 0 never.

    `remedies` are what the family has against a discriminator that wins, and against one that loses.
    """

    balance: float = 0.5
    stop_after: int = 0
    remedies: tuple[str, str] = ("instance noise, spectral_norm, R1", "more discriminator_steps or ")
    said: set[str] = field(default_factory=set)
    since: dict[str, int] = field(default_factory=dict)  # steps that something has lasted
    highest: float = math.nan  # the generator's loss where it began to fall
    last: float = math.nan

    def heard(self, means: Mapping[str, float], steps: int) -> dict[str, str]:
        """What is to be said now, by name of the alarm, of `means` over the last `steps` steps."""
        raised = {
            "imbalance": self._lasts("imbalance", _discriminator_wins(means), steps) >= PATIENCE,
            "collapse": self._lasts("collapse", means.get("spread", 1.0) < ALIKE, steps) >= PATIENCE,
            "gradient": _steepest(means) > STEEP,
            "falling": self._falls(_fooling(means), steps),
        }
        self._lasts("balance", self._even(means), steps)
        raised["balance"] = self.settled
        new = [name for name, is_so in raised.items() if is_so and name not in self.said]
        self.said.update(new)
        values = {
            "norm": _steepest(means),
            "balance": self.balance,
            "fooling": _fooling(means),
            "against_a_winner": self.remedies[0],
            "against_a_loser": self.remedies[1],
        }
        told = {"d_real": math.nan, "d_fake": math.nan, **means, **values}
        return {name: SAYS[name].format(**{**told, "steps": self.since.get(name, steps)}) for name in new}

    @property
    def settled(self) -> bool:
        """Whether the run may end: D(x) and D(G(z)) both stayed where the networks are even."""
        return self.stop_after > 0 and self.since.get("balance", 0) >= self.stop_after

    def state_dict(self) -> dict[str, Any]:
        return {"said": sorted(self.said), "since": self.since, "highest": self.highest, "last": self.last}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.said, self.since = set(state["said"]), dict(state["since"])
        self.highest, self.last = state["highest"], state["last"]

    def _lasts(self, name: str, is_so: bool, steps: int) -> int:
        self.since[name] = self.since.get(name, 0) + steps if is_so else 0
        return self.since[name]

    def _falls(self, g_loss: float | None, steps: int) -> bool:
        if g_loss is None:
            return False
        if not g_loss < self.last:  # also at the beginning, where `last` is no number
            self.highest = g_loss
        lasted = self._lasts("falling", g_loss < self.last, steps)
        self.last = g_loss
        return lasted >= FALLING and self.highest - g_loss >= FALLEN

    def _even(self, means: Mapping[str, float]) -> bool:
        return all(abs(means.get(name, math.inf) - self.balance) <= BALANCED for name in ("d_real", "d_fake"))


def _discriminator_wins(means: Mapping[str, float]) -> bool:
    sure = means.get("d_real", 0.0) - means.get("d_fake", 1.0) > SURE
    return sure or means.get("d_loss", math.inf) < NEAR_ZERO


def _fooling(means: Mapping[str, float]) -> float | None:
    """What the generator minimises by fooling the discriminator."""
    return means.get("g_fooling", means.get("g_loss"))


def _steepest(means: Mapping[str, float]) -> float:
    return max((value for name, value in means.items() if name.endswith("_gradient")), default=0.0)
