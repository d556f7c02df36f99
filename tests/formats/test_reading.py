"""What is said of a file reaches those that leave it open; everything else is told that it is said in vain."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from latentlab.core.errors import CheckpointError, OptionError
from latentlab.core.registry import FORMATS
from latentlab.formats import Options, found, open_checkpoint
from latentlab.formats.reading import SAID, Format, checked_options, entry_of, shared_out
from tests.formats.samples import FILES, NATIVE, chain
from tests.formats.saving import save
from tests.formats.test_foreign import ExampleVAE, example_generator

SAYING = {"activation": "elu", "range": "sigmoid", "latent": "3", "picture": "out", "noise": "none"}


@pytest.mark.parametrize("kind", [*FILES, *NATIVE])
def test_what_a_file_states_itself_is_refused_when_it_is_said(tmp_path: Path, kind: str) -> None:
    path = {**FILES, **NATIVE}[kind](tmp_path)
    file = found(path)
    reader = entry_of(file)[1]
    assert reader is not None
    taken = reader.taken(file)
    assert set(taken) <= set(SAID)
    for name in set(SAID) - set(taken):
        with pytest.raises(CheckpointError, match=rf"Leave --{name} out"):
            open_checkpoint(path, "cpu", options={name: SAYING[name]})
    for name in taken:
        assert open_checkpoint(path, "cpu", options={name: SAYING[name]}).info.path == str(path)


def test_several_files_are_told_what_each_takes(tmp_path: Path) -> None:
    guessed = save(chain().state_dict(), tmp_path / "G.pth")
    native = NATIVE["native"](tmp_path)
    said = checked_options("cpu", False, {"activation": "elu"})
    assert [one.said for one in shared_out([guessed, native], said)] == [("activation",), ()]
    nobody = checked_options("cpu", False, {"activation": "elu", "noise": "none"})
    assert [one.said for one in shared_out([guessed, native], nobody)] == [("activation", "noise"), ("noise",)]


def test_a_switch_is_no_word(tmp_path: Path) -> None:
    """noise=False was taken for nothing said, so that the noise stayed."""
    with pytest.raises(OptionError, match=r"no noise 'False'. Known: fixed, none"):
        checked_options("cpu", False, {"noise": False})
    assert checked_options("cpu", False, {"latent": 64, "noise": None}) == Options("cpu", latent=(64,))


@pytest.mark.parametrize("key", FORMATS)
def test_every_format_is_a_reader_with_known_options(key: str) -> None:
    reader = FORMATS[key].load()
    assert issubclass(reader, Format)
    assert set(reader.takes) <= set(SAID)


def test_the_format_that_takes_any_chain_comes_last() -> None:
    assert list(FORMATS)[-1] == "sequential"


@pytest.mark.parametrize("name", ["model", "vae", "net"])
def test_weights_of_a_lightning_module(tmp_path: Path, name: str) -> None:
    """Its state dict holds the network under the name of the attribute."""
    for network, title in ((ExampleVAE(), "pytorch/examples VAE"), (example_generator(), "pytorch/examples DCGAN")):
        state = {f"{name}.{key}": value for key, value in network.state_dict().items()}
        path = save(state, tmp_path / "last.ckpt", "state_dict")
        assert open_checkpoint(path, "cpu").info.format == title


@pytest.mark.parametrize("suffix", ["", "_state_dict"])
@pytest.mark.parametrize("names", [("encoder", "decoder"), ("enc", "dec")])
def test_encoder_and_decoder_saved_side_by_side(tmp_path: Path, names: tuple[str, str], suffix: str) -> None:
    encoder = torch.nn.Sequential(torch.nn.Linear(64, 9), torch.nn.ReLU(), torch.nn.Linear(9, 3))
    decoder = torch.nn.Sequential(torch.nn.Linear(3, 9), torch.nn.ReLU(), torch.nn.Linear(9, 64))
    both = {f"{name}{suffix}": part.state_dict() for name, part in zip(names, (encoder, decoder), strict=True)}
    torch.save({**both, "epoch": 3}, tmp_path / "ae.pt")
    info = open_checkpoint(tmp_path / "ae.pt", "cpu").info
    assert (info.encoder, info.spaces[0].dim, info.image.height) == (True, 3, 8)


def test_of_several_tables_under_unknown_names_none_is_taken(tmp_path: Path) -> None:
    state = ExampleVAE().state_dict()
    torch.save({"first": state, "second": state}, tmp_path / "two.pth")
    with pytest.raises(CheckpointError, match=r"a table with the keys first, second"):
        open_checkpoint(tmp_path / "two.pth")


@pytest.mark.parametrize("address", ["https://example.org/faces.pth", "HTTP://example.org/faces.pth"])
def test_an_address_is_not_downloaded(address: str) -> None:
    with pytest.raises(CheckpointError, match="Download it"):
        open_checkpoint(Path(address))


@pytest.mark.parametrize(
    ("document", "said"),
    [('{"activaton": "relu"}', "'activaton'. Did you mean 'activation'"), ('{"range": "tan"}', "no range 'tan'")],
)
def test_a_mistake_in_what_lies_beside_a_file_is_said(tmp_path: Path, document: str, said: str) -> None:
    path = save(chain().state_dict(), tmp_path / "G.pth")
    (tmp_path / "G.pth.latentlab.json").write_text(document)
    with pytest.raises(CheckpointError) as refused:
        open_checkpoint(path)
    assert said in str(refused.value)
    assert "G.pth.latentlab.json" in str(refused.value)
