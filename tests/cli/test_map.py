"""`latentlab.project` and `latentlab map`: where encodings lie, and what the places between them decode to."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import latentlab
from latentlab import cli
from latentlab.api.exploring import explorable
from latentlab.api.projecting import lattice
from latentlab.core.errors import DataError, OptionError


def test_a_model_is_projected_and_back(vae: Path) -> None:
    model = latentlab.open_model(vae, device="cpu")
    encodings = model.encodings
    assert encodings is not None
    made = latentlab.project(model, "pca", x=2, y=3)
    assert (made.layout_.shape, made.layout_.dtype) == ((60, 2), np.float32)
    np.testing.assert_allclose(made.layout_, encodings.principal.transform(encodings.latents)[:, 1:3], atol=1e-5)
    np.testing.assert_allclose(made.transform(encodings.latents[:4]), made.layout_[:4], atol=1e-5)
    found = made.inverse(made.layout_[:4], near=encodings.latents[0])
    np.testing.assert_allclose(found.latents[0], encodings.latents[0], atol=1e-4)
    plane = latentlab.project(model, "plane", x="Smiling", y="dimension 1")
    assert plane.axes == ("Smiling", "dimension 1")
    np.testing.assert_allclose(plane.layout_[:, 1], encodings.latents[:, 0], atol=1e-5)
    settled = latentlab.project(model, "tsne", iterations=10, perplexity=5, seed=1)
    assert np.isfinite(settled.layout_).all()
    assert not settled.inverse(settled.layout_[:1]).exact


def test_what_cannot_be_projected_is_said(vae: Path) -> None:
    model = latentlab.open_model(vae, device="cpu")
    for arguments, said in (
        ({"projection": "tsn"}, "Did you mean 'tsne'"),
        ({"projection": "plane"}, "needs two axes"),
        ({"projection": "plane", "x": "Smilling", "y": "dimension 1"}, "Did you mean 'Smiling'"),
        ({"projection": "tsne", "x": "1"}, "no axes"),
        ({"projection": "tsne", "perplexty": 5}, "perplexty"),
    ):
        with pytest.raises(OptionError, match=said):
            latentlab.project(model, **arguments)  # type: ignore[arg-type]
    import torch

    bare = explorable(torch.nn.Linear(6, 64))
    with pytest.raises(DataError, match="no encodings to map"):
        latentlab.project(bare)


def test_a_lattice_decodes_the_places_of_the_map(vae: Path) -> None:
    model = latentlab.open_model(vae, device="cpu")
    made = latentlab.project(model)
    images, places = lattice(model, made, 6)
    assert images.shape == (len(places), 16, 16, 3)
    assert len(places) % 6 == 0
    np.testing.assert_array_equal(images, model.decode(made.inverse(places).latents))
    assert (np.diff(places[:6, 0]) > 0).all(), "to the right"
    assert places[0, 1] >= places[-1, 1], "from the top down"


def test_the_command_writes_places_or_pictures(vae: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = latentlab.open_model(vae, device="cpu")
    made = latentlab.project(model)
    table, sheet = tmp_path / "map.csv", tmp_path / "map.png"
    assert cli.main(["map", str(vae), "-o", str(table)]) == 0
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["index", "name", "label", "x", "y", "Eyeglasses", "Smiling"]
    np.testing.assert_allclose([[float(row["x"]), float(row["y"])] for row in rows], made.layout_, rtol=1e-5)
    assert model.encodings is not None
    assert rows[3]["label"] == model.encodings.label_of(3)
    assert {row["Smiling"] for row in rows} == {"0", "1"}
    assert cli.main(["map", str(vae), "-o", str(sheet), "--columns", "5"]) == 0
    images, _ = lattice(model, made, 5)
    with Image.open(sheet) as image:
        shown = np.asarray(image)
    assert shown.shape == (len(images) // 5 * 16, 80, 3)
    np.testing.assert_array_equal(shown[:16, :16], images[0])
    for arguments, said in ((["-o", str(tmp_path / "m.gif")], "neither in .csv"), (["--projection", "tsn"], "tsne")):
        assert cli.main(["map", str(vae), "-o", str(sheet), *arguments]) == 2
        assert said in capsys.readouterr().err
