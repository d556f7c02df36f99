"""A real checkpoint that a test can afford: random weights, real encodings, written by our own writer."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

COUNT, DIM, SIDE = 200, 6, 16


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch

    from latentlab.core.checkpoint_file import Header, ImageSpec, SpaceSpec, write_checkpoint
    from latentlab.core.encodings import EncodingSet, StoredPCA, Thumbnails
    from latentlab.models.loading import weights_of
    from latentlab.models.vae import VAE, VAEArchitecture

    torch.manual_seed(0)
    architecture = VAEArchitecture(image_size=SIDE, channels=3, latent_dim=DIM, network="mlp", hidden=32)
    network = VAE(architecture).eval()
    latents = np.random.default_rng(0).standard_normal((COUNT, DIM)).astype(np.float32)
    with torch.inference_mode():
        pictures = ((network.decode(torch.from_numpy(latents)) + 1) * 127.5).permute(0, 2, 3, 1).byte().numpy()
    coded = [_png(picture) for picture in pictures]
    encodings = EncodingSet(
        latents,
        attributes=(latents[:, :2] > 0).astype(np.float32),
        attribute_names=("Eyeglasses", "Smiling"),
        thumbnails=Thumbnails(b"".join(coded), np.cumsum([0, *map(len, coded)])),
        pca=StoredPCA.fit(latents),
    )
    header = Header(
        family="vae",
        architecture=architecture.model_dump(),
        spaces=[SpaceSpec(shape=[DIM])],
        image=ImageSpec(height=SIDE, width=SIDE, channels=3),
        encoder=True,
    )
    path = tmp_path_factory.mktemp("models") / "tiny.safetensors"
    write_checkpoint(path, header, weights_of(network), encodings)
    return path


def _png(picture: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()
