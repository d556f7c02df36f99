"""NVIDIA's StyleGAN2 pickles: the pictures of the papers' formulas, and nothing in a file that is run."""

from __future__ import annotations

import io
import math
import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from latentlab.core.errors import CheckpointError
from latentlab.formats import found, open_checkpoint
from latentlab.formats.inert_pickle import Call, Name, Reader, Table, entries
from tests.formats.stylegan2_samples import Sizes, mapped, random_weights, synthesised
from tests.formats.stylegan_pickles import Persistent, as_persistent, dumped, network_pickle
from tests.formats.test_stylegan2 import expected


@pytest.fixture(autouse=True)
def _theirs_is_not_installed() -> None:
    assert not {"torch_utils", "torch_utils.persistence", "dnnlib"} & sys.modules.keys()


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_the_pictures_of_the_formulas(tmp_path: Path, protocol: int) -> None:
    weights, path = random_weights(), tmp_path / "network-snapshot.pkl"
    path.write_bytes(network_pickle(weights, protocol))
    model = open_checkpoint(path, device="cpu")
    assert (model.info.format, model.info.image.height, model.info.conditional) == ("StyleGAN2 (NVIDIA)", 16, None)
    z = model.sample(2, seed=1)
    w = np.stack([mapped(weights, torch.from_numpy(row)).numpy() for row in z])
    np.testing.assert_allclose(model.to_space(z, "z", "w"), w, atol=1e-5)  # type: ignore[attr-defined]
    np.testing.assert_allclose(model.decode_float(z), expected(weights, w), atol=1e-5)
    np.testing.assert_allclose(model.decode_float(w, space="w"), expected(weights, w), atol=1e-5)
    np.testing.assert_array_equal(model.sample(1, truncation=0, space="w"), [np.arange(6)])  # the file's own mean
    quiet = open_checkpoint(path, device="cpu", options={"noise": "none"})
    np.testing.assert_allclose(quiet.decode_float(z), expected(weights, w, noisy=False), atol=1e-5)


def test_a_class_is_asked_for_in_z(tmp_path: Path) -> None:
    weights, path = random_weights(Sizes(classes=3)), tmp_path / "cifar.pkl"
    path.write_bytes(network_pickle(weights))
    model = open_checkpoint(path, device="cpu")
    assert (model.info.conditional, model.info.spaces[0].dim) == (("0", "1", "2"), 5)
    z = model.sample(2)
    drawn = []
    for label in range(3):
        w = np.stack([mapped(weights, torch.from_numpy(row), label).numpy() for row in z])
        drawn.append(model.decode_float(z, condition=label))
        np.testing.assert_allclose(drawn[-1], expected(weights, w), atol=1e-5)
    assert np.abs(drawn[0] - drawn[1]).max() > 0.05


def test_activations_are_kept_within_the_bound_of_training(tmp_path: Path) -> None:
    weights, path = random_weights(Sizes(channels=(5, 4))), tmp_path / "a.pkl"
    bound = 0.7
    path.write_bytes(dumped({"G_ema": as_persistent(weights, bound)}))
    free = tmp_path / "b.pkl"
    free.write_bytes(dumped({"G_ema": as_persistent(weights)}))
    clamped, model = open_checkpoint(path, device="cpu"), open_checkpoint(free, device="cpu")
    z = model.sample(2)
    assert np.abs(clamped.decode_float(z) - model.decode_float(z)).max() > 0.01
    made = clamped.network(torch.from_numpy(z))  # type: ignore[attr-defined]
    assert float(made.abs().max()) <= bound * (1 + 9 / 4 * 4)  # its own pixels, and the doubled smaller picture


class Planted:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return os.mkdir, (str(self.mark),)


class Looked:
    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return getattr, ("", "join")


@pytest.mark.parametrize("place", ["beside", "inside", "as the generator", "as a key", "by name"])
def test_planted_code_never_runs(tmp_path: Path, place: str) -> None:
    mark, path, weights = tmp_path / "it ran", tmp_path / "a.pkl", random_weights(Sizes(channels=(5, 4)))
    planted: Any = Looked() if place == "by name" else Planted(mark)
    whole = as_persistent(weights)
    if place == "inside":
        whole.state["_buffers"]["x"] = planted
    content: dict[Any, Any] = {"G_ema": planted if place == "as the generator" else whole}
    if place in ("beside", "by name"):
        content["D"] = planted
    if place == "as a key":
        content[planted] = 1
    path.write_bytes(dumped(content | {"D": Persistent("Discriminator")} if place == "as the generator" else content))
    assert found(path).kind == "stylegan pickle"
    for trust in (False, True):
        with pytest.raises(CheckpointError, match=r"asks for .*(mkdir|getattr).*Nothing in it was run"):
            open_checkpoint(path, trust=trust)
    assert not mark.exists()


def test_a_storage_is_not_given_to_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def loads(*arguments: object, **options: object) -> None:
        raise AssertionError("torch.load was called")

    path = tmp_path / "a.pkl"
    path.write_bytes(network_pickle(random_weights(Sizes(channels=(5, 4)))))
    for name in ("load", "storage._load_from_bytes", "_utils._rebuild_tensor_v2"):
        monkeypatch.setattr(f"torch.{name}", loads)
    for name in ("loads", "load", "Unpickler"):
        monkeypatch.setattr(pickle, name, loads)
    assert open_checkpoint(path, device="cpu").info.image.height == 8


