"""Tiny networks of every family."""

from __future__ import annotations

from typing import Any

import torch

from latentlab.core.checkpoint_file import Header, ImageSpec, SpaceSpec
from latentlab.models.conditioning import Conditional
from latentlab.models.family import Network, architecture_from

TINY: dict[str, dict[str, Any]] = {
    "vae": {"name": "vae", "image_size": 16, "channels": 3, "latent_dim": 5, "width": 4},
    "vae 28 px grey": {"name": "vae", "image_size": 28, "channels": 1, "latent_dim": 1, "width": 4, "patch": 2},
    "vae residual odd": {"name": "vae", "image_size": 21, "channels": 3, "latent_dim": 3, "width": 4, "residual": 1},
    "vae mlp": {"name": "vae", "image_size": 28, "channels": 1, "latent_dim": 20, "network": "mlp", "hidden": 30},
    "vae empirical": {"name": "vae", "image_size": 8, "channels": 1, "latent_dim": 4, "width": 4, "prior": "empirical"},
    "ae": {"name": "ae", "image_size": 16, "channels": 3, "latent_dim": 5, "width": 4},
    "dae mlp": {"name": "dae", "image_size": 9, "channels": 1, "latent_dim": 3, "network": "mlp", "hidden": 20},
    "cvae": {"name": "cvae", "image_size": 16, "channels": 3, "latent_dim": 5, "width": 4, "patch": 2, "classes": 3},
    "cvae attributes": {
        "name": "cvae", "image_size": 9, "channels": 1, "latent_dim": 3, "width": 4, "attributes": 2,
        "prior": "empirical",
    },
    "cvae mlp": {
        "name": "cvae", "image_size": 8, "channels": 1, "latent_dim": 4, "network": "mlp", "hidden": 20,
        "classes": 2, "attributes": 1,
    },
    "avb": {"name": "avb", "image_size": 16, "channels": 3, "latent_dim": 4, "width": 4, "responses": 5},
    "avb mlp empirical": {
        "name": "avb", "image_size": 9, "channels": 1, "latent_dim": 2, "network": "mlp", "hidden": 20, "responses": 4,
        "prior": "empirical",
    },
    "dcgan": {"name": "dcgan", "image_size": 16, "channels": 3, "latent_dim": 100, "width": 4},
    "dcgan 28 px uniform": {
        "name": "dcgan", "image_size": 28, "channels": 1, "latent_dim": 7, "width": 4, "prior": "uniform",
    },
    "gan": {"name": "gan", "image_size": 9, "channels": 3, "latent_dim": 6, "hidden": [12, 20]},
    "cgan": {"name": "cgan", "image_size": 16, "channels": 1, "latent_dim": 6, "width": 4, "classes": 3},
    "cgan attributes": {
        "name": "cgan", "image_size": 8, "channels": 3, "latent_dim": 4, "width": 4, "classes": 2, "attributes": 2,
    },
    "vae-gan": {"name": "vae-gan", "image_size": 16, "channels": 3, "latent_dim": 4, "width": 4},
    "alpha-gan": {"name": "alpha-gan", "image_size": 16, "channels": 3, "latent_dim": 6, "width": 4, "patch": 2},
    "alpha-gan empirical": {
        "name": "alpha-gan", "image_size": 8, "channels": 1, "latent_dim": 4, "width": 4, "prior": "empirical",
    },
}  # fmt: skip


def tiny_network(kind: str = "vae", **changes: Any) -> Network:
    """A network with weights that do not depend on what ran before."""
    network_class, architecture = architecture_from(TINY[kind] | changes)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return network_class(architecture).eval()


def header_of(network: Network, **changes: Any) -> Header:
    a = network.architecture
    values: dict[str, Any] = {
        "family": a.name,
        "architecture": a.model_dump(mode="json"),
        "spaces": [
            SpaceSpec(name=s.name, shape=list(s.shape), prior=s.prior, std=None if s.std is None else s.std.tolist())
            for s in network.spaces
        ],
        "image": ImageSpec(height=a.image_size, width=a.image_size, channels=a.channels),
        "encoder": network.encodes,
    }
    if isinstance(a, Conditional):
        values["classes"] = [f"class {index}" for index in range(a.classes)]
        values["conditional"] = a.classes > 0
        values["conditional_attributes"] = [f"attribute {index}" for index in range(a.attributes)]
    return Header(**values | changes)
