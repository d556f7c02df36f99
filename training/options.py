"""The options of each family's objective, validated; `OPTIONS` names them. No torch here: `--help` shows them.

A field's comment is its help on the command line. Weights are pure numbers, rates per step, sizes in pixels.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from training.corruption import Corruption


class Options(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AEOptions(Options):
    """The objective of an autoencoder: reconstruction, summed over pixels, mean over the batch."""

    likelihood: Literal["mse", "bce"] = "mse"
    learning_rate: float = Field(1e-3, gt=0, le=1)
    adam_betas: tuple[float, float] = (0.9, 0.99)


class DAEOptions(AEOptions):
    """The objective of a denoising autoencoder: the clean picture from a damaged one; Vincent et al. 2008."""

    corruption: str = "gaussian:0.3"  # gaussian:0.3 (standard deviation) or mask:0.25 (share of pixels made black)

    @field_validator("corruption")
    @classmethod
    def _understood(cls, text: str) -> str:
        return str(Corruption.parse(text))


class VAEOptions(Options):
    """The objective of a VAE: reconstruction + beta * KL, summed over pixels and latents, mean over the batch."""

    likelihood: Literal["sigma", "bce", "mse"] = "sigma"
    beta: float = Field(1.0, ge=0, le=1000)
    kl_warmup_steps: int = Field(0, ge=0)  # beta rises linearly from 0
    free_bits: float = Field(0.0, ge=0)  # nats per dimension that cost nothing
    capacity: float | None = Field(None, gt=0, le=10_000)  # nats the KL is held at, in place of beta; None: not held
    capacity_steps: int = Field(25_000, ge=0)  # over which the capacity rises linearly from 0
    capacity_weight: float = Field(100.0, gt=0, le=100_000)  # gamma, of the distance of the KL from the capacity
    edges: float = Field(0.0, ge=0, le=100)  # weight of the same likelihood on differences of neighbouring pixels
    attributes: float = Field(0.0, ge=0, le=10_000)  # weight of predicting the labelled attributes from the latent
    learning_rate: float = Field(1e-3, gt=0, le=1)
    adam_betas: tuple[float, float] = (0.9, 0.99)

    @model_validator(mode="after")
    def _one_way_to_weigh_the_kl(self) -> Self:
        for name in ("beta", "kl_warmup_steps", "free_bits"):
            if self.capacity is not None and getattr(self, name) != type(self).model_fields[name].default:
                raise ValueError(f"capacity takes the place of {name}; leave one of them out.")
        return self


class CVAEOptions(VAEOptions):
    """The objective of a conditional VAE."""

    hidden: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="Share of the pictures whose class, or an attribute, is kept from the network, so that "
        "unknown ones mean something.",
    )


class GANOptions(Options):
    """The objective of a GAN; Goodfellow et al. 2014, Radford et al. 2016 and the practice that lasted."""

    loss: Literal["non-saturating", "minimax"] = "non-saturating"
    spectral_norm: bool = True  # in the discriminator; batch normalisation there otherwise
    discriminator_width: int | None = Field(None, ge=1, le=1024)
    discriminator_steps: int = Field(1, ge=1, le=100)
    label_smoothing: float = Field(0.1, ge=0, lt=0.5)  # one-sided: real pictures are worth 1 - this
    soft_labels: float = Field(0.0, ge=0, lt=0.5)  # every label is drawn from up to so much nearer to one half
    label_flips: float = Field(0.0, ge=0, lt=0.5)  # probability that the discriminator is told the opposite
    instance_noise: float = Field(0.0, ge=0, le=2)  # standard deviation at the start, of intensities from -1 to 1
    instance_noise_steps: int = Field(10_000, ge=1)  # until it has fallen linearly to nothing
    stop_when_balanced: int = Field(0, ge=0)  # end after so many steps with D(x) and D(G(z)) near one half; 0: never
    r1: float = Field(0.0, ge=0)  # weight of the gradient penalty on real pictures, every 16th step
    diffaugment: tuple[Literal["colour", "translation", "cutout"], ...] = ()
    learning_rate: float = Field(2e-4, gt=0, le=1)
    discriminator_learning_rate: float | None = Field(None, gt=0, le=1)  # None: the generator's (TTUR otherwise)
    adam_betas: tuple[float, float] = (0.5, 0.999)


class DenseGANOptions(GANOptions):
    """The objective of a fully connected GAN."""

    dropout: float = Field(0.3, ge=0, lt=1)  # in the discriminator


class AlphaGANOptions(Options):
    """The objective of an alpha-GAN; Rosca et al. 2017."""

    loss: Literal["ratio", "non-saturating", "minimax"] = "ratio"  # ratio: -log D + log(1 - D), the paper's
    reconstruction: float = Field(10.0, ge=0, le=10_000)  # lambda, of the mean absolute error
    edges: float = Field(0.0, ge=0, le=100)  # weight of the errors of differences of neighbouring pixels, beside it
    adversarial: float = Field(1.0, ge=0, le=1000)  # weight of the discriminator in the generator's loss
    code: float = Field(1.0, ge=0, le=1000)  # weight of the code discriminator in the encoder's loss
    attributes: float = Field(0.0, ge=0, le=10_000)  # weight of predicting the labelled attributes from the latent
    start_from: str = ""  # a checkpoint with an encoder, or the name of a bundled model, whose weights it begins with
    discriminator_width: int | None = Field(None, ge=1, le=1024)
    code_hidden: int = Field(512, ge=1, le=16_384)  # units of each of the code discriminator's two hidden layers
    label_smoothing: float = Field(0.0, ge=0, lt=0.5)  # one-sided: real pictures are worth 1 - this
    diffaugment: tuple[Literal["colour", "translation", "cutout"], ...] = ()
    learning_rate: float = Field(2e-4, gt=0, le=1)  # of the generator, and of the others where they have none
    encoder_learning_rate: float | None = Field(None, gt=0, le=1)
    discriminator_learning_rate: float | None = Field(None, gt=0, le=1)
    code_learning_rate: float | None = Field(None, gt=0, le=1)
    adam_betas: tuple[float, float] = (0.5, 0.999)


# The objective's options by family; a new family adds its line.
OPTIONS: dict[str, type[Options]] = {
    "ae": AEOptions,
    "dae": DAEOptions,
    "vae": VAEOptions,
    "cvae": CVAEOptions,
    "gan": DenseGANOptions,
    "dcgan": GANOptions,
    "cgan": GANOptions,
    "alpha-gan": AlphaGANOptions,
}
