"""The five registries: what panels, projections, model families, formats and ways of making directions exist.

An entry names its code as "module:name" and is loaded on first use, so that start-up imports neither torch nor
openTSNE. Adding one is one new file, one line here and one test.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from latentlab.core.errors import OptionError, did_you_mean


@dataclass(frozen=True)
class Entry:
    key: str
    title: str
    target: str  # "module:name"
    area: str = ""  # panels: "left", "centre", "right", "bottom"
    shortcut: str = ""  # panels: brings it to the front
    icon: str = ""  # panels: a QtAwesome name

    def load(self) -> Any:
        module, _, name = self.target.partition(":")
        return getattr(import_module(module), name)


class Registry(Mapping[str, Entry]):
    def __init__(self, noun: str, *entries: Entry) -> None:
        self.noun = noun
        self._entries = {entry.key: entry for entry in entries}

    def __getitem__(self, key: str) -> Entry:
        try:
            return self._entries[key]
        except KeyError:
            raise OptionError(f"There is no {self.noun} '{key}'.{did_you_mean(key, self._entries)}") from None

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


PANELS = Registry(
    "panel",
    Entry("map", "Map", "latentlab.ui.panels.map:MapPanel", "left", "Ctrl+1", "mdi6.map-outline"),
    Entry("image", "Image", "latentlab.ui.panels.image:ImagePanel", "centre", "Ctrl+2", "mdi6.image-outline"),
    Entry(
        "attributes",
        "Attributes",
        "latentlab.ui.panels.attributes:AttributesPanel",
        "right",
        "Ctrl+3",
        "mdi6.tune-variant",
    ),
    Entry(
        "sliders",
        "Sliders",
        "latentlab.ui.panels.sliders:SlidersPanel",
        "right",
        "Ctrl+4",
        "mdi6.tune-vertical",
    ),
    Entry(
        "arithmetic",
        "Arithmetic",
        "latentlab.ui.panels.arithmetic:ArithmeticPanel",
        "right",
        "Ctrl+5",
        "mdi6.plus-minus-variant",
    ),
    Entry("walk", "Walk", "latentlab.ui.panels.walk:WalkPanel", "bottom", "Ctrl+6", "mdi6.vector-polyline"),
    Entry(
        "samples",
        "Samples",
        "latentlab.ui.panels.samples:SamplesPanel",
        "bottom",
        "Ctrl+7",
        "mdi6.dice-multiple-outline",
    ),
    Entry("compare", "Compare", "latentlab.ui.panels.compare:ComparePanel", "centre", "Ctrl+8", "mdi6.compare"),
    Entry("quality", "Quality", "latentlab.ui.panels.quality:QualityPanel", "centre", "Ctrl+9", "mdi6.gauge"),
    Entry(
        "training", "Training", "latentlab.ui.panels.training:TrainingPanel", "left", "Ctrl+0", "mdi6.school-outline"
    ),
)

PROJECTIONS = Registry(
    "projection",
    Entry("pca", "PCA", "latentlab.core.projections.pca:PCAProjection"),
    Entry("tsne", "t-SNE", "latentlab.core.projections.tsne:TSNEProjection"),
    Entry("plane", "Plane", "latentlab.core.projections.plane:PlaneProjection"),
    Entry("umap", "UMAP", "latentlab.core.projections.umap:UMAPProjection"),
)

FAMILIES = Registry(
    "family",
    Entry("ae", "Autoencoder", "latentlab.models.ae:AE"),
    Entry("dae", "Denoising autoencoder", "latentlab.models.ae:DAE"),
    Entry("vae", "Variational autoencoder", "latentlab.models.vae:VAE"),
    Entry("cvae", "Conditional variational autoencoder", "latentlab.models.cvae:CVAE"),
    Entry("avb", "Adversarial variational Bayes", "latentlab.models.avb:AVB"),
    Entry("gan", "Fully connected GAN", "latentlab.models.gan:GAN"),
    Entry("dcgan", "Deep convolutional GAN", "latentlab.models.dcgan:DCGAN"),
    Entry("cgan", "Conditional GAN", "latentlab.models.cgan:CGAN"),
    Entry("vae-gan", "VAE/GAN: a VAE judged by a discriminator", "latentlab.models.vae_gan:VAEGAN"),
    Entry("alpha-gan", "Alpha-GAN: a GAN with an encoder", "latentlab.models.alpha_gan:AlphaGAN"),
)

FORMATS = Registry(
    "format",
    Entry("native", "latentlab checkpoint", "latentlab.formats.native:NativeFormat"),
    Entry("pytorch-vae", "pytorch/examples VAE", "latentlab.formats.pytorch_vae:PyTorchVAEFormat"),
    Entry("pytorch-dcgan", "pytorch/examples DCGAN", "latentlab.formats.pytorch_dcgan:PyTorchDCGANFormat"),
    Entry("disentangling-vae", "disentangling-vae", "latentlab.formats.disentangling_vae:DisentanglingVAEFormat"),
    Entry(
        "pytorch-vae-collection", "PyTorch-VAE", "latentlab.formats.pytorch_vae_collection:PyTorchVAECollectionFormat"
    ),
    Entry("pythae", "pythae", "latentlab.formats.pythae:PythaeFormat"),
    Entry("autoencoder-kl", "diffusers AutoencoderKL", "latentlab.formats.autoencoder_kl:AutoencoderKLFormat"),
    Entry("lightweight-gan", "lightweight-gan", "latentlab.formats.lightweight_gan:LightweightGANFormat"),
    Entry("studiogan", "StudioGAN", "latentlab.formats.studiogan:StudioGANFormat"),
    Entry("onnx", "ONNX decoder", "latentlab.formats.onnx_decoder:OnnxFormat"),
    Entry("torch-program", "TorchScript, .pt2", "latentlab.formats.torch_program:TorchProgramFormat"),
    Entry("rosinality", "StyleGAN2 (rosinality)", "latentlab.formats.rosinality_stylegan2:RosinalityStyleGAN2Format"),
    Entry("stylegan-pickle", "StyleGAN2 (NVIDIA)", "latentlab.formats.nvidia_stylegan2:NvidiaStyleGAN2Format"),
    Entry("sequential", "Chains of layers", "latentlab.formats.sequential:SequentialFormat"),
)

DIRECTION_SOURCES = Registry(
    "way of making directions",
    Entry("selection", "From selection", "latentlab.ui.directions.selection:FromSelection", icon="mdi6.lasso"),
    Entry("folder", "From a folder…", "latentlab.ui.directions.folder:FromFolder", icon="mdi6.folder-image"),
    Entry(
        "principal",
        "From principal components…",
        "latentlab.ui.directions.principal:FromPrincipalComponents",
        icon="mdi6.chart-scatter-plot",
    ),
    Entry(
        "pictures",
        "From components of pictures (GANSpace)…",
        "latentlab.ui.directions.drawn_pictures:FromPictures",
        icon="mdi6.image-multiple-outline",
    ),
    Entry(
        "weights",
        "From the generator's weights (SeFa)…",
        "latentlab.ui.directions.weights:FromWeights",
        icon="mdi6.matrix",
    ),
    Entry("file", "From a file…", "latentlab.ui.directions.file:FromFile", icon="mdi6.folder-open-outline"),
)
