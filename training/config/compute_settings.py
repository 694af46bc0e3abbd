"""How a step is computed: the config section `speed`, and the settings that this machine supports."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Final, Literal

import torch
from torch import Tensor, nn

from models.networks.convolution import set_fast_convolutions

Precision = Literal["auto", "float32", "bfloat16"]
Convolutions = Literal["auto", "direct", "quick"]


@dataclass(frozen=True, kw_only=True)
class ComputeConfig:
    """The config section `speed`. It changes the results by rounding only, in the chosen precision."""

    precision: Precision = "auto"
    """Precision of the networks' convolutions and matrix products. Weights, moments, the statistics of
    normalisations and losses are always float32. auto is bfloat16 where the hardware has units for it
    (Ampere and newer; AVX512-BF16 or AMX), else float32."""
    channels_last: bool = True
    """Store maps and kernels channels last, the layout in which the libraries compute."""
    convolutions: Convolutions = "auto"
    """quick computes 3x3 convolutions by Winograd's method and 7x7 convolutions in cheaper shapes. With
    bfloat16 it changes only the convolutions after up-sampling, which it computes on the small map. It needs
    a CPU; there auto chooses it, elsewhere direct."""
    fused_adam: bool = True
    """Update the weights in one pass (fused Adam)."""
    compile: bool = False
    """Compile the networks on a GPU. The first step takes minutes longer. A CPU ignores it."""


@dataclass(frozen=True, kw_only=True)
class ComputeSettings:
    """The compute settings in use."""

    device_type: str = "cpu"
    bfloat16: bool = False
    channels_last: bool = False
    quick: bool = False
    fused_adam: bool = False
    compile: bool = False
    notes: tuple[str, ...] = ()
    """Warnings: config values that are ignored, or that cost time on this machine instead of saving it."""

    def prepare(self, network: nn.Module) -> None:
        """Set the memory layout and the convolutions of a network, once, before its optimizer is made."""
        if self.channels_last:
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if self.quick:
            set_fast_convolutions(network, fast=True)

    def lay_out(self, pictures: Tensor) -> Tensor:
        """Return pictures `[B, 3, S, S]` in the memory layout of the networks' maps."""
        if self.channels_last:
            return pictures.contiguous(memory_format=torch.channels_last)
        return pictures

    def autocast(self) -> AbstractContextManager[object]:
        """Return a context that computes in bfloat16, where that is in use."""
        return torch.autocast(self.device_type, torch.bfloat16) if self.bfloat16 else nullcontext()

    def facts(self) -> dict[str, str | bool]:
        """Return the settings by name, as a run's folder records them."""
        return {
            "device": self.device_type,
            "precision": "bfloat16" if self.bfloat16 else "float32",
            "channels_last": self.channels_last,
            "quick_convolutions": self.quick,
            "fused_adam": self.fused_adam,
            "compile": self.compile,
        }

    def __str__(self) -> str:
        names = ("channels_last", "quick_convolutions", "fused_adam", "compile")
        facts = self.facts()
        used = [str(facts["precision"]), *(name.replace("_", " ") for name in names if facts[name])]
        return f"{self.device_type}: {', '.join(used)}"


UNOPTIMIZED: Final = ComputeSettings()
"""float32, contiguous tensors, direct convolutions, no compilation."""


def choose_settings(config: ComputeConfig, device_type: str = "cpu") -> ComputeSettings:
    """Return the settings of the config that this machine supports; `notes` names the others."""
    notes = []
    native = has_bfloat16(device_type)
    bfloat16 = config.precision == "bfloat16" or (config.precision == "auto" and native)
    if bfloat16 and not native:
        notes.append('speed.precision = "bfloat16" is slow: this hardware has no units for it.')
    on_cpu = device_type == "cpu"
    if config.convolutions == "quick" and not on_cpu:
        notes.append('speed.convolutions = "quick" is ignored: it needs a CPU.')
    has_fused = device_type in ("cpu", "cuda")
    if config.fused_adam and not has_fused:
        notes.append(f"speed.fused_adam is ignored: torch has no fused Adam for {device_type}.")
    if config.compile and on_cpu:
        notes.append("speed.compile is ignored: it needs a GPU.")
    return ComputeSettings(
        device_type=device_type,
        bfloat16=bfloat16,
        channels_last=config.channels_last,
        quick=config.convolutions != "direct" and on_cpu,
        fused_adam=config.fused_adam and has_fused,
        compile=config.compile and not on_cpu,
        notes=tuple(notes),
    )


def has_bfloat16(device_type: str) -> bool:
    """Return whether the hardware multiplies bfloat16 faster than float32."""
    if device_type == "cuda":
        # Older cards emulate bfloat16, which is slower than float32.
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return device_type == "cpu" and any(map(_cpu_supports, checks))


def _cpu_supports(check: str) -> bool:
    """Call a check of torch.cpu. The checks are private, so another version of torch may lack them."""
    function: Callable[[], bool] | None = getattr(torch.cpu, check, None)
    return function is not None and bool(function())
