"""Does "Eyeglasses" put glasses on faces the model never saw, and what else does it change?

Held-out faces without glasses are encoded, moved by one strength for all, decoded, and looked at by a judge: a
classifier trained on real pictures only (as they are, and blurred, since decoders are soft). The judge's thresholds are
its equal error rates on a validation split; the strength, at most 3, is chosen on that split too. Changes are counted
against the unedited reconstruction. The balanced direction stands beside the plain mean difference. Larger pictures
are judged at 64 px.

    python -m benchmarks.attributes --data-root DATA [--part cartoon|celeba] [--checkpoint FILE] [--judge-seed 1]

DATA holds cartoon-faces/ and celeba10k/ (images/ with attributes.csv). The CelebA model is not shipped (the data is for
non-commercial research); it is made by

    latentlab-train vae --data DATA/celeba10k --crop 14,27,62,62 --image-size 64 --latent-dim 128 --no-thumbnails
        --out RUN --epochs 40

and measured with `--part celeba --celeba-checkpoint RUN/checkpoint.safetensors`. `--ways` adds what other directions
would change where they edit the share that is wanted: logistic regression, and locks on all other attributes; and,
for comparison, what moves as long in random directions change.

Shapes: N faces, D latent, A attributes, S strengths.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.figures import arguments, finish, table, verdict
from benchmarks.shrinking import shrunk
from latentlab.core.bundled import assets_folder
from latentlab.core.directions import orthogonalised
from latentlab.core.errors import LatentlabError, OptionError
from latentlab.core.fitting import Method, fit_direction
from latentlab.core.spaces import FloatArray
from latentlab.measure.classifier import (
    Augmentation,
    Classifier,
    Targets,
    attribute_aucs,
    equal_error_threshold,
    fit_classifier,
)
from latentlab.models.loading import load_native
from latentlab.models.torch_model import TorchModel
from training.data import Dataset, load
from training.precision import Precision

WANTED = "Eyeglasses"
STRENGTHS = tuple(float(s) for s in np.arange(0.5, 3.01, 0.25))
METHODS: tuple[Method, ...] = ("balanced", "means")
VALIDATION_SHARE = 0.15  # of the pictures the model was trained on
TRIED = tuple(float(s) for s in np.arange(0.5, 6.01, 0.5))  # strengths, of `--ways`
RANDOM = 8  # directions, of `--ways`
ENOUGH_FLIPPED = 0.975  # on the validation split; the smallest strength that reaches it is taken
SEED = 0


@dataclass(frozen=True)
class Part:
    """One data set and what is asked of it."""

    name: str
    folder: str
    crop: str
    judge_steps: int
    judge_auc: float
    edited: float  # at least this share is seen with glasses once edited
    changed: float  # at most this share of other decisions changes
    unedited: float | None = None  # at most this share is seen with glasses before
    survives: float | None = None  # at least this share of real glasses is still seen after reconstruction


PARTS = {
    "cartoon": Part("cartoon", "cartoon-faces", "centre", 800, 0.98, 0.95, 0.05, unedited=0.05, survives=0.80),
    "celeba": Part("celeba", "celeba10k", "14,27,62,62", 900, 0.96, 0.95, 0.14),
}


@dataclass(frozen=True, eq=False)
class Judge:
    classifier: Classifier
    names: tuple[str, ...]
    thresholds: FloatArray  # (A,)
    aucs: tuple[float | None, ...]  # on the held-out pictures

    def decisions(self, images: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """(N, A)"""
        return np.asarray(self.classifier.predict(shrunk(images)).attributes_NA > self.thresholds, np.bool_)


@dataclass(frozen=True)
class Outcome:
    method: str
    strength: float
    unedited: float  # share of held-out faces without glasses that are seen with glasses, reconstructed
    edited: float  # the same after the edit
    changed: float  # share of all other decisions that the edit changed
    changed_most: dict[str, float]
    survives: float  # share of held-out faces with glasses whose reconstruction is seen with glasses
    faces: int
    with_glasses: int


def split(data: Dataset, training: dict[str, Any]) -> tuple[Dataset, Dataset, Dataset]:
    """(fitted on, validation, held out): the last is what the model has never seen, by its own seed and share."""
    share = float(training.get("held_out", 0.1))
    if share <= 0:
        raise OptionError("The checkpoint was trained on all pictures, so nothing can be shown on unseen ones.")
    train_idx, held_out_idx = data.split(int(training.get("seed", 0)), share)
    order = np.random.default_rng(SEED).permutation(len(train_idx))
    count = round(VALIDATION_SHARE * len(train_idx))
    return (
        data.subset(np.sort(train_idx[order[count:]])),
        data.subset(np.sort(train_idx[order[:count]])),
        data.subset(held_out_idx),
    )


def judge_of(fitted: Dataset, validation: Dataset, held_out: Dataset, steps: int, seed: int) -> Judge:
    """Trained on `fitted`, its thresholds from `validation`; attributes that not both splits know are left out."""
    usable = [
        a
        for a in range(len(fitted.attribute_names))
        if all(len(np.unique(_column(part, a)[np.isfinite(_column(part, a))])) == 2 for part in (fitted, validation))
    ]
    names = tuple(fitted.attribute_names[a] for a in usable)
    precision = Precision.choose(_cpu(), "auto")
    begin = time.perf_counter()
    classifier = fit_classifier(
        shrunk(fitted.images),
        Targets(attributes_NA=_columns(fitted, usable), names=names),
        steps=steps,
        augmentation=Augmentation(flip=True, blur=True),
        seed=seed,
        bfloat16=precision.name == "bfloat16",
        on_step=lambda done, total: _tell("training the judge", done, total, begin),
    )
    scores = classifier.predict(shrunk(validation.images)).attributes_NA
    truth = _columns(validation, usable)
    thresholds = [equal_error_threshold(scores[:, a], truth[:, a] == 1) for a in range(len(names))]
    aucs = attribute_aucs(classifier.predict(shrunk(held_out.images)), _columns(held_out, usable))
    return Judge(classifier, names, np.array(thresholds, np.float32), tuple(aucs))


def direction_of(latents_ND: FloatArray, fitted: Dataset, method: Method, name: str = WANTED) -> FloatArray:
    """(D,) fitted on encodings of pictures that are neither validation nor held out."""
    assert fitted.attributes is not None
    wanted = fitted.attribute_names.index(name)
    others = np.delete(fitted.attributes, wanted, axis=1)
    return fit_direction(latents_ND, fitted.attributes[:, wanted], name, others_NA=others, method=method).vector


def chosen_strength(model: TorchModel, judge: Judge, validation: Dataset, vector: FloatArray) -> float:
    """The smallest strength that flips enough validation faces, or the one that flips most."""
    latents_ND = model.encode(without(validation).images)
    glasses = judge.names.index(WANTED)
    flipped = []
    for strength in STRENGTHS:
        decided = judge.decisions(model.decode(latents_ND + np.float32(strength) * vector))
        flipped.append(float(decided[:, glasses].mean()))
        if flipped[-1] >= ENOUGH_FLIPPED:
            return strength
    return STRENGTHS[int(np.argmax(flipped))]


def ways(model: TorchModel, judge: Judge, fitted: Dataset, validation: Dataset, share: float) -> dict[str, Any]:
    """By direction: at which strength `share` of the validation faces is seen with glasses, and what changes there.

    For comparison, what moves in random directions change that are as long as the balanced one at that strength.
    """
    latents_ND = model.encode(fitted.images)
    methods: tuple[Method, ...] = (*METHODS, "logistic")
    vectors = {str(method): direction_of(latents_ND, fitted, method) for method in methods}
    others = [name for name in judge.names if name != WANTED]
    kept = [direction_of(latents_ND, fitted, "balanced", name) for name in others]
    vectors["balanced, all others locked"] = orthogonalised(vectors["balanced"], kept)
    faces_ND = model.encode(without(validation).images)
    before_NA = judge.decisions(model.decode(faces_ND))
    found = {way: _where_enough(model, judge, faces_ND, before_NA, vector, share) for way, vector in vectors.items()}
    if (strength := found["balanced"]["strength"]) is not None:
        moves = as_long(np.float32(strength) * vectors["balanced"], latents_ND)
        changed = float(np.mean([_seen(model, judge, faces_ND + move, before_NA)[1] for move in moves]))
        found["at random, as long"] = {"strength": None, "changed": changed}
    return found


def _where_enough(
    model: TorchModel,
    judge: Judge,
    faces_ND: FloatArray,
    before_NA: NDArray[np.bool_],
    vector: FloatArray,
    share: float,
) -> dict[str, float | None]:
    """Between the strengths that are tried, both are interpolated; None where no strength reaches the share."""
    edited, changed = [float(before_NA[:, judge.names.index(WANTED)].mean())], [0.0]
    for strength in TRIED:
        if edited[-1] >= share:
            break
        of_it, of_others = _seen(model, judge, faces_ND + np.float32(strength) * vector, before_NA)
        edited.append(of_it)
        changed.append(of_others)
    if edited[-1] < share:
        return {"strength": None, "changed": None}
    tried = (0.0, *TRIED)[: len(edited)]
    return {
        "strength": float(np.interp(share, edited, tried)),
        "changed": float(np.interp(share, edited, changed)),
    }


def _seen(model: TorchModel, judge: Judge, moved_ND: FloatArray, before_NA: NDArray[np.bool_]) -> tuple[float, float]:
    """(share of the moved faces that are seen with glasses, share of the other decisions that the move changed)."""
    glasses, after_NA = judge.names.index(WANTED), judge.decisions(model.decode(moved_ND))
    return float(after_NA[:, glasses].mean()), float(np.delete(before_NA != after_NA, glasses, axis=1).mean())


def as_long(vector: FloatArray, latents_ND: FloatArray) -> FloatArray:
    """(RANDOM, D) drawn as the latents vary, but across `vector`, and as long: what any move so far would change."""
    rng = np.random.default_rng(SEED)
    covariance_DD = np.cov(latents_ND, rowvar=False)
    drawn = rng.multivariate_normal(np.zeros(len(vector)), covariance_DD, RANDOM)
    unit = vector / np.linalg.norm(vector)
    drawn -= (drawn @ unit)[:, None] * unit
    drawn *= np.linalg.norm(vector) / np.linalg.norm(drawn, axis=1, keepdims=True)
    return drawn.astype(np.float32)


def outcome(
    model: TorchModel, judge: Judge, held_out: Dataset, method: str, vector: FloatArray, strength: float
) -> Outcome:
    glasses = judge.names.index(WANTED)
    bare, worn = without(held_out), without(held_out, has_it=True)
    latents_ND = model.encode(bare.images)
    before = judge.decisions(model.decode(latents_ND))
    after = judge.decisions(model.decode(latents_ND + np.float32(strength) * vector))
    changed_NA = np.delete(before != after, glasses, axis=1)
    others = [name for name in judge.names if name != WANTED]
    by_name = dict(zip(others, changed_NA.mean(axis=0).tolist(), strict=True))
    most = sorted(by_name, key=lambda name: -by_name[name])[:5]
    return Outcome(
        method=method,
        strength=strength,
        unedited=float(before[:, glasses].mean()),
        edited=float(after[:, glasses].mean()),
        changed=float(changed_NA.mean()),
        changed_most={name: round(by_name[name], 4) for name in most},
        survives=float(judge.decisions(model.decode(model.encode(worn.images)))[:, glasses].mean()),
        faces=len(bare),
        with_glasses=len(worn),
    )


def without(data: Dataset, *, has_it: bool = False) -> Dataset:
    """The pictures without glasses; with `has_it`, those with."""
    values = _column(data, data.attribute_names.index(WANTED))
    return data.subset(np.flatnonzero(values == (1 if has_it else 0)).astype(np.int64))


def measured(part: Part, checkpoint: Path, data_root: Path, judge_seed: int, with_ways: bool) -> dict[str, Any]:
    model = load_native(checkpoint, "cpu")
    data = load(str(data_root / part.folder), size=model.info.image.height, crop=part.crop)
    fitted, validation, held_out = split(data, model.info.training)
    judge = judge_of(fitted, validation, held_out, part.judge_steps, judge_seed)
    auc = judge.aucs[judge.names.index(WANTED)]
    outcomes = []
    latents_ND = model.encode(fitted.images)
    for method in METHODS:
        vector = direction_of(latents_ND, fitted, method)
        strength = chosen_strength(model, judge, validation, vector)
        outcomes.append(outcome(model, judge, held_out, method, vector, strength))
    return {
        "part": part.name,
        "checkpoint": model.info.sha256,
        "pictures": {"fitted": len(fitted), "validation": len(validation), "held_out": len(held_out)},
        "judge_auc": auc,
        "judge_aucs": dict(zip(judge.names, judge.aucs, strict=True)),
        "judged": len(judge.names),
        "outcomes": [asdict(found) for found in outcomes],
        "ways": ways(model, judge, fitted, validation, part.edited) if with_ways else {},
    }


def show(part: Part, figures: dict[str, Any]) -> None:
    percent = [
        [
            found["method"],
            found["strength"],
            *(f"{found[name]:.1%}" for name in ("unedited", "edited", "changed", "survives")),
        ]
        for found in figures["outcomes"]
    ]
    first = figures["outcomes"][0]
    known = [auc for auc in figures["judge_aucs"].values() if auc is not None]
    print(
        f"\n{part.name}: {first['faces']} held-out faces without glasses, {first['with_glasses']} with; "
        f"{figures['judged']} attributes judged, mean AUC {np.mean(known):.3f}\n"
    )
    header = ("direction", "strength", "unedited seen with", "edited seen with", "others changed", "glasses survive")
    print(table(percent, header))
    rows = [
        verdict("judge AUC", figures["judge_auc"], part.judge_auc, at_least=True),
        verdict("edited seen with glasses", first["edited"], part.edited, at_least=True),
        verdict("other decisions changed", first["changed"], part.changed),
    ]
    if part.unedited is not None:
        rows.append(verdict("unedited seen with glasses", first["unedited"], part.unedited))
    if part.survives is not None:
        rows.append(verdict("real glasses survive", first["survives"], part.survives, at_least=True))
    print("\n" + table(rows, ("balanced direction", "figure", "target", "met")))
    for found in figures["outcomes"]:
        print(f"changed most ({found['method']}): {found['changed_most']}")
    if figures["ways"]:
        tried = [[way, found["strength"], found["changed"]] for way, found in figures["ways"].items()]
        print("\n" + table(tried, (f"validation faces, {part.edited:.0%} edited", "strength", "others changed")))


def _column(data: Dataset, a: int) -> FloatArray:
    assert data.attributes is not None
    return data.attributes[:, a]


def _columns(data: Dataset, chosen: list[int]) -> FloatArray:
    assert data.attributes is not None
    return data.attributes[:, chosen]


def _cpu() -> Any:
    import torch

    return torch.device("cpu")


def _tell(text: str, done: int, total: int, begin: float) -> None:
    if done % 100 == 0 or done == total:
        print(f"{text}: {done} of {total} steps, {time.perf_counter() - begin:.0f} s", flush=True)


def main() -> int:
    parser = arguments(str(__doc__).splitlines()[0])
    parser.add_argument("--data-root", type=Path, required=True, help="the folder with cartoon-faces and celeba10k")
    parser.add_argument("--part", choices=[*PARTS, "both"], default="cartoon")
    faces = assets_folder() / "faces-vae.safetensors"
    parser.add_argument("--checkpoint", type=Path, default=faces, help="the cartoon model; faces-vae by default")
    parser.add_argument("--celeba-checkpoint", type=Path, help="a CelebA model (see above)")
    parser.add_argument("--judge-seed", type=int, default=SEED, help="another judge of the same kind")
    parser.add_argument("--ways", action="store_true", help="what other directions would change")
    asked = parser.parse_args()
    names = list(PARTS) if asked.part == "both" else [asked.part]
    figures: dict[str, Any] = {}
    try:
        for name in names:
            checkpoint = asked.celeba_checkpoint if name == "celeba" else asked.checkpoint
            if checkpoint is None:
                raise OptionError("The CelebA part needs --celeba-checkpoint; the command that makes one is in --help.")
            figures[name] = measured(PARTS[name], checkpoint, asked.data_root, asked.judge_seed, asked.ways)
            show(PARTS[name], figures[name])
    except LatentlabError as error:
        print(error)
        return error.exit_status
    finish(figures, asked.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
