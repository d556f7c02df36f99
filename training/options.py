"""The options of each family's objective, validated; `OPTIONS` names them. No torch here: `--help` shows them.

A field's description is its help on the command line. Weights are pure numbers, rates per step, sizes in pixels.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from training.corruption import Corruption


class Options(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AEOptions(Options):
    """The objective of an autoencoder: reconstruction, summed over pixels, mean over the batch."""

    likelihood: Literal["mse", "bce"] = Field("mse", description="What the reconstruction is counted by.")
    learning_rate: float = Field(1e-3, gt=0, le=1, description="Step size of Adam.")
    adam_betas: tuple[float, float] = Field((0.9, 0.99), description="Decay of Adam's two averages.")


class DAEOptions(AEOptions):
    """The objective of a denoising autoencoder: the clean picture from a damaged one; Vincent et al. 2008."""

    corruption: str = Field(
        "gaussian:0.3",
        description="What is done to the encoder's pictures: gaussian:0.3 (standard deviation) or "
        "mask:0.25 (share of pixels made black).",
    )

    @field_validator("corruption")
    @classmethod
    def _understood(cls, text: str) -> str:
        return str(Corruption.parse(text))


class VAEOptions(Options):
    """The objective of a VAE: reconstruction + beta * KL, summed over pixels and latents, mean over the batch."""

    likelihood: Literal["sigma", "bce", "mse"] = Field("sigma", description="What the reconstruction is counted by.")
    beta: float = Field(1.0, ge=0, le=1000, description="Weight of the KL.")
    kl_warmup_steps: int = Field(0, ge=0, description="Steps over which beta rises linearly from 0.")
    free_bits: float = Field(0.0, ge=0, description="Nats of KL per dimension that cost nothing.")
    capacity: float | None = Field(
        None, gt=0, le=10_000, description="Nats the KL is held at, in place of beta; not held where not given."
    )
    capacity_steps: int = Field(25_000, ge=0, description="Steps over which the capacity rises linearly from 0.")
    capacity_weight: float = Field(
        100.0, gt=0, le=100_000, description="Gamma: weight of the distance of the KL from the capacity."
    )
    edges: float = Field(
        0.0, ge=0, le=100, description="Weight of the same likelihood on differences of neighbouring pixels."
    )
    attributes: float = Field(
        0.0, ge=0, le=10_000, description="Weight of predicting the labelled attributes from the latent."
    )
    start_from: str = Field(
        "",
        description="A checkpoint with an encoder, or the name of a bundled model, whose weights it begins with; also "
        "one of pictures half as large, whose patches are half as large.",
    )
    learning_rate: float = Field(1e-3, gt=0, le=1, description="Step size of Adam.")
    adam_betas: tuple[float, float] = Field((0.9, 0.99), description="Decay of Adam's two averages.")

    @model_validator(mode="after")
    def _one_way_to_weigh_the_kl(self) -> Self:
        for name in ("beta", "kl_warmup_steps", "free_bits"):
            if self.capacity is not None and getattr(self, name) != type(self).model_fields[name].default:
                raise ValueError(f"capacity takes the place of {name}; leave one of them out.")
        return self


class CVAEOptions(VAEOptions):
    """The objective of a conditional VAE."""

    # Not by default: where the class is sometimes unknown the latent must hold it, and then argues with what is asked.
    hidden: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share of the pictures whose class, or an attribute, is kept from the network, so that "
        "unknown ones mean something.",
    )


class AdversarialOptions(Options):
    """What every objective with a discriminator of pictures has."""

    discriminator_width: int | None = Field(
        None,
        ge=1,
        le=1024,
        description="Channels of a DCGAN discriminator's finest feature map; those of the generator where not given.",
    )
    label_smoothing: float = Field(0.0, ge=0, lt=0.5, description="One-sided: real pictures are worth 1 minus this.")
    stop_when_balanced: int = Field(
        0, ge=0, description="End after so many steps with D(x) and D(G(z)) near one half; 0: never."
    )
    r1: float = Field(0.0, ge=0, description="Weight of the gradient penalty on real pictures, every 16th step.")
    diffaugment: tuple[Literal["colour", "translation", "cutout"], ...] = Field(
        (), description="Augmentations that real and generated pictures get alike; Zhao et al. 2020."
    )
    learning_rate: float = Field(
        2e-4, gt=0, le=1, description="Step size of the generator, and of the others where they have none."
    )
    discriminator_learning_rate: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Step size of the discriminator; the generator's where not given (TTUR otherwise).",
    )
    adam_betas: tuple[float, float] = Field((0.5, 0.999), description="Decay of Adam's two averages.")


class GANOptions(AdversarialOptions):
    """The objective of a GAN; Goodfellow et al. 2014, Radford et al. 2016 and the practice that lasted."""

    loss: Literal["non-saturating", "minimax"] = Field("non-saturating", description="What the generator minimises.")
    spectral_norm: bool = Field(
        True, description="Spectral normalisation in the discriminator; batch normalisation there otherwise."
    )
    discriminator_steps: int = Field(
        1, ge=1, le=100, description="Steps of the discriminator for each of the generator."
    )
    label_smoothing: float = Field(0.1, ge=0, lt=0.5, description="One-sided: real pictures are worth 1 minus this.")
    soft_labels: float = Field(
        0.0, ge=0, lt=0.5, description="Every label is drawn from up to so much nearer to one half."
    )
    label_flips: float = Field(
        0.0, ge=0, lt=0.5, description="Probability that the discriminator is told the opposite."
    )
    instance_noise: float = Field(
        0.0,
        ge=0,
        le=2,
        description="Standard deviation of noise on all pictures at the start, of intensities from -1 to 1.",
    )
    instance_noise_steps: int = Field(
        10_000, ge=1, description="Steps until the instance noise has fallen linearly to nothing."
    )


class DenseGANOptions(GANOptions):
    """The objective of a fully connected GAN."""

    dropout: float = Field(0.3, ge=0, lt=1, description="Share of units dropped in the discriminator.")

    @model_validator(mode="after")
    def _no_feature_maps(self) -> Self:
        if self.discriminator_width is not None:
            raise ValueError(
                "discriminator_width: a fully connected discriminator has no feature maps; its layers are as wide as "
                "the generator's (--set architecture.hidden=[256,512])."
            )
        return self


class EncoderGANOptions(AdversarialOptions):
    """What GANs with an encoder share."""

    attributes: float = Field(
        0.0, ge=0, le=10_000, description="Weight of predicting the labelled attributes from the latent."
    )
    start_from: str = Field(
        "", description="A checkpoint with an encoder, or the name of a bundled model, whose weights it begins with."
    )
    # The layers of a trained encoder know the pictures already: they tell fakes after 100 steps, where a DCGAN's with
    # spectral normalisation had learned nothing after 300. They are held back by `r1` alone.
    discriminator: Literal["dcgan", "encoder"] = Field(
        "dcgan",
        description="What the discriminator begins with: layers of a DCGAN with spectral normalisation, or those that "
        "the encoder begins with.",
    )
    encoder_learning_rate: float | None = Field(
        None, gt=0, le=1, description="Step size of the encoder; the generator's where not given."
    )


class VAEGANOptions(EncoderGANOptions):
    """The objective of a VAE/GAN; Larsen et al. 2016, algorithm 1."""

    loss: Literal["non-saturating", "minimax"] = Field("non-saturating", description="What the generator minimises.")
    feature_layer: int | None = Field(
        None,
        ge=1,
        le=16,
        description="After so many convolutions of the discriminator the errors are counted; the last but one where "
        "not given.",
    )
    # "unit" is the paper's variance of 1; "sigma" the best one of each batch, since the features of a discriminator
    # with spectral norm are small: with "unit" the KL would leave nothing of them.
    feature_likelihood: Literal["sigma", "unit"] = Field(
        "sigma", description="'unit' is the paper's variance of 1; 'sigma' the best one of each batch."
    )
    gamma: float = Field(
        1e-3, ge=0, le=1000, description="Weight of the feature errors in the decoder's loss, beside fooling."
    )
    pixels: float = Field(
        0.0, ge=0, le=1000, description="Weight of the same likelihood of the pixels, beside the features'."
    )
    beta: float = Field(1.0, ge=0, le=1000, description="Weight of the KL.")


class AlphaGANOptions(EncoderGANOptions):
    """The objective of an alpha-GAN; Rosca et al. 2017."""

    loss: Literal["ratio", "non-saturating", "minimax"] = Field(
        "ratio", description="What the generator minimises; ratio: -log D + log(1 - D), the paper's."
    )
    reconstruction: float = Field(10.0, ge=0, le=10_000, description="Lambda: weight of the mean absolute error.")
    edges: float = Field(
        0.0, ge=0, le=100, description="Weight of the errors of differences of neighbouring pixels, beside it."
    )
    adversarial: float = Field(1.0, ge=0, le=1000, description="Weight of the discriminator in the generator's loss.")
    code: float = Field(1.0, ge=0, le=1000, description="Weight of the code discriminator in the encoder's loss.")
    discriminators_first: int = Field(
        0, ge=0, description="Steps at the beginning in which the discriminators alone learn."
    )
    encoder_every: int = Field(
        1, ge=1, description="Steps from one of the encoder to its next; a trained one needs fewer than the generator."
    )
    code_hidden: int = Field(
        512, ge=1, le=16_384, description="Units of each of the code discriminator's two hidden layers."
    )
    code_learning_rate: float | None = Field(
        None, gt=0, le=1, description="Step size of the code discriminator; the generator's where not given."
    )


class AVBOptions(Options):
    """The objective of adversarial variational Bayes; Mescheder et al. 2017, algorithms 1 and 2."""

    likelihood: Literal["sigma", "bce", "mse"] = Field("sigma", description="What the reconstruction is counted by.")
    adaptive_contrast: bool = Field(
        True, description="The adversary compares with a Gaussian of the encoder's moments, not with the prior."
    )
    adversary_steps: int = Field(1, ge=1, le=100, description="Steps of the adversary for each of the encoder.")
    adversary_hidden: int = Field(512, ge=1, le=16_384, description="Units of the adversary's hidden layers.")
    learning_rate: float = Field(2e-4, gt=0, le=1, description="Step size of encoder and decoder.")
    adversary_learning_rate: float = Field(4e-4, gt=0, le=1, description="Step size of the adversary.")
    adam_betas: tuple[float, float] = Field((0.5, 0.999), description="Decay of Adam's two averages.")


# The objective's options by family; a new family adds its line.
OPTIONS: dict[str, type[Options]] = {
    "ae": AEOptions,
    "dae": DAEOptions,
    "vae": VAEOptions,
    "cvae": CVAEOptions,
    "avb": AVBOptions,
    "gan": DenseGANOptions,
    "dcgan": GANOptions,
    "cgan": GANOptions,
    "vae-gan": VAEGANOptions,
    "alpha-gan": AlphaGANOptions,
}
