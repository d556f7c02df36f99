"""ONNX decoders: what a graph says, what is measured, what is asked, and what is refused before it runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from torch import nn

from latentlab.core.errors import CheckpointError, OptionError
from latentlab.core.readings import in_words, remember
from latentlab.formats import open_checkpoint
from latentlab.formats.any_module import SPATIAL_WARNING
from latentlab.formats.guessing import run
from latentlab.formats.onnx_graph import read_graph
from latentlab.measure.inversion import invert
from latentlab.models.torch_model import TorchModel
from tests.formats.samples_a import decoder, decoder_nodes, graph_of, onnx_decoder

PLAIN: dict[str, Any] = {"inputs": {"z": ["N", 6]}, "outputs": {"y": ["N", 3, 8, 8]}}


def written(path: Path, nodes: list[onnx.NodeProto], weights: Any, types: Any = None, **ports: Any) -> Path:
    model = graph_of(
        nodes, ports.get("inputs", PLAIN["inputs"]), ports.get("outputs", PLAIN["outputs"]), weights, types
    )
    path.write_bytes(model.SerializeToString())
    return path


def drawn(network: nn.Module, latents: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    with torch.no_grad():
        made: np.ndarray[Any, Any] = network(torch.from_numpy(latents)).permute(0, 2, 3, 1).numpy()
    return made


def test_the_same_pictures_as_torch(tmp_path: Path) -> None:
    model = open_checkpoint(onnx_decoder(tmp_path / "faces.onnx"), device="cpu")
    assert (model.info.format, model.info.image.height, model.info.encoder) == ("ONNX decoder", 8, False)
    assert (model.info.spaces[0].name, model.info.spaces[0].shape, model.info.warnings) == ("z", (6,), ())
    latents = model.sample(5)
    np.testing.assert_allclose(model.decode_float(latents), (drawn(decoder(), latents) + 1) / 2, atol=1e-5)
    with pytest.raises(OptionError, match="no encoder"):
        model.encode(np.zeros((1, 8, 8, 3), np.uint8))
    assert isinstance(model, TorchModel)
    assert not model.info.invertible
    with patch.object(TorchModel, "decode_float") as decoded, pytest.raises(OptionError, match="no gradient"):
        invert(model, np.zeros((8, 8, 3), np.uint8), steps=2)
    decoded.assert_not_called()  # said before 256 starts are drawn, half a minute of a large graph


@pytest.mark.parametrize("axis", [None, 1, 3])
@pytest.mark.parametrize("layout", ["NHWC", "uint8", "flat"])
def test_layouts_types_and_batch_axes(tmp_path: Path, layout: str, axis: int | None) -> None:
    """Batches of any number, of one and of three; pictures in other layouts: the same pictures."""
    network = decoder(last=nn.Sigmoid())
    nodes, weights = decoder_nodes(network)
    nodes.append(helper.make_node("Sigmoid", ["y"], ["picture"]))
    size, types = axis or "N", {}
    outputs = {"out": [size, 8, 8, 3]}
    if layout == "NHWC":
        nodes.append(helper.make_node("Transpose", ["picture"], ["out"], perm=[0, 2, 3, 1]))
    elif layout == "flat":
        nodes.append(helper.make_node("Flatten", ["picture"], ["out"]))
        outputs = {"out": [size, 192]}
    else:
        nodes += [
            helper.make_node("Mul", ["picture", "most"], ["scaled"]),
            helper.make_node("Round", ["scaled"], ["rounded"]),
            helper.make_node("Cast", ["rounded"], ["bytes"], to=TensorProto.UINT8),
            helper.make_node("Transpose", ["bytes"], ["out"], perm=[0, 2, 3, 1]),
        ]
        weights["most"], types = np.array(255, np.float32), {"out": TensorProto.UINT8}
    path = written(tmp_path / "g.onnx", nodes, weights, types, inputs={"z": [size, 6]}, outputs=outputs)
    model = open_checkpoint(path, device="cpu")
    latents = model.sample(4)
    close = 0.5 / 255 + 1e-5 if layout == "uint8" else 1e-5
    np.testing.assert_allclose(model.decode_float(latents), drawn(network, latents), atol=close)
    assert bool(model.info.guessed) == (layout != "uint8")


def test_without_a_batch_axis(tmp_path: Path) -> None:
    nodes, weights = decoder_nodes(decoder())
    nodes.insert(0, helper.make_node("Reshape", ["vector", "row"], ["z"]))
    nodes += [helper.make_node("Tanh", ["y"], ["p"]), helper.make_node("Squeeze", ["p", "first"], ["picture"])]
    weights |= {"row": np.array([1, 6], np.int64), "first": np.array([0], np.int64)}
    path = written(tmp_path / "g.onnx", nodes, weights, inputs={"vector": [6]}, outputs={"picture": [3, 8, 8]})
    model = open_checkpoint(path, device="cpu")
    latents = model.sample(3)
    np.testing.assert_allclose(model.decode_float(latents), (drawn(decoder(), latents) + 1) / 2, atol=1e-5)


def test_a_range_that_is_guessed_is_asked_and_remembered(tmp_path: Path) -> None:
    nodes, weights = decoder_nodes(decoder())
    path = written(tmp_path / "g.onnx", nodes, weights)
    model = open_checkpoint(path, device="cpu")
    assert (model.info.guessed, model.info.reading) == (("range",), {"range": "tanh"})
    assert "what range its pictures have; guessed --range tanh" in model.info.warnings[0]
    guesses: list[Any] = []

    class Report:
        def progress(self, *arguments: object) -> None: ...
        def partial(self, guess: Any) -> None:
            guesses.append(guess)

    assert run(Report(), str(path), 2) == 4  # type: ignore[arg-type]
    assert [guess.range for guess in guesses] == ["tanh", "sigmoid", "none", "byte"]
    assert in_words(guesses[0].reading) == "tanh at the end"
    assert len({guess.images.tobytes() for guess in guesses}) == 4
    remember(path, "", "sigmoid")
    again = open_checkpoint(path, device="cpu")
    assert (again.info.guessed, again.info.reading["range"]) == ((), "sigmoid")
    np.testing.assert_array_equal(again.decode(again.sample(2)), guesses[1].images)


def spatial(scales: dict[str, int]) -> tuple[list[onnx.NodeProto], dict[str, np.ndarray[Any, Any]]]:
    """Maps of 4 channels to pictures so many times as large, one output for each."""
    rng = np.random.default_rng(0)
    nodes, weights = [], {}
    for name, scale in scales.items():
        weights[f"{name}.w"] = rng.standard_normal((4, 3, scale, scale)).astype(np.float32) / 4
        if scale > 1:
            weights[f"{name}.w"] -= weights[f"{name}.w"].mean(axis=(2, 3), keepdims=True)  # details, no base
        nodes.append(
            helper.make_node(
                "ConvTranspose", ["latent", f"{name}.w"], [name], strides=[scale, scale], kernel_shape=[scale, scale]
            )
        )
    return nodes, weights


def test_a_map_of_open_size_and_a_pyramid_of_outputs(tmp_path: Path) -> None:
    nodes, weights = spatial({"base": 1, "double": 2, "four": 4})
    outputs = {name: ["N", 3, "H", "W"] for name in ("base", "double", "four")}
    path = written(tmp_path / "g.onnx", nodes, weights, inputs={"latent": ["N", 4, "h", "w"]}, outputs=outputs)
    model = open_checkpoint(path, device="cpu", options={"latent": "4x6x5", "range": "tanh"})
    space = model.info.spaces[0]
    assert (space.name, space.shape, space.prior) == ("spatial", (4, 6, 5), "empirical")
    assert (model.info.image.height, model.info.image.width) == (24, 20)
    assert "which output is the picture; guessed --picture sum" in model.info.warnings[0]
    assert "Other outputs: four, double, base" in model.info.warnings[0]
    assert (model.info.guessed, model.info.reading["latent"]) == (("picture",), "4x6x5")
    assert open_checkpoint(path, device="cpu").info.spaces[0].shape == (4, 16, 16)
    latents = model.sample(2)
    maps = torch.from_numpy(latents).reshape(2, 4, 6, 5)
    levels = [
        nn.functional.conv_transpose2d(maps, torch.from_numpy(weights[f"{name}.w"]), stride=scale)
        for name, scale in (("base", 1), ("double", 2), ("four", 4))
    ]
    whole = sum(nn.functional.interpolate(level, size=(24, 20), mode="bilinear") for level in levels)
    assert isinstance(whole, torch.Tensor)
    expected = (whole.permute(0, 2, 3, 1).numpy() / 2 + 0.5).clip(0, 1)
    np.testing.assert_allclose(model.decode_float(latents), expected, atol=1e-5)
    one = open_checkpoint(path, device="cpu", options={"latent": "4x6x5", "range": "tanh", "picture": "double"})
    assert one.info.image.height == 12
    with pytest.raises(CheckpointError, match=r"no picture 'x' among its outputs\. Known: sum, four, double, base"):
        open_checkpoint(path, options={"picture": "x"})
    with pytest.raises(CheckpointError, match=r"takes latents of 4 x \? x \?, not of 3 x 6 x 5"):
        open_checkpoint(path, options={"latent": "3x6x5"})
    with pytest.raises(OptionError, match="--latent 4xx5 is no size"):
        open_checkpoint(path, options={"latent": "4xx5"})


def test_which_output_is_the_picture_is_asked_and_remembered_with_the_size(tmp_path: Path) -> None:
    nodes, weights = spatial({"base": 1, "four": 4})
    outputs = {name: ["N", 3, "H", "W"] for name in ("base", "four")}
    path = written(tmp_path / "g.onnx", nodes, weights, inputs={"latent": ["N", 4, "h", "w"]}, outputs=outputs)
    guesses: list[Any] = []

    class Report:
        def progress(self, *arguments: object) -> None: ...
        def partial(self, guess: Any) -> None:
            guesses.append(guess)

    assert run(Report(), str(path), 2, options={"latent": "4x6x5"}) == 6  # type: ignore[arg-type]
    assert [guess.picture for guess in guesses] == ["sum", "four", "base", "sum", "sum", "sum"]
    assert [guess.images.shape[1:3] for guess in guesses[:3]] == [(24, 20), (24, 20), (6, 5)]
    assert len({guess.range for guess in guesses if guess.picture == "sum"}) == 4
    assert in_words(guesses[1].reading).startswith("the output 'four', ")
    remember(path, "", "sigmoid", latent="4x6x5", picture="four")
    again = open_checkpoint(path, device="cpu")
    assert again.info.guessed == ()
    assert again.info.warnings == (SPATIAL_WARNING,)
    assert again.info.reading == {"range": "sigmoid", "picture": "four", "latent": "4x6x5"}
    assert again.info.spaces[0].shape == (4, 6, 5)
    remember(path, "", "none")  # of the rest nothing is said: it stays
    kept = open_checkpoint(path, device="cpu").info.reading
    assert kept == {"range": "none", "picture": "four", "latent": "4x6x5"}


def test_an_encoder_beside_it_in_a_folder(tmp_path: Path) -> None:
    onnx_decoder(tmp_path / "decoder.onnx")
    rng = np.random.default_rng(0)
    weights = {name: rng.standard_normal((192, 6)).astype(np.float32) / 9 for name in ("a", "b")}
    nodes = [helper.make_node("Flatten", ["picture"], ["flat"])]
    nodes += [helper.make_node("MatMul", ["flat", n], [out]) for n, out in (("a", "logvar"), ("b", "mu"))]
    written(
        tmp_path / "encoder.onnx", nodes, weights,
        inputs={"picture": ["N", 3, 8, 8]}, outputs={"logvar": ["N", 6], "mu": ["N", 6]},
    )  # fmt: skip
    model = open_checkpoint(tmp_path, device="cpu")
    assert (model.info.encoder, model.info.family) == (True, "vae")
    images = rng.integers(0, 256, (3, 8, 8, 3), np.uint8)
    rows = (images.transpose(0, 3, 1, 2) / 127.5 - 1).astype(np.float32).reshape(3, 192)
    np.testing.assert_allclose(model.encode(images), rows @ weights["b"], atol=1e-5)
    written(
        tmp_path / "encoder.onnx", nodes, weights,
        inputs={"picture": ["N", 3, 16, 16]}, outputs={"logvar": ["N", 6], "mu": ["N", 6]},
    )  # fmt: skip
    with pytest.raises(CheckpointError, match=r"does not take the pictures of .*: 3 x 16 x 16, not 3 x 8 x 8"):
        open_checkpoint(tmp_path)


@pytest.mark.parametrize(
    ("operator", "domain", "said"),
    [
        ("Loop", "", "holds a loop"),
        ("Evil", "my.operators", "operator 'Evil' of the library 'my.operators'"),
        ("EPContext", "com.microsoft", "runs code from elsewhere"),
    ],
)
def test_operators_that_are_not_run(tmp_path: Path, operator: str, domain: str, said: str) -> None:
    nodes, weights = decoder_nodes(decoder())
    nodes.append(helper.make_node(operator, ["y"], ["other"], domain=domain))
    with pytest.raises(CheckpointError, match=said):
        open_checkpoint(written(tmp_path / "g.onnx", nodes, weights))
    hidden = helper.make_graph([nodes.pop()], "inner", [], [])
    nodes.append(helper.make_node("If", ["yes"], ["b"], then_branch=hidden, else_branch=hidden))
    with pytest.raises(CheckpointError, match=said):
        open_checkpoint(written(tmp_path / "g.onnx", nodes, weights))


def with_weights_elsewhere(folder: Path, location: str, **entries: str) -> Path:
    path = onnx_decoder(folder / "g.onnx")
    model = onnx.load(path)
    tensor = next(tensor for tensor in model.graph.initializer if tensor.name == "3.weight")
    (folder / "weights.bin").write_bytes(tensor.raw_data)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, **entries}.items():
        tensor.external_data.add(key=key, value=value)
    path.write_bytes(model.SerializeToString())
    return path


def test_weights_in_a_file_of_the_same_folder(tmp_path: Path) -> None:
    model = open_checkpoint(with_weights_elsewhere(tmp_path, "weights.bin"), device="cpu")
    latents = model.sample(2)
    np.testing.assert_allclose(model.decode_float(latents), (drawn(decoder(), latents) + 1) / 2, atol=1e-5)


@pytest.mark.parametrize(
    ("location", "entries", "said"),
    [
        ("../weights.bin", {}, "outside of its own folder"),
        ("/etc/passwd", {}, "outside of its own folder"),
        ("C:\\weights.bin", {}, "outside of its own folder"),
        ("*/_ORT_MEM_ADDR_/*", {}, "outside of its own folder"),
        ("link.bin", {}, "outside of its own folder"),
        ("absent.bin", {}, "not beside it"),
        ("weights.bin", {"offset": "8"}, "claims 240 numbers|asks for more"),
        ("weights.bin", {"length": "99999999"}, "asks for more"),
        ("weights.bin", {"length": "-1"}, "asks for more"),
    ],
)
def test_weights_elsewhere_are_not_read(tmp_path: Path, location: str, entries: dict[str, str], said: str) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(bytes(2000))
    (folder / "link.bin").symlink_to(tmp_path / "secret")
    with pytest.raises(CheckpointError, match=said):
        open_checkpoint(with_weights_elsewhere(folder, location, **entries))


def test_claims_are_checked_before_anything_is_allocated(tmp_path: Path) -> None:
    model = onnx.load(onnx_decoder(tmp_path / "g.onnx"))
    model.graph.initializer[0].dims[0] = 2**40
    (tmp_path / "g.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(CheckpointError, match="claims 6,597,069,766,656 numbers"):
        open_checkpoint(tmp_path / "g.onnx")


def test_memory_is_bounded_while_it_runs(tmp_path: Path) -> None:
    nodes, weights = decoder_nodes(decoder())
    nodes += [
        helper.make_node("ConstantOfShape", ["huge"], ["zeros"]),
        helper.make_node("ReduceSum", ["zeros"], ["nothing"], keepdims=0),
        helper.make_node("Add", ["y", "nothing"], ["picture"]),
    ]
    weights["huge"] = np.array([2**36], np.int64)
    path = written(tmp_path / "g.onnx", nodes, weights, outputs={"picture": ["N", 3, 8, 8]})
    with pytest.raises(CheckpointError, match="could not run the graph"):
        open_checkpoint(path)


def test_functions_that_stand_for_very_many_nodes_are_refused(tmp_path: Path) -> None:
    nodes, weights = decoder_nodes(decoder())
    nodes.append(helper.make_node("f0", ["y"], ["picture"], domain="own"))
    model = graph_of(nodes, PLAIN["inputs"], {"picture": ["N", 3, 8, 8]}, weights)
    opset = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    for level in range(12):
        called, domain = (f"f{level + 1}", "own") if level < 11 else ("Relu", "")
        inner = [helper.make_node(called, ["x"], [f"y{i}"], domain=domain) for i in range(10)]
        model.functions.append(helper.make_function("own", f"f{level}", ["x"], ["y0"], inner, opset))
    (tmp_path / "g.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(CheckpointError, match=r"nodes; at most 200,000"):
        open_checkpoint(tmp_path / "g.onnx")


def test_what_draws_no_pictures_is_said_so(tmp_path: Path) -> None:
    nodes, weights = decoder_nodes(decoder())
    nodes.append(helper.make_node("ReduceMean", ["y"], ["score"], axes=[2, 3], keepdims=0))
    path = written(tmp_path / "g.onnx", nodes, weights, outputs={"score": ["N", 3]})
    with pytest.raises(CheckpointError, match=r"draws no pictures: its outputs are 'score' \(3,\)"):
        open_checkpoint(path)
    path = written(tmp_path / "g.onnx", nodes, weights, inputs={"z": ["N", "D"]})
    with pytest.raises(CheckpointError, match="Say it: --latent 64"):
        open_checkpoint(path)
    assert open_checkpoint(path, options={"latent": "6"}).info.spaces[0].dim == 6
    whole = [helper.make_node("Relu", ["x"], ["same"])]
    path = written(tmp_path / "g.onnx", whole, {}, inputs={"x": ["N", 3, 32, 32]}, outputs={"same": ["N", 3, 32, 32]})
    with pytest.raises(CheckpointError, match="a whole autoencoder"):
        open_checkpoint(path)
    two = {"x": ["N", 3, 8, 8], "z": ["N", 6]}
    path = written(tmp_path / "g.onnx", [*nodes, *whole], weights, inputs=two, outputs={"same": ["N", 3, 8, 8]})
    with pytest.raises(CheckpointError, match=r"takes 'x' \(float32\), 'z' \(float32\)"):
        open_checkpoint(path)


def test_without_onnxruntime_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from latentlab.formats import onnx_session

    path = onnx_decoder(tmp_path / "g.onnx")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.setattr(onnx_session, "_bounded_runtime", onnx_session._bounded_runtime.__wrapped__)
    with pytest.raises(CheckpointError, match=r"python -m pip install 'latentlab\[onnx\]'"):
        open_checkpoint(path)


def test_the_real_decoder_opens_and_draws(test_data: Path) -> None:
    path = test_data / "checkpoints" / "spatial-onnx" / "VAEpreview.onnx"
    assert {port.name for port in read_graph(path).outputs} == {"output", "101", "92", "77"}
    model = open_checkpoint(path, device="cpu")
    assert (model.info.spaces[0].shape, model.info.image.height) == ((4, 16, 16), 128)
    pictures = model.decode(model.sample(2))
    assert pictures.shape == (2, 128, 128, 3)
    assert pictures.std() > 5
    larger = open_checkpoint(path, device="cpu", options={"latent": "4x8x12"})
    assert (larger.info.image.height, larger.info.image.width) == (64, 96)
