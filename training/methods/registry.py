"""All methods by name."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Final

from models.networks.config import ConfigError
from training.methods.aggan.kind import AGGAN
from training.methods.cartoongan.kind import CARTOONGAN
from training.methods.cyclegan.kind import CYCLEGAN
from training.methods.drit.kind import DRIT
from training.methods.kind import MethodKind
from training.methods.munit.kind import MUNIT
from training.methods.ugatit.kind import UGATIT
from training.methods.unit.kind import UNIT

DEFAULT: Final = UGATIT.name
KINDS: Final[Mapping[str, MethodKind]] = {
    kind.name: kind for kind in (UGATIT, AGGAN, CARTOONGAN, CYCLEGAN, DRIT, MUNIT, UNIT)
}


def find_kind(name: object) -> MethodKind:
    """Return the kind of a method.

    Raises:
        ConfigError: there is no such method.
    """
    if isinstance(name, str) and name in KINDS:
        return KINDS[name]
    near = difflib.get_close_matches(str(name), KINDS, n=1)
    advice = f"did you mean {near[0]}?" if near else f"the methods are {', '.join(KINDS)}."
    raise ConfigError(f"Unknown method '{name}'; {advice}")
