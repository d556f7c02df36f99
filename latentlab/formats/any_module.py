"""Any torch decoder, and optionally its encoder, as a network that TorchModel runs.

What a module does not say is found out by asking it: the shape of its latents and pictures, and their range.
Shapes: B batch, D latent, C H W of images, P pixels of a flat image, K classes.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from latentlab.core.errors import OptionError
from latentlab.core.latent_model import ImageShape
from latentlab.core.spaces import LatentSpace, Prior
from latentlab.formats.causes import cause_of
from latentlab.models.family import Network

Range = Literal["tanh", "sigmoid", "none", "byte"]  # [-1, 1], [0, 1], logits, [0, 255]

SPATIAL_WARNING = (
    "The latents of this decoder are maps with an order in space, of which draws from a prior know nothing. "
    "Start from encodings where you have an encoder."
)
PROBES = 4
BOUND = 1.001


class ModuleNetwork(Network):
    """`decoder` takes (B, *latent_shape) and gives (B, C, H, W) or flat (B, P) pictures in `output`'s range.

    `encoder` takes pictures as the decoder gives them; its first result is the latent, or mean and log-variance
    side by side. With `classes` the decoder takes a row (B, K) beside the latents: the class as one-hot.
    """

    def __init__(
        self,
        decoder: nn.Module,
        latent_shape: tuple[int, ...],
        image: ImageShape,
        output: Range,
        encoder: nn.Module | None = None,
        *,
        flat: bool = False,
        prior: Prior = "normal",
        classes: tuple[str, ...] = (),
    ) -> None:
        nn.Module.__init__(self)  # there is no architecture to validate
        self.decoder = decoder
        self.encoder = encoder
        self.latent_shape = latent_shape
        self.image = image
        self.output = output
        self.flat = flat
        self.prior = prior
        self.classes = classes

    @property
    def spatial(self) -> bool:
        """Whether latents are maps (C, h, w) of more than one place."""
        return len(self.latent_shape) == 3 and math.prod(self.latent_shape[1:]) > 1

    @property
    def spaces(self) -> tuple[LatentSpace, ...]:
        if self.spatial:  # a space of its own kind, of which nothing else is known
            return (LatentSpace("spatial", self.latent_shape, "empirical"),)
        return (LatentSpace("z", (math.prod(self.latent_shape),), self.prior),)

    def decode(self, latents_BD: Tensor, condition_BK: Tensor | None = None) -> Tensor:
        latents = latents_BD.reshape(-1, *self.latent_shape)
        told = (self._told(condition_BK, latents),) if self.classes else ()
        made = first_tensor(self.decoder(latents, *told)).float()
        images = made.reshape(len(latents_BD), self.image.channels, self.image.height, self.image.width)
        if self.output == "tanh":
            return images
        if self.output == "byte":
            return images / 127.5 - 1
        return images * 2 - 1 if self.output == "sigmoid" else torch.tanh(images / 2)

    def _told(self, condition_BK: Tensor | None, latents: Tensor) -> Tensor:
        """The condition, or the first class where none is asked for."""
        if condition_BK is not None:
            return condition_BK.to(latents.dtype)
        rows_BK = latents.new_zeros(len(latents), len(self.classes))
        rows_BK[:, 0] = 1
        return rows_BK

    def encode(self, images_BCHW: Tensor, condition_BK: Tensor | None = None) -> Tensor:
        if self.encoder is None:
            raise OptionError("This model has no encoder; invert the picture instead.")
        inputs = images_BCHW if self.output == "tanh" else (images_BCHW + 1) / 2
        inputs = inputs * 255 if self.output == "byte" else inputs
        codes = first_tensor(self.encoder(inputs.flatten(1) if self.flat else inputs)).flatten(1)
        dim = math.prod(self.latent_shape)
        if codes.shape[1] not in (dim, 2 * dim):
            raise OptionError(f"The encoder gives {codes.shape[1]} numbers, but the decoder takes {dim}.")
        return codes[:, :dim]


def network_of(decoder: nn.Module, encoder: nn.Module | None = None, latent_dim: int | None = None) -> ModuleNetwork:
    """A decoder whose shapes and range are found by decoding a few latents. Raises OptionError where that fails."""
    decoder.eval()
    if encoder is not None:
        encoder.eval()
    dim = latent_dim or _latent_dim(decoder)
    shape, made = _probe(decoder, dim)
    flat = made.ndim == 2
    image = image_shape(made)
    if encoder is not None:
        flat = _takes_rows(encoder, made, image, flat)
    return ModuleNetwork(decoder, shape, image, _range(decoder, made), encoder, flat=flat)


class FunctionModule(nn.Module):
    """Any callable that takes a tensor, as a module; what it gives may be a NumPy array."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *inputs: Tensor) -> Any:
        made = self.function(*inputs)
        return torch.as_tensor(made) if isinstance(made, np.ndarray) else made


