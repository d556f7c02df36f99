"""From a native checkpoint to a model that decodes, and from a network to the weights a checkpoint stores.

The network is built without memory first; names, shapes and dtypes are compared with the file's before anything is
allocated. Shapes: as the file says.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from latentlab.core.atomic import displayed
from latentlab.core.checkpoint_file import Header, model_info, read_encodings, read_header, read_weights
from latentlab.core.errors import CheckpointError
from latentlab.models.conditioning import Conditional
from latentlab.models.family import Network, architecture_from
from latentlab.models.inverter import without_inverter
from latentlab.models.torch_model import TorchModel

ROWS_SHOWN = 10
UNUSED_WHEN_DECODING = "num_batches_tracked"
Weights = Mapping[str, NDArray[np.generic]]


def load_native(path: Path, device: str = "auto") -> TorchModel:
    """The model in a native checkpoint. Raises CheckpointError; a NaN weight is a warning in `info`, no error."""
    header = read_header(path)
    network = network_from(path, header, read_weights(path))
    return TorchModel(network, model_info(path, header), read_encodings(path), device=device)


def network_from(path: Path, header: Header, weights: Weights) -> Network:
    """The header's network with the file's weights, float32, in eval mode. Raises CheckpointError."""
    network_class, architecture = architecture_from(header.architecture)
    network = network_class.on_meta(architecture)
    _check_image(path, header, network)
    _check_condition(path, header, network)
    load_weights(network, without_inverter(weights), displayed(path))
    return network.eval()


def load_weights(network: nn.Module, weights: Weights, name: str) -> None:
    """Puts `weights` into a network that was built without memory. Raises CheckpointError with a table of misfits."""
    expected = {k: v for k, v in network.state_dict().items() if not k.endswith(UNUSED_WHEN_DECODING)}
    given = {k: v for k, v in weights.items() if not k.endswith(UNUSED_WHEN_DECODING)}
    misfits = [f"missing   {key} {tuple(value.shape)}" for key, value in expected.items() if key not in given]
    misfits += [f"extra     {key} {value.shape}" for key, value in given.items() if key not in expected]
    for key in expected.keys() & given.keys():
        wanted, found = tuple(expected[key].shape), given[key].shape
        if wanted != found:
            misfits.append(f"shape     {key} is {found}, {wanted} is needed")
        elif given[key].dtype not in (np.float32, np.float16):
            misfits.append(f"dtype     {key} is {given[key].dtype}, float32 or float16 is needed")
    if misfits:
        table = "\n".join(f"  {row}" for row in sorted(misfits)[:ROWS_SHOWN])
        more = f"\n  … and {len(misfits) - ROWS_SHOWN} more" if len(misfits) > ROWS_SHOWN else ""
        raise CheckpointError(
            f"{name}: {len(misfits)} of its tensors do not fit its architecture. Export the checkpoint again.\n"
            f"{table}{more}"
        )
    state = {key: torch.from_numpy(np.ascontiguousarray(value, np.float32)) for key, value in given.items()}
    counters = {key: torch.zeros((), dtype=torch.int64) for key in network.state_dict() if key not in expected}
    network.load_state_dict({**state, **counters}, assign=True)


def weights_of(network: nn.Module) -> dict[str, NDArray[np.generic]]:
    """What a checkpoint stores: every weight and buffer that decoding needs, by name."""
    return {
        name: value.detach().float().contiguous().cpu().numpy()
        for name, value in network.state_dict().items()
        if not name.endswith(UNUSED_WHEN_DECODING)
    }


def _check_image(path: Path, header: Header, network: Network) -> None:
    a, image = network.architecture, header.image
    if (image.height, image.width, image.channels) != (a.image_size, a.image_size, a.channels):
        raise CheckpointError(
            f"{displayed(path)}: its header states pictures of {image.height} x {image.width} x {image.channels}, its "
            f"architecture makes {a.image_size} x {a.image_size} x {a.channels}. The file is damaged."
        )
    declared = [(space.name, tuple(space.shape)) for space in header.spaces]
    built = [(space.name, space.shape) for space in network.spaces]
    if declared != built:
        raise CheckpointError(
            f"{displayed(path)}: its header states the latent spaces {declared}, its architecture has {built}. "
            "The file is damaged."
        )


def _check_condition(path: Path, header: Header, network: Network) -> None:
    """What is asked for by name must be what the network takes by number."""
    a = network.architecture
    built = (a.classes, a.attributes) if isinstance(a, Conditional) else (0, 0)
    named = (len(header.classes) if header.conditional else 0, len(header.conditional_attributes))
    if built != named:
        raise CheckpointError(
            f"{displayed(path)}: its header names {named[0]} classes and {named[1]} attributes to ask for, its "
            f"architecture takes {built[0]} and {built[1]}. The file is damaged."
        )
