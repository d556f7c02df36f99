"""StyleGAN2 as rosinality/stylegan2-pytorch saves it: a `.pt` with the averaged generator under `g_ema`."""

from __future__ import annotations

from torch import Tensor

from latentlab.core.latent_model import LatentModel
from latentlab.formats.layers import State, count
from latentlab.formats.reading import Format, Options
from latentlab.formats.sniff import WEIGHTS, Found
from latentlab.formats.state_dict import read_state_dict
from latentlab.formats.stylegan2_model import fixed_noise, stylegan2_model
from latentlab.formats.stylegan2_network import Plan

TITLE = "StyleGAN2 (rosinality)"
NEEDED = {"style.1.weight", "input.input", "conv1.conv.modulation.weight", "to_rgb1.conv.weight"}
LAYERS_AT_MOST = 64
PARTS = {
    "conv.weight": "weight", "activate.bias": "bias", "noise.weight": "strength", "conv.blur.kernel": "filter",
    "conv.modulation.weight": "affine.weight", "conv.modulation.bias": "affine.bias",
}  # fmt: skip
PICTURE_PARTS = {
    "conv.weight": "weight", "bias": "bias", "upsample.kernel": "filter",
    "conv.modulation.weight": "affine.weight", "conv.modulation.bias": "affine.bias",
}  # fmt: skip


class RosinalityStyleGAN2Format(Format):
    takes = ("noise",)

    def recognises(self, file: Found) -> bool:
        return file.kind in WEIGHTS and read_state_dict(file).keys() >= NEEDED

    def open(self, file: Found, options: Options) -> LatentModel:
        given = read_state_dict(file)
        state = renamed(given)
        layers, mapping = _layers(state, "layers."), _layers(state, "mapping.layers.")
        plan = Plan(
            z_dim=state["mapping.layers.0.weight"].shape[1],
            mapping=tuple(len(state[f"mapping.layers.{index}.weight"]) for index in range(mapping)),
            channels=(len(state["const"]), *(len(state[f"layers.{index}.weight"]) for index in range(layers))),
            pictures=len(state["pictures.0.weight"]),
            taps=len(state["layers.1.filter"]),
            scaled=True,
        )
        return stylegan2_model(file, options, title=TITLE, plan=plan, state=state)


def renamed(given: State) -> dict[str, Tensor]:
    """The weights under our names."""
    state = {"const": given["input.input"][0]}
    for index in range(_layers(given, "style.", 1)):
        for kind in ("weight", "bias"):
            state[f"mapping.layers.{index}.{kind}"] = given[f"style.{index + 1}.{kind}"]
    layers = _layers(given, "convs.")
    for index in range(layers + 1):
        prefix = f"convs.{index - 1}." if index else "conv1."
        for theirs, ours in PARTS.items():
            if f"{prefix}{theirs}" in given:
                state[f"layers.{index}.{ours}"] = given[f"{prefix}{theirs}"]
        noise = given.get(f"noises.noise_{index}")
        state[f"layers.{index}.noise"] = fixed_noise(index) if noise is None else noise[0, 0]
        state[f"layers.{index}.strength"] = state[f"layers.{index}.strength"].reshape(())
        state[f"layers.{index}.weight"] = state[f"layers.{index}.weight"][0]
    for index in range(layers // 2 + 1):
        prefix = f"to_rgbs.{index - 1}." if index else "to_rgb1."
        for theirs, ours in PICTURE_PARTS.items():
            if f"{prefix}{theirs}" in given:
                state[f"pictures.{index}.{ours}"] = given[f"{prefix}{theirs}"]
        state[f"pictures.{index}.weight"] = state[f"pictures.{index}.weight"][0]
        state[f"pictures.{index}.bias"] = state[f"pictures.{index}.bias"].flatten()
    return state


def _layers(state: State, prefix: str, first: int = 0) -> int:
    """How many there are in a row; ValueError for more than any generator has: noise is made for each."""
    layers = count(state, prefix, first)
    if layers >= LAYERS_AT_MOST:
        raise ValueError(f"it has {LAYERS_AT_MOST} layers or more")
    return layers
