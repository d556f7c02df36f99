"""Options of a training as people read them: the window's form and what it tells of a model call them alike."""

from __future__ import annotations

# Those whose name in the configuration is short for something.
WORDS = {
    "adam_betas": "Adam's betas",
    "augment": "augmentation",
    "compile": "compiled",
    "diffaugment": "DiffAugment",
    "ema": "weight averaging (EMA)",
    "evaluate_every": "epochs per evaluation",
    "fit_prior": "measured prior",
    "gradient_clip": "gradient clipping",
    "half": "stored in float16",
    "held_out": "held-out share",
    "kl_warmup_steps": "KL warm-up steps",
    "latent_dim": "latent dimensions",
    "r1": "R1 penalty",
    "save_every_minutes": "minutes between saves",
    "tensorboard": "TensorBoard",
    "threads": "CPU threads",
    "warmup_steps": "warm-up steps",
}


def option_title(name: str) -> str:
    """ "batch_size" is "Batch size", "objective.learning_rate" is "Objective: learning rate"."""
    words = ": ".join(WORDS.get(part, part.replace("_", " ")) for part in name.split("."))
    return words[:1].upper() + words[1:]
