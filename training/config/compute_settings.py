"""How a step is computed: the config's wishes, and what of them this machine can do."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from models.networks.convolution import set_fast_convolutions

Precision = Literal["auto", "float32", "bfloat16"]
Convolutions = Literal["auto", "direct", "quick"]


@dataclass(frozen=True, kw_only=True)
class SpeedConfig:
    """How the step is computed. What is learned is the same, to the rounding of the chosen precision."""

    precision: Precision = "auto"
    """Of the networks' convolutions and products: bfloat16, or float32. Weights, moments, the statistics of
    normalisations and losses are float32 always. Auto is bfloat16 where the hardware has units for it
    (Ampere and newer; AVX512-BF16 or AMX), else float32."""
    channels_last: bool = True
    """Maps and kernels lie channels last in memory, as the libraries compute."""
    convolutions: Convolutions = "auto"
    """Quick are 3x3 convolutions by Winograd's method, and easier shapes for those of 7x7. They are for
    float32 on a CPU, where auto takes them."""
    fused_adam: bool = True
    """Adam's update in one pass over the weights."""
    compile: bool = False
    """Compile the networks. Takes minutes at the first step, and pays on GPUs only."""


@dataclass(frozen=True, kw_only=True)
class Speed:
    """What is in use."""

    device_type: str = "cpu"
    bfloat16: bool = False
    channels_last: bool = False
    quick: bool = False
    fused_adam: bool = False
    compile: bool = False
    notes: tuple[str, ...] = ()
    """Warnings: wishes that are ignored, or cost time here instead of saving it."""

    def prepare(self, network: nn.Module) -> None:
        """Lay a network out, once, before its optimizer is made."""
        if self.channels_last:
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if self.quick:
            set_fast_convolutions(network, fast=True)

    def lay_out(self, pictures: Tensor) -> Tensor:
        """Pictures `[B, 3, S, S]` as the networks' maps lie."""
        if self.channels_last:
            return pictures.contiguous(memory_format=torch.channels_last)
        return pictures

    def autocast(self) -> AbstractContextManager[object]:
        """Compute in bfloat16 within, if that is in use."""
        return torch.autocast(self.device_type, torch.bfloat16) if self.bfloat16 else nullcontext()

    def facts(self) -> dict[str, str | bool]:
        """For a run's folder, and for its user."""
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


def choose(config: SpeedConfig, device_type: str = "cpu") -> Speed:
    """What of the config this machine can do; `notes` says what it cannot."""
    notes = []
    native = has_bfloat16(device_type)
    bfloat16 = config.precision == "bfloat16" or (config.precision == "auto" and native)
    if bfloat16 and not native:
        notes.append('speed.precision = "bfloat16" is slow: this hardware has no units for it.')
    full_on_cpu = device_type == "cpu" and not bfloat16
    if config.convolutions == "quick" and not full_on_cpu:
        notes.append('speed.convolutions = "quick" is ignored: it is for float32 on a CPU.')
    has_fused = device_type in ("cpu", "cuda")
    if config.fused_adam and not has_fused:
        notes.append(f"speed.fused_adam is ignored: there is none for {device_type}.")
    compilable = device_type != "cpu" or any(map(shutil.which, ("c++", "g++", "clang++")))
    if config.compile and not compilable:
        notes.append("speed.compile is ignored: there is no C++ compiler.")
    return Speed(
        device_type=device_type,
        bfloat16=bfloat16,
        channels_last=config.channels_last,
        quick=config.convolutions != "direct" and full_on_cpu,
        fused_adam=config.fused_adam and has_fused,
        compile=config.compile and compilable,
        notes=tuple(notes),
    )


def has_bfloat16(device_type: str) -> bool:
    """Whether the hardware multiplies bfloat16 faster than float32."""
    if device_type == "cuda":
        # Older cards emulate it, and are not asked to.
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    questions = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return device_type == "cpu" and any(map(_cpu_can, questions))


def _cpu_can(question: str) -> bool:
    """Asks torch, whose answers have underscores in their names, and may be gone in another version."""
    ask: Callable[[], bool] | None = getattr(torch.cpu, question, None)
    return ask is not None and bool(ask())
