"""Figures of draws: beside pictures from all over the held-out data, however the data are sorted."""

from __future__ import annotations

import numpy as np

from latentlab.models.torch_model import model_of
from latentlab.models.vae import VAE, VAEArchitecture
from training.data import Dataset, load
from training.data.dataset import Part
from training.evaluate import of_samples


def test_data_sorted_by_class_do_not_bias_the_judgement() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 200)
    images = (rng.integers(0, 60, (400, 8, 8, 1)) + 180 * labels[:, None, None, None]).astype(np.uint8)
    data = Dataset("sorted", images, labels=labels, label_names=("dark", "bright"))
    train_idx, held_out_idx = data.split(0, 0.5)
    held_out = data.subset(held_out_idx)
    model = model_of(VAE(VAEArchitecture(image_size=8, channels=1, latent_dim=2, width=4)))
    # "Draws" as good as the data themselves: half of either class.
    drawn = held_out.images[::4]
    figures = of_samples(model, drawn, Part(data, train_idx), held_out)
    of_one_class = of_samples(model, held_out.images[: len(drawn)], Part(data, train_idx), held_out)
    assert figures["frechet_distance"] < 0.2 * of_one_class["frechet_distance"]
    assert figures["coverage"] > 0.5


def test_a_part_gives_what_a_copy_of_it_would() -> None:
    data = load("digits", limit=40)
    rows = np.arange(1, 40, 3)
    part, copied = Part(data, rows), data.subset(rows)
    assert (len(part), part.name) == (len(copied), copied.name)
    for count in (5, 100):
        np.testing.assert_array_equal(part.limited(count, 3).images, copied.limited(count, 3).images)
    chosen = np.array([7, 0, 7])
    np.testing.assert_array_equal(part.subset(chosen).images, copied.subset(chosen).images)
