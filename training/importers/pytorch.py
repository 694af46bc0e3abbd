"""Read checkpoints of the official PyTorch implementation into our networks."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import torch
from torch import Tensor

from models.networks.config import DiscriminatorConfig, GeneratorConfig
from models.networks.discriminator import Discriminator
from models.networks.generator import Generator
from training.importers.errors import OfficialCheckpointError
from training.importers.official import DISCRIMINATORS, GENERATORS, OfficialCheckpoint
from training.importers.pytorch_content import NETWORKS, plain_name, state_inside, without_wrappers
from training.importers.pytorch_file import SAVE_STATE_DICTS, ForeignFileError, StandIn, read_pytorch_file
from training.importers.state_file import advice

State = dict[str, Tensor]
Network = TypeVar("Network", Generator, Discriminator)

# Official name -> ours. Positions inside the sequential parts are the same in both.
_GENERATOR_NAMES: Final = (
    (r"DownBlock\.(\d+)\.conv_block\.", r"encoder.\1.body."),
    (r"DownBlock\.", "encoder."),
    (r"gap_fc\.", "cam.gap."),
    (r"gmp_fc\.", "cam.gmp."),
    (r"conv1x1\.", "cam.merge."),
    (r"FC\.", "style.hidden."),
    (r"(gamma|beta)\.weight", r"style.\1.weight"),
    (r"UpBlock2\.11\.", "to_image.1."),
    (r"UpBlock2\.", "upsampling."),
)
_DISCRIMINATOR_NAMES: Final = (
    (r"model\.", "features."),
    (r"gap_fc\.", "cam.gap."),
    (r"gmp_fc\.", "cam.gmp."),
    (r"conv1x1\.", "cam.merge."),
    (r"conv\.", "to_logit.1."),
)
_SPECTRAL_NAMES: Final = (
    ("weight_orig", "parametrizations.weight.original"),
    ("weight_u", "parametrizations.weight.0._u"),
    ("weight_v", "parametrizations.weight.0._v"),
)


def read_official(
    path: Path, *, size: int | None = None, wanted: Collection[str] = GENERATORS
) -> OfficialCheckpoint:
    """Read an official PyTorch checkpoint; no code in it is run.

    Args:
        path: a file of `{genA2B, genB2A, disGA, disGB, disLA, disLB}` of state dicts, also inside another
            entry such as `state_dict`. It may lack discriminators, and generators that are not wanted.
        size: the training size in pixels. A light checkpoint does not record it: None is 256 there, and read
            from the weights' shapes for a full one.
        wanted: the generators to read.

    Raises:
        OfficialCheckpointError: the file is no such checkpoint, or `size` contradicts it.
    """
    content = without_wrappers(_load(path))
    if missing := [name for name in GENERATORS if name in wanted and name not in content]:
        found = ", ".join(map(str, list(content)[:4])) or "nothing"
        entries = f"({found}{', …' * (len(content) > 4)})"
        looks = advice(content, but="ugatit")
        raise _not_official(
            path,
            f"no {' and no '.join(missing)} among its entries {entries}{f'; {looks}' if looks else ''}",
        )
    read = [name for name in (*GENERATORS, *DISCRIMINATORS) if name in wanted or name in DISCRIMINATORS]
    networks = {name: _state(path, name, content[name]) for name in read if name in content}
    generators = {name: _generator(name, networks[name], size) for name in GENERATORS if name in wanted}
    discriminators = {
        name: _discriminator(name, networks[name]) for name in DISCRIMINATORS if name in networks
    }
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return OfficialCheckpoint(
        generators,
        discriminators,
        sha256,
        {str(name): _class_of(value) for name, value in content.items() if name not in NETWORKS},
        size_assumed=size is None and any(each.config.light for each in generators.values()),
    )


def _load(path: Path) -> Mapping[Any, Any]:
    try:
        content = read_pytorch_file(path)
    except OSError as error:
        raise OfficialCheckpointError(f"{path} cannot be read: {error.strerror or error}.") from None
    except ForeignFileError as error:
        raise _not_official(path, str(error)) from None
    if isinstance(content, StandIn):
        raise _not_official(path, f"a pickled object of the class {_class_of(content)}; {SAVE_STATE_DICTS}")
    if not isinstance(content, Mapping):
        raise _not_official(path, f"a {type(content).__name__}")
    return content


def _class_of(value: object) -> str:
    return type(value).__name__


def _not_official(path: Path, found: str) -> OfficialCheckpointError:
    return OfficialCheckpointError(
        f"{path} is not an official U-GAT-IT checkpoint: expected a dict of state dicts named "
        f"{', '.join(GENERATORS)} and perhaps {', '.join(DISCRIMINATORS)}, found {found}."
    )


def _state(path: Path, name: str, state: Any) -> State:
    state = state_inside(state)
    if isinstance(state, StandIn):
        raise _not_official(path, f"that {name} is a pickled {_class_of(state)}; {SAVE_STATE_DICTS}")
    if not isinstance(state, Mapping):
        raise _not_official(path, f"that {name} is a {_class_of(state)} instead of a state dict of tensors")
    if wrong := [f"{key} is a {_class_of(each)}" for key, each in state.items() if not _dense(each)]:
        raise _not_official(path, f"that {name} is not a state dict of tensors: {wrong[0]}")
    return {plain_name(key): value.float() for key, value in state.items()}


def _dense(value: Any) -> bool:
    """Return whether a value is a dense tensor of real numbers that has data: on `meta` it has none."""
    if not isinstance(value, Tensor) or value.is_meta:
        return False
    return value.layout == torch.strided and not value.is_complex()


def _generator(name: str, state: State, size: int | None) -> Generator:
    network = Generator(_generator_config(name, state, size))
    return _fill(name, network, _renamed_generator(state))


def _generator_config(name: str, state: State, size: int | None) -> GeneratorConfig:
    try:
        channels = state["DownBlock.1.weight"].shape[0]
        inputs = state["FC.0.weight"].shape[1]
    except (KeyError, IndexError):
        raise OfficialCheckpointError(
            f"{name} is not an official U-GAT-IT generator: it lacks DownBlock.1.weight or FC.0.weight."
        ) from None
    blocks = len({key.split(".")[0] for key in state if re.match(r"UpBlock1_\d+\.", key)})
    if inputs == 4 * channels:
        size = 256 if size is None else size
        return GeneratorConfig(size=size, channels=channels, blocks=blocks, light=True)
    own_size = 4 * math.isqrt(inputs // (4 * max(channels, 1)))
    if size is not None and size != own_size:
        raise OfficialCheckpointError(
            f"{name} is a full generator of {own_size} px, but --size is {size}; leave --size out."
        )
    return GeneratorConfig(size=own_size, channels=channels, blocks=blocks)


def _renamed_generator(state: State) -> State:
    return {
        _decoder_name(_renamed(key, _GENERATOR_NAMES)): _per_channel(key, value)
        for key, value in state.items()
    }


def _decoder_name(key: str) -> str:
    return re.sub(r"^UpBlock1_(\d+)\.", lambda match: f"decoder.{int(match[1]) - 1}.", key)


def _per_channel(key: str, value: Tensor) -> Tensor:
    """Return a value in our shape: parameters of normalisations are `[1, C, 1, 1]` there and `[C]` here."""
    return value.flatten() if value.dim() == 4 and value.shape[0] == 1 and "weight" not in key else value


def _discriminator(name: str, state: State) -> Discriminator:
    first = state.get("model.1.weight_orig")
    if first is None or first.dim() != 4:
        raise OfficialCheckpointError(
            f"{name} is not an official U-GAT-IT discriminator: it lacks model.1.weight_orig."
        )
    convolutions = [key for key in state if re.fullmatch(r"model\.\d+\.weight_orig", key)]
    config = DiscriminatorConfig(channels=first.shape[0], layers=len(convolutions) + 1)
    renamed = {_spectral(_renamed(key, _DISCRIMINATOR_NAMES)): value for key, value in state.items()}
    return _fill(name, Discriminator(config), renamed)


def _renamed(key: str, names: tuple[tuple[str, str], ...]) -> str:
    """Return the key, its start replaced by the first rule that matches."""
    for pattern, replacement in names:
        key, done = re.subn(f"^{pattern}", replacement, key)
        if done:
            break
    return key


def _spectral(key: str) -> str:
    for theirs, ours in _SPECTRAL_NAMES:
        key = re.sub(f"{theirs}$", ours, key)
    return key


def _fill(name: str, network: Network, state: State) -> Network:
    own = network.state_dict()
    if missing := own.keys() - state.keys():
        raise OfficialCheckpointError(f"{name} lacks {_few(missing)}: its architecture is not U-GAT-IT's.")
    if unknown := state.keys() - own.keys():
        raise OfficialCheckpointError(f"{name} has {_few(unknown)}: its architecture is not U-GAT-IT's.")
    for key, value in own.items():
        if value.shape != state[key].shape:
            found, expected = tuple(state[key].shape), tuple(value.shape)
            raise OfficialCheckpointError(f"{name}: expected {key} of shape {expected}, found {found}.")
    network.load_state_dict(state)
    return network.eval()


def _few(names: set[str]) -> str:
    ordered = sorted(names)
    return ", ".join(ordered[:3]) + (f" and {len(ordered) - 3} more" if len(ordered) > 3 else "")
