"""Figures of a latent space against what is known in closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal, Normal

from latentlab.core.errors import DataError
from latentlab.measure.latent_quality import (
    Likelihood,
    Proposal,
    box_uniform,
    completeness,
    continuity,
    explained,
    log_prior,
)

RNG = np.random.default_rng(0)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_densities_are_those_of_torch() -> None:
    latents = torch.randn(7, 3, 2, generator=generator())
    factor = torch.tensor([[0.5, 0.0], [-0.3, 1.2]]).expand(3, 2, 2)
    proposal = Proposal(torch.randn(3, 2, generator=generator()), factor)
    expected = MultivariateNormal(proposal.mean_BD, scale_tril=factor).log_prob(latents)
    assert torch.allclose(proposal.log_density(latents), expected, atol=1e-5)
    assert torch.allclose(log_prior(latents), Normal(0.0, 1.0).log_prob(latents).sum(-1), atol=1e-5)
    std = torch.tensor([0.5, 2.0])
    assert torch.allclose(log_prior(latents, std), Normal(torch.zeros(2), std).log_prob(latents).sum(-1), atol=1e-5)


def test_likelihoods_are_those_of_torch() -> None:
    logits, targets = torch.randn(4, 1, 3, 3, generator=generator()), torch.rand(4, 1, 3, 3, generator=generator())
    gaussian = Normal(torch.sigmoid(logits), 0.3).log_prob(targets).flatten(1).sum(1)
    assert torch.allclose(Likelihood("gaussian", math.log(0.3)).log(logits, targets), gaussian, atol=1e-4)
    black = Likelihood("bce").log(logits, torch.zeros_like(targets))
    assert torch.allclose(black, torch.log(1 - torch.sigmoid(logits)).flatten(1).sum(1), atol=1e-5)


def test_a_proposal_is_fitted_to_draws() -> None:
    covariance = torch.tensor([[1.0, 0.6], [0.6, 0.5]])
    draws = MultivariateNormal(torch.tensor([1.0, -2.0]), covariance).sample((20_000, 1))
    fitted = Proposal.fitted(draws)
    assert torch.allclose(fitted.mean_BD, torch.tensor([[1.0, -2.0]]), atol=0.05)
    assert torch.allclose(fitted.factor_BDD @ fitted.factor_BDD.mT, covariance[None], atol=0.05)
    again = fitted.draw(20_000, generator())
    assert torch.allclose(torch.cov(again[:, 0].T), covariance, atol=0.05)
    with pytest.raises(DataError, match="at least 4 draws"):
        Proposal.fitted(draws[:3])
    collapsed = Proposal.fitted(torch.zeros(10, 1, 2))
    assert torch.isfinite(collapsed.log_density(torch.zeros(1, 1, 2))).all()


SIGMA = 0.7


def linear_logits(latents: Tensor) -> Tensor:
    """A decoder whose picture of one latent is two pixels of that intensity, as logits."""
    return torch.logit((0.5 + 0.02 * latents).clamp(1e-4, 1 - 1e-4)).repeat(1, 2)[:, None, None, :]


def test_importance_weighting_finds_the_evidence_that_is_known() -> None:
    """x = 0.5 + 0.02 z + noise is a Gaussian of known covariance; the exact posterior needs one draw."""
    targets = torch.tensor([[[[0.6, 0.55]]], [[[0.4, 0.47]]]])
    likelihood = Likelihood("gaussian", math.log(SIGMA * 0.02))
    covariance = 0.02**2 * (torch.ones(2, 2) + SIGMA**2 * torch.diag(torch.ones(2)))
    evidence = MultivariateNormal(torch.full((2,), 0.5), covariance).log_prob(targets[:, 0, 0])
    precision = 1 + 2 / SIGMA**2
    mean = ((targets[:, 0, 0] - 0.5) / 0.02).sum(1, keepdim=True) / SIGMA**2 / precision
    exact = Proposal.diagonal(mean, torch.full_like(mean, -math.log(precision)))
    found = explained(linear_logits, likelihood, targets * 2 - 1, exact, 3, generator())
    assert np.allclose(found.nll_B, -evidence.numpy(), atol=1e-2)
    assert np.allclose(found.negative_elbo_B, -evidence.numpy(), atol=1e-2)
    assert np.allclose(found.effective_B, 3, rtol=0.05)
    # A proposal that is off: the ELBO pays for it, the weighted estimate does not.
    off = Proposal.diagonal(mean + 0.5, torch.full_like(mean, math.log(2 / precision)))
    found = explained(linear_logits, likelihood, targets * 2 - 1, off, 20_000, generator())
    assert np.allclose(found.nll_B, -evidence.numpy(), atol=0.03)
    assert (found.negative_elbo_B > found.nll_B + 0.2).all()


def test_a_straight_line_is_even_and_a_step_is_not() -> None:
    latents = RNG.uniform(-1, 1, (50, 1)).astype(np.float32)
    even = continuity(lambda z: np.tile((z[:, None, None] + 1) / 2, (1, 4, 4, 1)), latents)
    assert even.change_per_unit == pytest.approx(0.5, rel=1e-3)
    assert even.steepest == pytest.approx(1.0, abs=1e-3)
    sudden = continuity(lambda z: np.tile((z[:, None, None] > 0).astype(np.float32), (1, 4, 4, 1)), latents)
    assert sudden.steepest > 10
    with pytest.raises(DataError, match="differ"):
        continuity(lambda z: z[:, None, None], np.zeros((5, 1), np.float32))


def test_draws_in_a_gap_are_not_complete() -> None:
    """Data on a ring: what is drawn on the ring is like the data, what is drawn from its middle is not."""
    turn = RNG.uniform(0, 2 * np.pi, 600)
    ring = np.stack([np.cos(turn), np.sin(turn)], axis=1).astype(np.float32)
    other = RNG.uniform(0, 2 * np.pi, 300)
    drawn = np.stack([np.cos(other), np.sin(other)], axis=1).astype(np.float32)
    assert completeness(ring, drawn) > 0.8
    assert completeness(ring, 0.5 * drawn) == 0
    box = box_uniform(ring, 1000)
    assert np.abs(box).max() <= 1
    assert completeness(ring, box) < 0.2
