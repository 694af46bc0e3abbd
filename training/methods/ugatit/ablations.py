"""The ablations of the paper's table 1, as changes of a config.

Where the paper leaves details open, the choices are ours: IN, LN and GN have a learned scale and shift;
AdaIN is AdaLIN with rho fixed at 1; with IN, LN, AdaIN and GN the up-sampling layers use IN, LN, IN and GN.
Without a CAM the features are passed on unchanged, and the objective has no CAM terms.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, get_args

from models.networks.config import Normalization

Changes = dict[str, dict[str, Any]]

_NO_CAM: Final = {"cam": False, "shared_cam": False}


def _decoder(normalization: Normalization) -> Changes:
    """Return the changes for another normalisation, with the switches off that only AdaLIN or a style has."""
    changes: dict[str, Any] = {"normalization": normalization, "smooth_rho": False}
    if normalization != "adain":
        changes["style_width"] = "features"
    return {"generator": changes}


_WITHOUT_GENERATOR_CAM: Final[Changes] = {"generator": _NO_CAM}
_WITHOUT_DISCRIMINATOR_CAM: Final[Changes] = {
    "global_discriminator": _NO_CAM,
    "local_discriminator": _NO_CAM,
}

ABLATIONS: Final[Mapping[str, Changes]] = {
    **{kind: _decoder(kind) for kind in get_args(Normalization) if kind != "adalin"},
    "no-cam": {**_WITHOUT_GENERATOR_CAM, **_WITHOUT_DISCRIMINATOR_CAM},
    "no-generator-cam": _WITHOUT_GENERATOR_CAM,
    "no-discriminator-cam": _WITHOUT_DISCRIMINATOR_CAM,
}
"""The changes of each ablation to the config section `ugatit`."""
