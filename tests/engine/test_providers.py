"""Which providers and precisions are tried or rejected. No GPU is needed."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import pytest

from app.engine.runtime import providers
from app.engine.runtime.providers import (
    CPU,
    CUDA,
    OPENVINO,
    TENSORRT,
    Capabilities,
    ProviderRefused,
    check_devices,
    choose_providers,
)

EVERYTHING = (TENSORRT, CUDA, CPU)
NOTHING = Capabilities(cuda=0, tensorrt=False)
DEVICE = Capabilities(cuda=1, tensorrt=False)
DEVICE_AND_TENSORRT = Capabilities(cuda=1, tensorrt=True)
INTEL = Capabilities(cuda=0, tensorrt=False, openvino=True)
AMX = Capabilities(cuda=0, tensorrt=False, openvino=True, amx=True)
AMX_WITHOUT_PLUGIN = Capabilities(cuda=0, tensorrt=False, amx=True)
ALL = Capabilities(cuda=1, tensorrt=True, openvino=True, amx=True)

TRT_32, CUDA_32, CPU_32 = ((TENSORRT, CUDA, CPU), "float32"), ((CUDA, CPU), "float32"), ((CPU,), "float32")
TRT_16 = ((TENSORRT, CUDA, CPU), "float16")
OV_32, OV_16 = ((OPENVINO, CPU), "float32"), ((OPENVINO, CPU), "bfloat16")


@pytest.mark.parametrize(
    ("requested", "precision", "available", "capabilities", "require_gpu", "expected"),
    [
        ("auto", "auto", EVERYTHING, DEVICE_AND_TENSORRT, False, [TRT_32, CUDA_32, CPU_32]),
        ("auto", "auto", EVERYTHING, DEVICE, False, [CUDA_32, CPU_32]),
        ("auto", "auto", EVERYTHING, NOTHING, False, [CPU_32]),
        ("auto", "auto", (CPU,), DEVICE, False, [CPU_32]),
        ("auto", "auto", EVERYTHING, DEVICE, True, [CUDA_32]),
        ("auto", "auto", EVERYTHING, INTEL, False, [OV_32, CPU_32]),
        ("auto", "auto", EVERYTHING, AMX, False, [OV_16, CPU_32]),
        ("auto", "auto", EVERYTHING, AMX_WITHOUT_PLUGIN, False, [CPU_32]),
        ("auto", "auto", EVERYTHING, ALL, False, [TRT_32, CUDA_32, OV_16, CPU_32]),
        ("auto", "auto", EVERYTHING, ALL, True, [TRT_32, CUDA_32]),
        ("auto", "float32", EVERYTHING, AMX, False, [OV_32, CPU_32]),
        ("auto", "bfloat16", EVERYTHING, INTEL, False, [OV_16]),
        ("auto", "float16", EVERYTHING, ALL, False, [TRT_16]),
        ("cpu", "auto", EVERYTHING, ALL, False, [CPU_32]),
        ("openvino", "auto", EVERYTHING, ALL, False, [OV_16]),
        ("openvino", "float32", EVERYTHING, ALL, False, [OV_32]),
        ("cuda", "auto", EVERYTHING, DEVICE_AND_TENSORRT, False, [CUDA_32]),
        ("tensorrt", "auto", EVERYTHING, DEVICE_AND_TENSORRT, False, [TRT_32]),
    ],
)
def test_the_candidates_follow_from_the_settings_and_capabilities(
    requested: str,
    precision: str,
    available: tuple[str, ...],
    capabilities: Capabilities,
    require_gpu: bool,
    expected: list[tuple[tuple[str, ...], str]],
) -> None:
    chosen = choose_providers(
        requested, precision, available=available, capabilities=capabilities, require_gpu=require_gpu
    )
    assert chosen == expected


@pytest.mark.parametrize(
    ("requested", "precision", "available", "capabilities", "require_gpu", "sentence"),
    [
        ("auto", "auto", EVERYTHING, NOTHING, True, "no CUDA device was found"),
        ("auto", "auto", (CPU,), DEVICE, True, "install onnxruntime-gpu"),
        ("cpu", "auto", EVERYTHING, DEVICE, True, "UGATIT_PROVIDER chooses the CPU"),
        ("openvino", "auto", EVERYTHING, ALL, True, "UGATIT_PROVIDER chooses the CPU"),
        ("cuda", "auto", EVERYTHING, NOTHING, False, "no CUDA device was found"),
        ("cuda", "auto", (CPU,), DEVICE, False, "install onnxruntime-gpu"),
        ("tensorrt", "auto", EVERYTHING, DEVICE, False, "UGATIT_PROVIDER=cuda"),
        ("openvino", "auto", EVERYTHING, NOTHING, False, "onnxruntime-ep-openvino.*UGATIT_PROVIDER=cpu"),
        ("auto", "bfloat16", EVERYTHING, NOTHING, False, "only openvino.*UGATIT_PRECISION=float32"),
        ("auto", "float16", EVERYTHING, INTEL, False, "only tensorrt.*UGATIT_PRECISION=float32"),
        ("cuda", "float16", EVERYTHING, ALL, False, "only tensorrt.*UGATIT_PRECISION=float32"),
        ("cpu", "bfloat16", EVERYTHING, ALL, False, "only openvino.*UGATIT_PRECISION=float32"),
    ],
)
def test_unavailable_providers_are_rejected_with_the_remedy(
    requested: str,
    precision: str,
    available: tuple[str, ...],
    capabilities: Capabilities,
    require_gpu: bool,
    sentence: str,
) -> None:
    with pytest.raises(ProviderRefused, match=sentence):
        choose_providers(
            requested, precision, available=available, capabilities=capabilities, require_gpu=require_gpu
        )


def test_a_device_that_the_driver_does_not_find_is_rejected() -> None:
    check_devices([0, 1], Capabilities(cuda=2, tensorrt=False))
    with pytest.raises(ProviderRefused, match="GPU 2, but the driver finds 2"):
        check_devices([0, 2], Capabilities(cuda=2, tensorrt=False))


@pytest.mark.parametrize(
    ("flags", "expected"),
    [("avx512_bf16 amx_bf16 amx_tile", True), ("avx512_bf16 amx_int8", False), ("sse2", False)],
)
def test_amx_is_read_from_the_cpu_flags(tmp_path: Path, flags: str, expected: bool) -> None:
    (tmp_path / "cpuinfo").write_text(f"processor : 0\nflags\t: fpu {flags}\n")
    assert providers._has_amx(tmp_path / "cpuinfo") is expected


def test_without_cpu_flags_there_is_no_amx(tmp_path: Path) -> None:
    assert not providers._has_amx(tmp_path / "cpuinfo")


def test_the_plug_in_is_loaded_only_if_it_may_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers.openvino, "cpu_device", lambda: pytest.fail("it was loaded"))
    assert not providers.probe(with_openvino=False).openvino


class FakeDriver:
    """A CUDA driver; its calls return 0 for success."""

    def __init__(self, *names: str, broken: bool = False) -> None:
        self.names = names
        self.broken = broken

    def cuInit(self, _flags: int) -> int:
        return 100 if self.broken else 0  # no device

    def cuDeviceGetCount(self, count: Any) -> int:
        count._obj.value = len(self.names)
        return 0

    def cuDeviceGet(self, device: Any, number: int) -> int:
        device._obj.value = number
        return 0

    def cuDeviceGetName(self, name: Any, size: int, device: ctypes.c_int) -> int:
        assert size == 256
        name.value = self.names[device.value].encode()
        return 0


@pytest.mark.parametrize(
    ("driver", "expected"),
    [
        (FakeDriver("NVIDIA A", "NVIDIA B"), ["NVIDIA A", "NVIDIA B"]),
        (FakeDriver(), []),
        (FakeDriver("NVIDIA A", broken=True), []),
        (None, []),
    ],
)
def test_the_driver_lists_the_devices(
    monkeypatch: pytest.MonkeyPatch, driver: FakeDriver | None, expected: list[str]
) -> None:
    monkeypatch.setattr(providers, "_load_first", lambda *_: driver)
    assert providers.cuda_devices() == expected
