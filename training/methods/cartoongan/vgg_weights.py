"""Read the weights of VGG19 for the content term."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from models.files.text import as_text
from models.networks.config import ConfigError
from models.networks.vgg import VggFeatures, VggInput
from training.importers.pytorch_file import ForeignFileError, read_pytorch_file

_FIRST = "features.0.weight"


def read_vgg(path: Path, *, expects: VggInput) -> VggFeatures:
    """Return VGG19 up to conv4_4 with the weights of a file, frozen; no code in the file is run.

    Raises:
        ConfigError: the file cannot be read, or does not hold these layers.
    """
    state = _state(path)
    first = state.get(_FIRST)
    channels = first.shape[0] if isinstance(first, Tensor) and first.dim() == 4 else 0
    if not channels:
        raise _not_vgg(path, f"no {_FIRST} among its entries")
    # Its first weights are drawn and replaced. A resumed run makes it anew and must not draw numbers for it.
    with torch.random.fork_rng(devices=[]):
        network = VggFeatures(channels=channels, expects=expects)
    own = network.state_dict()
    for name, value in own.items():
        found = state.get(name)
        if not isinstance(found, Tensor) or found.shape != value.shape:
            shape = f"the shape {tuple(found.shape)}" if isinstance(found, Tensor) else "none of that name"
            raise _not_vgg(path, f"{shape} instead of {name} of the shape {tuple(value.shape)}")
    if not next(network.parameters()).is_meta:
        network.load_state_dict({name: state[name].float() for name in own})
    return network.eval().requires_grad_(requires_grad=False)


def _state(path: Path) -> Mapping[Any, Any]:
    try:
        content = read_pytorch_file(path)
    except OSError as error:
        raise ConfigError(
            f"VGG19's weights in {as_text(path)} cannot be read: {error.strerror or error}."
        ) from None
    except ForeignFileError as error:
        raise _not_vgg(path, str(error)) from None
    if not isinstance(content, Mapping):
        raise _not_vgg(path, f"a {type(content).__name__}")
    return content


def _not_vgg(path: Path, found: str) -> ConfigError:
    return ConfigError(
        f"{as_text(path)} does not hold VGG19: expected a state dict with torchvision's names, "
        f"{_FIRST} to features.25.bias, found {found}; give another file."
    )