def changed(path: Path, change: Callable[[Persistent], None]) -> Path:
    whole = as_persistent(random_weights(Sizes(channels=(5, 4))))
    change(whole)
    path.write_bytes(dumped({"G_ema": whole}))
    return path


def synthesis(whole: Persistent) -> Any:
    return whole.state["_modules"]["synthesis"].state["_modules"]


def part(whole: Persistent, block: str, name: str) -> Any:
    return synthesis(whole)[block].state["_modules"][name]


def alias_free(whole: Persistent) -> None:
    layers = synthesis(whole)
    layers.clear()
    layers["input"] = Persistent("SynthesisInput")
    layers["input"].buffer("freqs", torch.zeros(3, 2))


def residual(whole: Persistent) -> None:
    synthesis(whole)["b8"].part("skip", Persistent("Conv2dLayer")).parameter("weight", torch.zeros(1))


CHANGES: list[tuple[Callable[[Persistent], object], str]] = [
    (alias_free, r"StyleGAN3 \(alias-free\) generator"),
    (residual, "residual or plain"),
    (lambda whole: synthesis(whole).clear(), "holds a Generator that is no StyleGAN2 generator"),
    (lambda whole: synthesis(whole)["b4"].state["_modules"].pop("torgb"), "residual or plain"),
    (lambda whole: part(whole, "b8", "conv0").state.update(activation="swish"), "uses swish"),
    (lambda whole: part(whole, "b8", "conv1").state["_parameters"].pop("bias"), "is needed"),
    (lambda whole: synthesis(whole)["b8"].buffer("resample_filter", torch.zeros(900, 900)), "is needed"),
    (lambda whole: whole.state.update(_modules={}), "no StyleGAN2 generator"),
]


@pytest.mark.parametrize(("change", "said"), CHANGES)
def test_other_networks_are_said_so(tmp_path: Path, change: Callable[[Persistent], None], said: str) -> None:
    with pytest.raises(CheckpointError, match=said):
        open_checkpoint(changed(tmp_path / "a.pkl", change))


def test_tensors_that_claim_more_than_the_file_are_refused(tmp_path: Path) -> None:
    repeated = torch.zeros(1).expand(1 << 30)
    path = changed(tmp_path / "a.pkl", lambda whole: whole.state["_buffers"].update(x=repeated))
    with pytest.raises(CheckpointError, match="claims more than its storage holds"):
        open_checkpoint(path)
    stored = torch.zeros(5000).__reduce_ex__(4)[1][0]
    many = {f"x{index}": View(stored) for index in range(50)}
    path = changed(tmp_path / "a.pkl", lambda whole: whole.state["_buffers"].update(many))
    assert path.stat().st_size < 60_000
    with pytest.raises(CheckpointError, match="claim more than the file holds"):
        open_checkpoint(path)


class View:
    """A tensor on a storage that others have as well."""

    def __init__(self, storage: object) -> None:
        self.storage = storage

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return torch._utils._rebuild_tensor_v2, (self.storage, 0, (5000,), (1,), False, {})


def test_a_generator_alone_under_another_name(tmp_path: Path) -> None:
    path = tmp_path / "a.pkl"
    path.write_bytes(dumped({"D": Persistent("Discriminator")}))
    with pytest.raises(CheckpointError, match="holds no generator G_ema, but a table with the keys D"):
        open_checkpoint(path)


# --- the machine -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", range(6))
def test_plain_values_are_what_they_were(protocol: int) -> None:
    value = (1, -2, 2**70, 0.5, "ä", b"abc", None, True, [1, (2, 3, 4, 5)], "again", "again")
    assert Reader().read(io.BytesIO(pickle.dumps(value, protocol=max(protocol, 3)))) == value
    table = Reader().read(io.BytesIO(pickle.dumps({"a": 1, "b": [2]}, protocol=protocol)))
    assert isinstance(table, Table)
    assert entries(table) == {"a": 1, "b": [2]}


def test_calls_are_written_down() -> None:
    call = Reader().read(io.BytesIO(pickle.dumps(Planted(Path("x")))))
    assert isinstance(call, Call)
    assert isinstance(call.called, Name)
    assert (call.called.whole, call.arguments) == (f"{os.name}.mkdir", ("x",))


@pytest.mark.parametrize(
    "data",
    [
        b"", b".", b"\x80\x04", b"(.", b"0.", b"a.", b"\x85.", b"h\x09.", b"\x94.", b"\x93.", b"K\x01K\x02\x93.",
        b"K\x01}b.", b"}(K\x01u.", b"\x82\x01.", b"\x97.", b"\x8e" + b"\xff" * 8, b"\x8b\xff\xff\xff\x7f",
        b"(lK\x01K\x01s.",
        b"(" * 100_000, b"\x80\x04" + b"]" * 400_000 + b".", b"N" + b"\x85" * 200_000, b"Iabc\n.", b"V\\u12\n.",
    ],
)  # fmt: skip
def test_unsound_pickles_are_a_value_error_at_most(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        Reader().read(io.BytesIO(data))


def test_deep_nests_do_no_harm(tmp_path: Path) -> None:
    deep = b"\x80\x04(\x8c\x17torch_utils.persistence\x8c\x01xN" + b"\x85" * 200_000 + b"."
    (tmp_path / "a.pkl").write_bytes(deep)
    with pytest.raises(CheckpointError):
        open_checkpoint(tmp_path / "a.pkl")
    assert math.isfinite(synthesised(random_weights(), torch.zeros(6)).sum())
