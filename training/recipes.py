"""Whole configurations by name: what the bundled models are made with, and sensible beginnings for every data set.

A recipe is a function without arguments that returns the configuration; options on the command line change it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from latentlab.core.errors import OptionError, did_you_mean
from training.config import TrainingConfig, config_from


def faces_vae() -> TrainingConfig:
    """assets/faces-vae.safetensors: cartoon faces, 64 px; about 45 minutes on one core with bfloat16."""
    return config_from(
        family="vae",
        recipe="faces-vae",
        architecture={"latent_dim": 128, "width": 48, "patch": 2},
        objective={"edges": 1.0, "attributes": 30.0, "learning_rate": 2e-3},
        epochs=260,
        batch_size=32,
        schedule="cosine",
        warmup_steps=100,
        ema=0.999,
        augment=("flip",),
        gradient_clip=10_000,
        evaluate_every=5,
        fit_prior=True,
        half=True,
    )


def faces_vae_128() -> TrainingConfig:
    """assets/faces-vae-128.safetensors: begins with faces-vae; cartoon faces, 128 px; 32 minutes on one core.

    Four times the pixels, so what stands beside their likelihood weighs more: the labels four times, the KL twice.
    """
    return config_from(
        family="vae",
        recipe="faces-vae-128",
        architecture={"latent_dim": 128, "width": 48, "patch": 4},
        objective={"start_from": "faces-vae", "beta": 2.0, "edges": 1.0, "attributes": 120.0, "learning_rate": 7e-4},
        epochs=36,
        batch_size=16,
        schedule="cosine",
        warmup_steps=100,
        ema=0.999,
        augment=("flip",),
        gradient_clip=40_000,
        evaluate_every=4,
        fit_prior=True,
        half=True,
    )


def faces_alpha_gan() -> TrainingConfig:
    """assets/faces-alpha-gan.safetensors: begins with faces-vae; cartoon faces, 64 px; about 16 minutes on one core."""
    return config_from(
        family="alpha-gan",
        recipe="faces-alpha-gan",
        architecture={"latent_dim": 128, "width": 48, "patch": 2, "prior": "empirical"},
        objective={
            "start_from": "faces-vae",
            "loss": "non-saturating",
            "reconstruction": 10.0,
            "edges": 1.0,
            "code": 0.1,
            "attributes": 0.1,
            "discriminator": "encoder",
            "discriminators_first": 120,
            "encoder_every": 4,
            "r1": 0.1,
            "diffaugment": ["translation"],
            "learning_rate": 3e-4,
            "encoder_learning_rate": 2e-4,
            "code_learning_rate": 1e-4,
            "adam_betas": [0.5, 0.99],
        },
        epochs=11,
        batch_size=16,
        schedule="cosine",
        warmup_steps=50,
        ema=0.995,
        flip=True,
        half=True,
    )


def fashion_dcgan() -> TrainingConfig:
    """assets/fashion-dcgan.safetensors: Fashion-MNIST, 28 px; about 15 minutes on one core with bfloat16."""
    return config_from(
        family="dcgan",
        recipe="fashion-dcgan",
        architecture={"latent_dim": 100, "width": 48},
        epochs=12,
        batch_size=64,
        schedule="cosine",
        ema=0.999,
        half=True,
    )


def digits_cgan() -> TrainingConfig:
    """assets/digits-cgan.safetensors: MNIST, asked for a class; about 24 minutes on one core without bfloat16."""
    return config_from(
        family="cgan",
        recipe="digits-cgan",
        architecture={"latent_dim": 64, "width": 24},
        epochs=9,
        batch_size=64,
        schedule="cosine",
        ema=0.999,
        half=True,
    )


def digits_vae_2d() -> TrainingConfig:
    """assets/digits-vae-2d.safetensors: MNIST with two latent numbers; about 5 minutes on one core with bfloat16."""
    return config_from(
        family="vae",
        recipe="digits-vae-2d",
        architecture={"latent_dim": 2, "width": 32, "patch": 2},
        objective={"likelihood": "bce"},
        epochs=15,
        batch_size=128,
        schedule="cosine",
        ema=0.999,
        half=True,
    )


def mnist_vae_mlp() -> TrainingConfig:
    """No bundled model: 784-400-20 on MNIST, what the field's examples train; about 3 minutes on one core."""
    return config_from(
        family="vae",
        recipe="mnist-vae-mlp",
        architecture={"latent_dim": 20, "network": "mlp", "hidden": 400},
        objective={"likelihood": "bce", "learning_rate": 2e-3},
        epochs=10,
        batch_size=64,
        schedule="cosine",
        ema=0.999,
    )


def mnist_cvae() -> TrainingConfig:
    """No bundled model: a conditional VAE of MNIST whose draws are the digit asked for; minutes on one core."""
    return config_from(
        family="cvae",
        recipe="mnist-cvae",
        architecture={"latent_dim": 8, "network": "mlp", "hidden": 400},
        # A KL twice as dear leaves to the class what the class can say.
        objective={"likelihood": "bce", "beta": 2.0},
        epochs=12,
        batch_size=128,
        schedule="cosine",
        ema=0.999,
        fit_prior=True,
    )


def dcgan_paper() -> TrainingConfig:
    """No bundled model: layers, prior, batch normalisation and Adam of the DCGAN paper; for pictures of 64 px."""
    return config_from(
        family="dcgan",
        recipe="dcgan-paper",
        architecture={"latent_dim": 100, "width": 64, "prior": "uniform"},
        objective={"spectral_norm": False, "label_smoothing": 0.0, "learning_rate": 2e-4, "adam_betas": (0.5, 0.999)},
        epochs=25,
        batch_size=128,
    )


RECIPES: dict[str, Callable[[], TrainingConfig]] = {
    "faces-vae": faces_vae,
    "faces-vae-128": faces_vae_128,
    "faces-alpha-gan": faces_alpha_gan,
    "fashion-dcgan": fashion_dcgan,
    "digits-cgan": digits_cgan,
    "digits-vae-2d": digits_vae_2d,
    "dcgan-paper": dcgan_paper,
    "mnist-cvae": mnist_cvae,
    "mnist-vae-mlp": mnist_vae_mlp,
}


def recipe(name: str) -> TrainingConfig:
    """Raises OptionError for an unknown name."""
    if name not in RECIPES:
        raise OptionError(f"There is no recipe '{name}'.{did_you_mean(name, RECIPES)}")
    return RECIPES[name]()


def defaults(family: str, data: str = "", image_size: int = 64) -> dict[str, Any]:
    """A beginning for `family` on `data` with pictures of `image_size` px: values for `config_from`."""
    small = image_size <= 32
    values: dict[str, Any] = {"family": family, "data": data, "ema": 0.999, "batch_size": 128, "epochs": 30}
    if family in ("ae", "dae", "vae", "avb", "cvae", "vae-gan", "alpha-gan"):
        patch = 2 if image_size >= 28 and image_size % 2 == 0 else 1
        values["architecture"] = {"latent_dim": 16 if small else 64, "width": 32, "patch": patch}
        values["fit_prior"] = family == "cvae"  # draws of a class from where its encodings lie
        values["schedule"] = "cosine"
        values["augment"] = ("flip",) if data in ("avatars", "celeba", "cifar10", "fashion-mnist") else ()
    elif family == "gan":
        values["architecture"] = {"latent_dim": 100}
    else:
        values["architecture"] = {"latent_dim": 100, "width": 32 if small else 64}
    if data == "digits":
        values["epochs"] = 200  # 1,797 pictures: an epoch takes a second
    return values
