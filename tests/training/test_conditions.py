"""Conditional families: what they are told of the data, that it counts, and how that is judged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from latentlab.core.checkpoint_file import read_encodings, read_header
from latentlab.core.condition import Condition, known_conditions
from latentlab.core.errors import DataError, OptionError
from latentlab.measure.classifier import Targets, fit_classifier
from latentlab.models.cvae import CVAE, CVAEArchitecture
from latentlab.models.loading import load_native
from latentlab.models.torch_model import TorchModel
from latentlab.models.vae import VAE
from training.conditions import Told, told_of
from training.config import config_from
from training.data import Dataset, load
from training.judging import of_conditions
from training.loop import train
from training.objectives.cvae import hidden
from training.sheets import row_conditions

MLP = {"network": "mlp", "hidden": 96, "latent_dim": 4}


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load("digits")


@pytest.fixture(scope="module")
def checkpoint(digits: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = config_from(
        family="cvae",
        epochs=6,
        batch_size=32,
        architecture=MLP,
        objective={"likelihood": "bce", "learning_rate": 3e-3},
        encodings=60,
        threads=1,
        evaluate_every=20,
    )
    return train(config, digits, tmp_path_factory.mktemp("cvae"))


@pytest.fixture
def model(checkpoint: Path) -> TorchModel:
    return load_native(checkpoint, "cpu")


def test_the_checkpoint_says_what_can_be_asked(checkpoint: Path, model: TorchModel) -> None:
    header = read_header(checkpoint)
    assert (header.conditional, header.conditional_attributes) == (True, [])
    assert model.info.conditional == tuple(str(digit) for digit in range(10))
    assert (header.architecture["classes"], header.architecture["attributes"]) == (10, 0)


def test_the_same_latent_is_drawn_as_whichever_class_is_asked_for(model: TorchModel, digits: Dataset) -> None:
    assert digits.labels is not None
    means = np.stack([digits.images[digits.labels == label].mean(axis=0) for label in range(10)])
    drawn = model.decode(np.zeros((10, 4), np.float32), condition=range(10))
    distances = np.square(drawn[:, None].astype(float) - means[None]).mean(axis=(2, 3, 4))
    assert (distances.argmin(axis=1) == np.arange(10)).sum() >= 9
    np.testing.assert_array_equal(drawn[3], model.decode(np.zeros(4, np.float32), condition=3)[0])
    np.testing.assert_array_equal(drawn[3], model.decode(np.zeros(4, np.float32), condition=Condition(3))[0])


def test_each_picture_is_encoded_with_its_own_class(checkpoint: Path, model: TorchModel, digits: Dataset) -> None:
    encodings = read_encodings(checkpoint)
    assert encodings is not None
    assert encodings.kl_per_dimension is not None
    shown = digits.limited(60)
    told = known_conditions(shown, np.arange(60), model.info.conditional or (), ())
    assert [condition.label for condition in told] == shown.labels.tolist()  # type: ignore[union-attr]
    np.testing.assert_allclose(encodings.latents, model.encode(shown.images, condition=told), atol=1e-4)
    one_for_all = model.encode(shown.images, condition=0)
    of_class_0 = shown.labels == 0
    assert np.abs(encodings.latents - one_for_all)[~of_class_0].max() > 0.1


def test_a_fitted_prior_is_of_each_condition_and_changes_no_picture() -> None:
    network = CVAE(CVAEArchitecture(image_size=8, channels=1, latent_dim=2, network="mlp", hidden=8, classes=2)).eval()
    torch.manual_seed(0)
    labels_N = torch.arange(400) % 2
    asked_NK = torch.nn.functional.one_hot(labels_N, 2).float()
    # Class 1 lies elsewhere, and is spread three times as far.
    means_ND = torch.randn(400, 2) * (1 + 2 * labels_N[:, None]) + 10.0 * labels_N[:, None]
    fitted = network.with_fitted_prior(means_ND, torch.zeros(400, 2), asked_NK)
    images_BCHW = torch.rand(2, 1, 8, 8) * 2 - 1
    with torch.no_grad():
        codes_BD = fitted.encode(images_BCHW, asked_NK[:2])
        plain_BD = network.encode(images_BCHW, asked_NK[:2])
        decoded = fitted.decode(codes_BD, asked_NK[:2])
        assert torch.allclose(decoded, network.decode(plain_BD, asked_NK[:2]), atol=1e-5)
        # The network's own latents of draws of either class lie as the encodings of that class do.
        draws_ND = torch.from_numpy(fitted.spaces[0].sample(4000, seed=1))
        seen: list[torch.Tensor] = []
        fitted.decoder.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
        for label in (0, 1):
            fitted.decode(draws_ND, asked_NK[label].expand(4000, 2))
            known_ND = means_ND[labels_N == label]
            assert torch.allclose(seen[-1].mean(0), known_ND.mean(0), atol=0.2)
            assert torch.allclose(seen[-1].std(0), known_ND.std(0), rtol=0.1)


def test_attributes_are_told_too(tmp_path: Path) -> None:
    avatars = load("avatars", size=16, limit=120)
    config = config_from(
        family="cvae", epochs=1, batch_size=16, architecture={"latent_dim": 3, "width": 4, "classes": 0}, encodings=10,
        threads=1,
    )  # fmt: skip
    path = train(config, avatars, tmp_path / "run")
    header, model = read_header(path), load_native(path, "cpu")
    assert header.conditional is False
    assert model.info.conditional is None
    assert "Eyeglasses" in model.info.conditional_attributes
    count = len(model.info.conditional_attributes)
    with_all, without = (Condition(None, (value,) * count) for value in (1.0, 0.0))
    latent = model.sample(1)
    assert not np.array_equal(model.decode(latent, condition=with_all), model.decode(latent, condition=without))


def test_the_latent_has_directions_only_of_what_is_not_asked_for(checkpoint: Path, model: TorchModel) -> None:
    assert model.encodings is not None
    assert model.encodings.labels is not None
    assert not model.directions
    plain = TorchModel(model.network, replace(model.info, conditional=None), model.encodings, device="cpu")
    assert set(plain.directions) == {str(digit) for digit in range(10)}


# --- what the data says


def some(labels: list[int] | None, attributes: list[list[float]] | None = None) -> Dataset:
    count = len(labels or attributes or [])
    names = ("Smiling", "Age", "Human")
    return Dataset(
        "some",
        np.zeros((count, 8, 8, 1), np.uint8),
        labels=None if labels is None else np.array(labels),
        label_names=() if labels is None else ("cat", "dog"),
        attributes=None if attributes is None else np.array(attributes, np.float32),
        attribute_names=() if attributes is None else names,
    )


def test_quantities_and_what_all_pictures_have_are_not_told() -> None:
    data = some([0, 1, 1], [[1, 40.5, 1], [0, 12, 1], [np.nan, 7, 1]])
    assert told_of(data, CVAE, {}) == Told(("cat", "dog"), ("Smiling",))
    assert told_of(data, CVAE, {"classes": 0}) == Told((), ("Smiling",))
    assert told_of(data, VAE, {}) is None
    reduced = Told((), ("Smiling",)).of(data)
    assert reduced.attributes is not None
    assert reduced.attributes.shape == (3, 1)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (some(None, [[1, 2.5, 1], [1, 3.5, 1]]), "no classes and no attribute"),
        (some([1, 1, 1]), "one class and no attribute"),
    ],
)
def test_data_that_says_nothing_is_refused(data: Dataset, says: str) -> None:
    with pytest.raises(DataError, match=says):
        told_of(data, CVAE, {})


def test_other_numbers_of_classes_are_refused() -> None:
    with pytest.raises(OptionError, match="2 classes to ask for, not 3"):
        told_of(some([0, 1]), CVAE, {"classes": 3})
    with pytest.raises(OptionError, match="both left out"):
        told_of(some([0, 1]), CVAE, {"classes": 0})


def test_what_is_hidden_becomes_unknown() -> None:
    asked_BK = torch.tensor([[0.0, 1.0, 1.0, 0.0]]).repeat(4000, 1)
    torch.manual_seed(0)
    shown_BK = hidden(asked_BK, 2, 0.25)
    of_class_B, of_attribute_B = shown_BK[:, :2].sum(dim=1), shown_BK[:, 2]
    assert set(of_class_B.tolist()) == {0.0, 1.0}
    assert set(of_attribute_B.tolist()) == {0.5, 1.0}
    assert of_class_B.mean().item() == pytest.approx(0.75, abs=0.05)
    assert torch.equal(hidden(asked_BK, 2, 0.0), asked_BK)


# --- looking and judging


def test_a_sheet_has_a_row_for_each_class(model: TorchModel) -> None:
    assert torch.equal(row_conditions(model.network), torch.eye(10))  # type: ignore[arg-type]
    assert row_conditions(VAE(VAE.Parameters(name="vae", image_size=8, channels=1, latent_dim=2, width=4))) is None


def test_draws_of_another_class_than_was_asked_for_are_counted(model: TorchModel) -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(400) % 2
    images = (rng.integers(0, 60, (400, 8, 8, 1)) + 180 * labels[:, None, None, None]).astype(np.uint8)
    data = Dataset("two", images, labels=labels, label_names=("dark", "bright"))
    classifier = fit_classifier(images, Targets(labels=labels, classes=2), steps=40, device=torch.device("cpu"))
    asker = TorchModel(model.network, replace(model.info, conditional=("dark", "bright")), device="cpu")
    drawn = images[:100].copy()
    drawn[:20:2] = images[1]  # ten of the fifty that should be dark are bright
    figures = of_conditions(asker, classifier, drawn, data.subset(np.arange(100)), data)
    assert figures["class_accuracy_of_held_out_data"] == 1.0
    assert figures["class_accuracy"] == pytest.approx(0.9)
    assert figures["class_accuracy_by_class"] == {"dark": 0.8, "bright": 1.0}
