"""From the generator's weights: what its first layer answers most to (SeFa, Shen and Zhou 2021). The engine looks."""

from __future__ import annotations

from typing import Any

from latentlab.core.requests import Factorise, Factorised, Lane, RequestFailed
from latentlab.ui.directions.components_form import ComponentsForm

CONSUMER = "attributes/weights"
COUNT = 10
SAID = "What the first layer after the latent answers most to, with the share of its answer. No picture is needed."


class FromWeights(ComponentsForm):
    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._ticket = 0
        self.workspace.decoding.factorised.connect(self._take)
        self.workspace.decoding.failed.connect(self._take_failure)

    def begin(self) -> None:
        state = self.workspace.state
        self.remember_place()
        self.show_nothing("The weights are being read…")
        request = Factorise(state.checkpoint, state.space, COUNT)
        self._ticket = self.workspace.decoding.submit(CONSUMER, request, Lane.VISIBLE)

    def _take(self, reply: Factorised) -> None:
        if reply.ticket == self._ticket and reply.refusal:
            self.show_nothing(reply.refusal)
        elif reply.ticket == self._ticket:
            self.say(SAID)
            self.show_components(reply.components, "Directions of the weights")

    def _take_failure(self, reply: RequestFailed) -> None:
        if reply.ticket == self._ticket:
            self.show_nothing(reply.message)
