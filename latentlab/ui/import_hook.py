"""PySide looks at the source of every module that is imported after it; this makes it look at the module instead.

It wants to know which modules use PySide, for `from __feature__ import snake_case`. Reading and splitting the source of
400 modules took 100 of the 1,150 ms of processor time that the first map takes (docs/decisions/0019).
"""

from __future__ import annotations

import sys
from types import ModuleType

FEATURE = "shibokensupport.feature"
ASKED = "_mod_uses_pyside"  # of that module, in PySide 6.5 to 6.11; where it is missing nothing is changed


def uses_pyside(module: ModuleType) -> bool:
    """Whether a module that has been imported holds PySide6, a module of it or a class of it."""
    return any(_is_of_pyside(value) for value in tuple(vars(module).values()))


def look_at_modules() -> bool:
    """Replaces the search; whether this PySide has one."""
    feature = sys.modules.get(FEATURE)
    if feature is None or not hasattr(feature, ASKED):
        return False
    setattr(feature, ASKED, uses_pyside)
    return True


def _is_of_pyside(value: object) -> bool:
    # Nothing here may run code of a value: isinstance would ask for its __class__, getattr for a module's __getattr__.
    kind = type(value)
    if issubclass(kind, ModuleType):
        name = vars(value).get("__name__")
    elif issubclass(kind, type):
        name = vars(value).get("__module__")
    else:
        return False
    return isinstance(name, str) and name.partition(".")[0] == "PySide6"
