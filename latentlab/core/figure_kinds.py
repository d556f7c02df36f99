"""Which figures there are, and in plain words what each means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Better = Literal["lower", "higher", "one", ""]  # "one": the nearer to 1; "": it depends

ARROWS: Mapping[Better, str] = {"lower": "↓", "higher": "↑", "one": "→\N{NO-BREAK SPACE}1", "": ""}


@dataclass(frozen=True)
class FigureKind:
    """`path` is "section.name"; `meaning` one plain sentence."""

    path: str
    group: str
    title: str
    meaning: str
    better: Better = ""
    unit: str = ""


RECONSTRUCTION, LATENT, DRAWS, LABELS, LOSSES, OTHERS = (
    "Reconstruction", "Latent space", "Draws from the prior", "Labels", "Losses", "Other figures",
)  # fmt: skip

KINDS = {
    kind.path: kind
    for kind in (
        FigureKind("reconstruction.mse", RECONSTRUCTION, "Mean squared error",
                   "How far a picture is from itself, once encoded and decoded; intensities run from 0 to 1.", "lower"),
        FigureKind("reconstruction.psnr_db", RECONSTRUCTION, "Signal to noise",
                   "PSNR, the error on a logarithmic scale: 20 is coarse, 30 is hard to tell apart.", "higher", "dB"),
        FigureKind("reconstruction.ssim", RECONSTRUCTION, "Similarity (SSIM)",
                   "Whether edges and textures survive; 1 is the same picture.", "higher"),
        FigureKind("reconstruction.sharpness_ratio", RECONSTRUCTION, "Sharpness",
                   "Of reconstructions beside the originals; below 1 they are blurred.", "one"),
        FigureKind("inverter.mse", RECONSTRUCTION, "Error of quick inversion",
                   "Mean squared error of pictures whose latent is guessed in one step, before any search.", "lower"),
        FigureKind("denoising.damaged_mse", RECONSTRUCTION, "Error of damaged pictures",
                   "Mean squared error before the model repairs them."),
        FigureKind("denoising.repaired_mse", RECONSTRUCTION, "Error of repaired pictures",
                   "Mean squared error after the model has repaired them.", "lower"),
        FigureKind("denoising.damaged_psnr_db", RECONSTRUCTION, "Signal to noise, damaged",
                   "PSNR before the model repairs them.", "", "dB"),
        FigureKind("denoising.repaired_psnr_db", RECONSTRUCTION, "Signal to noise, repaired",
                   "PSNR after the model has repaired them.", "higher", "dB"),
        FigureKind("latent.kl_nats", LATENT, "KL divergence",
                   "How much latents say of pictures that the prior does not, over all dimensions.", "", "nats"),
        FigureKind("latent.active_units", LATENT, "Active units",
                   "Dimensions that vary with the picture (variance above 0.01); the others say nothing."),
        FigureKind("continuity.change_per_unit", LATENT, "Continuity",
                   "How much an intensity changes when the latent moves by 1, along paths between pictures."),
        FigureKind("continuity.steepest", LATENT, "Steepest step",
                   "The largest change on a path beside its average; 1 is perfectly even, jumps are large.", "one"),
        FigureKind("likelihood.negative_elbo_nats", LATENT, "Negative ELBO",
                   "An upper bound on the nats that a picture costs under this model.", "lower", "nats"),
        FigureKind("likelihood.nll_nats", LATENT, "Negative log-likelihood",
                   "The nats a picture costs, estimated by importance sampling; nearer to the truth than the ELBO.",
                   "lower", "nats"),
        FigureKind("samples.precision", DRAWS, "Completeness (precision)",
                   "Share of draws that decode to something like the data; the rest lie in gaps.", "higher"),
        FigureKind("samples.recall", DRAWS, "Recall",
                   "Share of real pictures that the draws could have been: variety.", "higher"),
        FigureKind("samples.density", DRAWS, "Density",
                   "How deep among real pictures the draws lie; can exceed 1.", "higher"),
        FigureKind("samples.coverage", DRAWS, "Coverage",
                   "Share of real pictures with a draw close by.", "higher"),
        FigureKind("samples.frechet_distance", DRAWS, "Fréchet distance",
                   "How far all draws together are from real pictures, in the feature space named below.", "lower"),
        FigureKind("samples.sharpness_ratio", DRAWS, "Sharpness",
                   "Of draws beside real pictures; below 1 they are blurred.", "one"),
        FigureKind("samples.sharpness", DRAWS, "Sharpness, alone",
                   "Variance of the Laplacian of draws; it means something beside other models of the same pictures."),
        FigureKind("samples.class_accuracy", DRAWS, "Class as asked",
                   "Share of draws in which a classifier sees the class that was asked for.", "higher"),
        FigureKind("classifier.accuracy", LABELS, "Accuracy of the classes",
                   "How often a classifier, which named the map's classes, is right on held-out pictures.", "higher"),
    )
}  # fmt: skip

# What the trainer's header calls otherwise.
ALIASES = {
    "held_out.mse": "reconstruction.mse",
    "held_out.kl": "latent.kl_nats",
    "active_units": "latent.active_units",
    "reconstruction.active_units": "latent.active_units",
    "reconstruction.kl_nats": "latent.kl_nats",
}
# Beside what the value of a figure is to be read: the figure of real pictures.
BESIDE = {
    "samples.precision": ("samples.completeness_of_real_pictures", "samples.completeness_of_training_data"),
    "samples.frechet_distance": (
        "samples.frechet_distance_of_real_pictures",
        "samples.frechet_distance_of_training_data",
    ),
    "samples.class_accuracy": ("samples.class_accuracy_of_held_out_data",),
}
SAID_ELSEWHERE = frozenset(
    {"reconstruction.pictures", "reconstruction.latent_dim", "samples.drawn", "samples.real", "samples.feature_space",
     "held_out", "sha256", "checkpoint", "data", "latent.latent_dim", "continuity.paths"}
    | {name for names in BESIDE.values() for name in names}
)  # fmt: skip
# How the trainer's losses are called, and what they are.
LOSSES_SAID = {
    "loss": ("Loss", "What training minimises: all terms together."),
    "reconstruction": ("Reconstruction", "The term for the pictures, summed over pixels."),
    "kl": ("KL", "Divergence of the posteriors from the prior it was trained with, in nats."),
    "mse": ("Mean squared error", "Of an intensity, 0 to 1."),
    "l1": ("Mean absolute error", "Of an intensity, 0 to 1."),
    "attributes": ("Attributes", "How badly attributes can be read off the latents."),
    "d_real": ("D(x)", "What the discriminator says of real pictures; near one half neither side wins."),
    "d_fake": ("D(G(z))", "What the discriminator says of draws; near one half neither side wins."),
    "d_reconstruction": ("D of reconstructions", "What the discriminator says of reconstructions."),
    "d_loss": ("Discriminator", "Its loss."),
    "g_loss": ("Generator", "Its loss."),
    "e_loss": ("Encoder", "Its loss."),
    "c_loss": ("Discriminator of latents", "Its loss."),
    "d_gradient": ("Gradient of D", "Norm of the discriminator's gradient."),
    "g_gradient": ("Gradient of G", "Norm of the generator's gradient."),
    "spread": ("Spread", "How much the samples of a batch differ, beside the data's; far below 1 they are all alike."),
}
