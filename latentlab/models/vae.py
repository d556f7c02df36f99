"""The variational autoencoder: a convolutional or a fully connected encoder and decoder (Kingma and Welling 2014).

Shapes: B batch, D latent, C H W of images in [-1, 1].
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from latentlab.core.spaces import LatentSpace
from latentlab.models.family import Architecture, Network
from latentlab.models.layers import ResidualBlock, Upsampling, halvings

# Wider than any posterior needs, and exp(10) is still far from overflow in float32.
LOG_VARIANCE_BOUND = 10.0
PRIOR = ("centre", "axes", "spread")
# The coarsest feature map: 64 -> 4, 28 -> 4 (7 would leave the linear layers with most of the parameters).
COARSEST = 4
WIDEST = 4  # no layer has more than this many times `width` channels


class AutoencoderArchitecture(Architecture):
    """What the networks with this encoder and decoder share."""

    network: Literal["conv", "mlp"] = "conv"
    residual: int = Field(0, ge=0, le=8)  # residual blocks per resolution, conv only
    # Conv only: squares of so many pixels become channels first and are laid out last (sub-pixel convolution, Shi et
    # al. 2016). Full-size feature maps take two thirds of the time of a convolutional VAE and add little.
    patch: Literal[1, 2, 4] = 1
    # "empirical": the axes of the space are the principal axes of the encodings, and draws spread as these do.
    prior: Literal["normal", "empirical"] = "normal"
    hidden: int = Field(400, ge=1, le=16_384)  # mlp only: one hidden layer of so many units

    @model_validator(mode="after")
    def _whole_patches(self) -> Self:
        if self.image_size % self.patch:
            raise ValueError(f"pictures of {self.image_size} px cannot be cut into patches of {self.patch}")
        return self

    @property
    def pixels(self) -> int:
        return self.channels * self.image_size**2


class VAEArchitecture(AutoencoderArchitecture):
    name: Literal["vae"] = "vae"


class ConvEncoder(nn.Module):
    """Images (B, C, H, W) to `outputs` numbers each: for a VAE the moments (B, 2 D), means, then log-variances."""

    def __init__(self, a: AutoencoderArchitecture, outputs: int) -> None:
        super().__init__()
        sizes, widths = _stages(a)
        layers: list[nn.Module] = [nn.PixelUnshuffle(a.patch)] if a.patch > 1 else []
        channels = a.channels * a.patch**2
        for index, width in enumerate(widths):
            layers.append(nn.Conv2d(channels, width, 3, 1 if a.patch > 1 and index == 0 else 2, 1))
            layers += [ResidualBlock(width) for _ in range(a.residual)]
            layers += [nn.BatchNorm2d(width), nn.SiLU()]
            channels = width
        self.layers = nn.Sequential(*layers)
        self.moments = nn.Linear(channels * sizes[-1] ** 2, outputs)

    def forward(self, images_BCHW: Tensor) -> Tensor:
        moments: Tensor = self.moments(self.layers(images_BCHW).flatten(1))
        return moments


class ConvDecoder(nn.Module):
    """Latents (B, D), or `inputs` numbers each, to logits (B, C, H, W).

    No residual blocks at full size: there they would take most of the time and add little.
    """

    def __init__(self, a: AutoencoderArchitecture, inputs: int | None = None) -> None:
        super().__init__()
        sizes, widths = (list(reversed(row)) for row in _stages(a))
        self.start = (widths[0], sizes[0], sizes[0])
        self.project = nn.Linear(inputs or a.latent_dim, widths[0] * sizes[0] ** 2)
        # Without patches, the finest stage is the picture itself.
        following = [*widths[1:], *([widths[-1]] if a.patch == 1 else [])]
        layers: list[nn.Module] = []
        channels = widths[0]
        for width, size in zip(following, sizes[1:], strict=True):
            layers += [ResidualBlock(channels) for _ in range(a.residual)]
            layers += [nn.BatchNorm2d(channels), nn.SiLU(), Upsampling(channels, width, size)]
            channels = width
        if a.patch > 1:
            layers += [nn.BatchNorm2d(channels), nn.SiLU(), nn.Conv2d(channels, channels, 3, 1, 1)]
        layers += [nn.BatchNorm2d(channels), nn.SiLU(), nn.Conv2d(channels, a.channels * a.patch**2, 3, 1, 1)]
        if a.patch > 1:
            layers.append(nn.PixelShuffle(a.patch))
        self.layers = nn.Sequential(*layers)

    def forward(self, latents_BD: Tensor) -> Tensor:
        logits: Tensor = self.layers(self.project(latents_BD).unflatten(1, self.start))
        return logits


class MLPEncoder(nn.Module):
    """784-400-20 for `hidden` 400 and 28 px: the fully connected encoder of the VAE paper and of PyTorch's example."""

    def __init__(self, a: AutoencoderArchitecture, outputs: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(a.pixels, a.hidden)
        self.moments = nn.Linear(a.hidden, outputs)

    def forward(self, images_BCHW: Tensor) -> Tensor:
        # As intensities: the black of a digit is 0 then and moves no weight; at -1 it moved all of them, and a VAE on
        # MNIST ended nearly two nats higher.
        intensities = images_BCHW.flatten(1).add(1).mul(0.5)
        moments: Tensor = self.moments(torch.relu(self.hidden(intensities)))
        return moments


class MLPDecoder(nn.Module):
    def __init__(self, a: AutoencoderArchitecture) -> None:
        super().__init__()
        self.hidden = nn.Linear(a.latent_dim, a.hidden)
        self.pixels = nn.Linear(a.hidden, a.pixels)
        self.image = (a.channels, a.image_size, a.image_size)

    def forward(self, latents_BD: Tensor) -> Tensor:
        logits: Tensor = self.pixels(torch.relu(self.hidden(latents_BD)))
        return logits.view(-1, *self.image)


class Autoencoder(Network):
    """Encoder and decoder, and where the encodings lie. `decode` gives tanh(logits / 2) = 2 sigmoid(logits) - 1."""

    Parameters: ClassVar[type[Architecture]] = AutoencoderArchitecture
    encodes = True
    numbers_per_latent: ClassVar[int] = 1  # the encoder tells of each
    of_prior: ClassVar[tuple[str, ...]] = PRIOR  # buffers that a measured prior fills
    has_prior: ClassVar[bool] = True  # False: training states none; it is measured on the encodings at the end
    architecture: AutoencoderArchitecture
    centre: Tensor
    axes: Tensor
    spread: Tensor

    def __init__(self, architecture: AutoencoderArchitecture) -> None:
        super().__init__(architecture)
        self.encoder, self.decoder = self.parts()
        if architecture.prior == "empirical":
            dim = architecture.latent_dim
            self.centre = nn.Buffer(torch.zeros(dim))
            # Columns, in the axes the network was trained in. Not torch.eye: on the meta device it imports the
            # compiler, which made the first picture a second late.
            self.axes = nn.Buffer(torch.zeros(dim, dim))
            self.axes.diagonal().fill_(1)
            self.spread = nn.Buffer(torch.ones(dim))  # standard deviations along them

    def parts(self) -> tuple[nn.Module, nn.Module]:
        """Encoder and decoder of the architecture."""
        a, outputs = self.architecture, self.numbers_per_latent * self.architecture.latent_dim
        if a.network == "conv":
            return ConvEncoder(a, outputs), ConvDecoder(a)
        return MLPEncoder(a, outputs), MLPDecoder(a)

    @property
    def spaces(self) -> tuple[LatentSpace, ...]:
        dim = self.architecture.latent_dim
        if self.architecture.prior == "normal":
            return (LatentSpace("z", (dim,)),)
        std = None if self.spread.is_meta else self.spread.cpu().numpy()
        return (LatentSpace("z", (dim,), "empirical", std=std),)

    def logits(self, latents_BD: Tensor, condition_BK: Tensor | None = None) -> Tensor:
        """Of the likelihood, (B, C, H, W); `condition_BK` is for conditional families."""
        if self.architecture.prior == "empirical":
            latents_BD = latents_BD @ self.axes.T + self.centre
        return self.decoded(latents_BD, condition_BK)

    def encoded(self, images_BCHW: Tensor, condition_BK: Tensor | None) -> Tensor:
        """What the encoder tells of pictures, in the axes the network was trained in."""
        told: Tensor = self.encoder(images_BCHW)
        return told

    def decoded(self, codes_BD: Tensor, condition_BK: Tensor | None) -> Tensor:
        """Logits of latents in the axes the network was trained in."""
        logits: Tensor = self.decoder(codes_BD)
        return logits

    def turned(self, codes_BD: Tensor) -> Tensor:
        """What the encoder says, along the axes of the space."""
        if self.architecture.prior == "empirical":
            return (codes_BD - self.centre) @ self.axes
        return codes_BD

    def decode(self, latents_BD: Tensor, condition_BK: Tensor | None = None) -> Tensor:
        return torch.tanh(self.logits(latents_BD, condition_BK).float() / 2)

    def as_trained(self) -> Self:
        """The same model in the axes it was trained in, without the prior that was measured of it."""
        if self.architecture.prior == "normal":
            return self
        trained = type(self)(self.architecture)
        return trained.given({**self.state_dict(), **trained.prior_state()})

    def with_fitted_prior(self, means_ND: Tensor, variances_ND: Tensor) -> Self:
        """The same model in the principal axes of its encodings (an isometry), most variance first.

        The aggregate posterior is not the N(0, I) it was pulled towards: draws from that fall where no
        encoding is. Along its own axes it is uncorrelated, and draws with its spread decode to what was learned.
        `means_ND`, `variances_ND`: the posteriors of the data, of this network, in the axes it was trained in.
        """
        fitted = type(self)(self.architecture.model_copy(update={"prior": "empirical"}))
        centre = means_ND.double().mean(0)
        covariance = torch.cov((means_ND.double() - centre).T).reshape(len(centre), len(centre))
        covariance = covariance + torch.diag(variances_ND.double().mean(0))
        variance, axes = torch.linalg.eigh(covariance)
        fitted.given({**self.state_dict(), **fitted.prior_state()})
        fitted.centre = centre.float()
        fitted.axes = axes.flip(1).float().contiguous()
        fitted.spread = variance.flip(0).clamp_min(0).sqrt().float()
        return fitted

    def prior_state(self) -> dict[str, Tensor]:
        """What of its state a measured prior fills."""
        return {name: value for name, value in self.state_dict().items() if name in self.of_prior}

    def given(self, state: Mapping[str, Tensor]) -> Self:
        """This network, in eval mode, with that state."""
        self.load_state_dict(state)
        return self.eval()


class VAE(Autoencoder):
    """The encoder tells mean and log-variance; `decode` gives the mean of the likelihood."""

    Parameters: ClassVar[type[Architecture]] = VAEArchitecture
    numbers_per_latent = 2

    def posterior(self, images_BCHW: Tensor, condition_BK: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Means and log-variances, float32 (B, D) each, of q(z|x); along turned axes, of its marginals."""
        mean_BD, log_variance_BD = self.encoded(images_BCHW, condition_BK).float().chunk(2, dim=1)
        log_variance_BD = log_variance_BD.clamp(-LOG_VARIANCE_BOUND, LOG_VARIANCE_BOUND)
        if self.architecture.prior == "normal":
            return mean_BD, log_variance_BD
        return self.turned(mean_BD), (log_variance_BD.exp() @ self.axes.square()).log()

    def encode(self, images_BCHW: Tensor, condition_BK: Tensor | None = None) -> Tensor:
        return self.posterior(images_BCHW, condition_BK)[0]


def _stages(a: AutoencoderArchitecture) -> tuple[list[int], list[int]]:
    """Side lengths and channels from fine to coarse; channels double with each halving, up to `WIDEST` times the width.

    Without patches the first side is the picture's, which has no channels of its own: one side more than channels.
    """
    sizes = halvings(a.image_size // a.patch, COARSEST)
    stages = len(sizes) if a.patch > 1 else len(sizes) - 1
    return sizes, [a.width * min(2**stage, WIDEST) for stage in range(stages)]
