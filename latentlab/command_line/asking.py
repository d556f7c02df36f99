"""What `--class` and `--condition` ask of a conditional model. Without torch."""

from __future__ import annotations

from collections.abc import Sequence

from latentlab.core.condition import UNKNOWN, Condition, default_condition
from latentlab.core.errors import OptionError, did_you_mean
from latentlab.core.latent_model import ModelInfo


def asked_condition(info: ModelInfo, name: str, attributes: Sequence[str]) -> Condition | None:
    """`name`: a class by name or number, "" for the first. `attributes`: "Smiling=1"; what is not said is unknown.

    None where the model takes no condition. Raises OptionError for what it cannot be asked.
    """
    classes, known = info.conditional or (), info.conditional_attributes
    begin = default_condition(len(classes), len(known))
    values = dict(_named_value(text, known, bool(classes)) for text in attributes)
    if begin is None:
        if name:
            raise OptionError(f"--class {name}: this model takes no class. Leave it out.")
        return None
    label = _class_number(name, classes) if name else begin.label
    asked = (values.get(attribute, UNKNOWN) for attribute in known)
    return Condition(label, tuple(asked))


def how_to_ask(info: ModelInfo, name: str) -> str:
    """Where `name` is no direction because the model is asked for it; empty where it is not."""
    if name in info.conditional_attributes:
        return f" This model is asked for it: --condition {name}=1."
    return f" This model is asked for it: --class {name}." if name in (info.conditional or ()) else ""


def _class_number(text: str, classes: Sequence[str]) -> int:
    if not classes:
        raise OptionError(f"--class {text}: this model takes attributes but no class; use --condition.")
    if text in classes:
        return classes.index(text)
    if text.isdecimal() and int(text) < len(classes):
        return int(text)
    raise OptionError(f"There is no class '{text}'.{did_you_mean(text, classes)}")


def _named_value(text: str, known: Sequence[str], classes: bool) -> tuple[str, float]:
    if not known:
        raise OptionError(
            f"--condition {text}: this model takes {'a class but no attributes; use --class' if classes else 'none'}."
        )
    name, sign, number = text.rpartition("=")
    if not sign:
        name, number = text, "1"
    if name not in known:
        raise OptionError(f"This model takes no attribute '{name}'.{did_you_mean(name, known)}")
    try:
        value = float(number)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise OptionError(f"--condition {text}: '{number}' is not 0 to 1. Write {name}=1 (has it) or {name}=0.")
    return name, value