def as_module(given: Callable[..., Any]) -> nn.Module:
    """A module as it is, a function wrapped. Raises OptionError for what cannot be called."""
    if isinstance(given, nn.Module):
        return given
    if not callable(given):
        raise OptionError(f"A torch.nn.Module or a function is needed, not a {type(given).__name__}.")
    return FunctionModule(given)


def name_of(given: Callable[..., Any]) -> str:
    """What the window calls a module or function."""
    if isinstance(given, nn.Module):
        return type(given).__name__
    name = str(getattr(given, "__name__", type(given).__name__))
    return "function" if name == "<lambda>" else name


@torch.inference_mode()
def _takes_rows(encoder: nn.Module, made: Tensor, image: ImageShape, likely: bool) -> bool:
    """Whether an encoder takes pictures as rows of pixels, found by asking it; `likely` where it takes neither."""
    whole = made.reshape(len(made), image.channels, image.height, image.width)
    for rows in (likely, not likely):
        try:
            first_tensor(encoder(whole.flatten(1) if rows else whole))
        except Exception:  # noqa: BLE001 - the module is not ours; what is wrong is said when it encodes
            continue
        return rows
    return likely


def gives_gradient(network: ModuleNetwork) -> bool:
    """Whether a picture can be searched by optimising its latent: not through NumPy, a graph or a switched-off tape."""
    parameter = next(network.parameters(), torch.zeros(1))
    latents = torch.zeros(1, math.prod(network.latent_shape), device=parameter.device, requires_grad=True)
    try:
        with torch.enable_grad():
            return bool(network.decode(latents).requires_grad)
    except Exception:  # noqa: BLE001 - the module is not ours; a function may ask for NumPy arrays
        return False


def weights_hash(network: nn.Module) -> str:
    """The SHA-256 of a network's weights: the same for the same model in another process."""
    digest = hashlib.sha256()
    for name, value in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _latent_dim(decoder: nn.Module) -> int:
    for module in decoder.modules():
        if isinstance(module, nn.Linear):
            return module.in_features
        if isinstance(module, nn.ConvTranspose2d | nn.Conv2d):
            return module.in_channels
    raise OptionError("The size of the decoder's latents is not evident. Say it: explore(decoder, latent_dim=64).")


@torch.inference_mode()
def _probe(decoder: nn.Module, dim: int) -> tuple[tuple[int, ...], Tensor]:
    """The latent shape that the decoder takes, and what it makes of a few draws."""
    parameter = next(decoder.parameters(), torch.zeros(1))
    draws = torch.randn(PROBES, dim, generator=torch.Generator().manual_seed(0)).to(parameter.device, parameter.dtype)
    first: Exception | None = None
    for shape in ((dim,), (dim, 1, 1)):
        try:
            made = first_tensor(decoder(draws.reshape(PROBES, *shape)))
        except Exception as error:  # noqa: BLE001 - the module is not ours; it can raise anything
            first = first or error
            continue
        if made.ndim in (2, 3, 4) and len(made) == PROBES:
            return shape, made.float()
    if first is None:
        raise OptionError("The decoder's result is no batch of pictures; it must be (B, C, H, W) or flat (B, pixels).")
    raise OptionError(
        f"The decoder does not take latents of {dim} numbers ({cause_of(first)}). Say latent_dim=…."
    ) from first


def image_shape(made: Tensor) -> ImageShape:
    """What pictures a batch of them is: (B, C, H, W), (B, H, W) or flat squares (B, P). Raises OptionError."""
    shape = tuple(made.shape[1:])
    if len(shape) == 2:
        return ImageShape(shape[0], shape[1], 1)
    if len(shape) == 3 and shape[0] in (1, 3):
        return ImageShape(shape[1], shape[2], shape[0])
    if len(shape) == 1:
        for channels in (1, 3):
            side = math.isqrt(shape[0] // channels)
            if side * side * channels == shape[0]:
                return ImageShape(side, side, channels)
    raise OptionError(f"The decoder makes {shape}; pictures are (1 or 3, H, W), or flat and square.")


def _range(decoder: nn.Module, made: Tensor) -> Range:
    last = [module for module in decoder.modules() if not list(module.children())][-1:]
    if last and isinstance(last[0], nn.Tanh):
        return "tanh"
    if last and isinstance(last[0], nn.Sigmoid):
        return "sigmoid"
    low, high = float(made.min()), float(made.max())
    if low >= 1 - BOUND and high <= BOUND:
        return "sigmoid"
    return "tanh" if low >= -BOUND and high <= BOUND else "none"


def first_tensor(made: Any) -> Tensor:
    """The first of what a module gives, which may be a tuple or list of several. Raises OptionError."""
    result = made
    while isinstance(result, tuple | list) and result:
        result = result[0]
    if not isinstance(result, Tensor):
        raise OptionError(
            f"The module gives a {type(made).__name__}; a tensor, or a tuple that begins with one, is needed."
        )
    return result
