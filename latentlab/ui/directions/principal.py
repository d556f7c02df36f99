"""From principal components: of the encodings, or of draws in a space like w (GANSpace, Härkönen et al. 2020)."""

from __future__ import annotations

from typing import Any

from latentlab.core.direction_making import components_of
from latentlab.core.errors import LatentlabError
from latentlab.core.unsupervised import Component
from latentlab.ui.computing import Computing
from latentlab.ui.directions.components_form import ComponentsForm

COUNT = 10
OF_DRAWS = (
    "These encodings are draws from a prior that varies alike in every direction, so their components say little. "
    "The generator's weights (SeFa) say more."
)


class FromPrincipalComponents(ComponentsForm):
    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._computing = Computing(self)

    def begin(self) -> None:
        """On a thread: the covariance of 512 dimensions takes a moment."""
        self.remember_place()
        self.show_nothing("The components are being fitted…")
        space, encodings, checkpoint = (
            self.workspace.space, self.workspace.opened.encodings, self.workspace.state.checkpoint
        )  # fmt: skip

        def compute() -> list[Component] | LatentlabError:
            try:
                return components_of(space, encodings, COUNT, checkpoint)
            except LatentlabError as error:
                return error

        self._computing.start(compute, lambda found: self._take(found, checkpoint))

    def _take(self, found: list[Component] | LatentlabError, checkpoint: str) -> None:
        if checkpoint != self.workspace.state.checkpoint:
            return
        if isinstance(found, LatentlabError):
            self.show_nothing(str(found))
            return
        encodings, space = self.workspace.opened.encodings, self.workspace.space
        of_prior = encodings is not None and encodings.samples and space.prior != "empirical"
        examples = found[0].direction.examples if found else 0
        drawn = encodings is None or encodings.space != space.name
        of = f"draws of {space.name} (GANSpace)" if drawn else "encodings"
        self.say(OF_DRAWS if of_prior else f"Of {examples:,} {of}, with the share of the variance each explains.")
        self.show_components(found, "Principal components")
