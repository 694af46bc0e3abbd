"""The options of the GPU providers, and bound buffers, tested without a GPU."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from app.engine.runtime.gpu import (
    BoundSession,
    GpuOptions,
    SessionSpec,
    cuda_options,
    engine_prefix,
    provider_options,
    tensorrt_options,
)
from app.engine.runtime.providers import CPU, CUDA, TENSORRT
from app.engine.runtime.runtime import Runtime
from app.engine.runtime.session import Session
from models.bundle.canary import smooth_picture
from tests.tiny_bundle import endless, generator

GPU = GpuOptions(device=2, memory_limit_bytes=3_000_000_000, engine_cache_dir=Path("/var/cache/ugatit"))
WANTED = SessionSpec(b"model", (4, 256, 128), "float16", graph=True)


def test_cuda_options_keep_float32_and_limit_memory() -> None:
    options = cuda_options(GPU, graph=True)
    assert options["device_id"] == "2"
    assert options["use_tf32"] == "0"
    assert options["arena_extend_strategy"] == "kSameAsRequested"
    assert options["gpu_mem_limit"] == "3000000000"
    assert options["enable_cuda_graph"] == "1"
    assert "gpu_mem_limit" not in cuda_options(GpuOptions(), graph=False)


def test_tensorrt_builds_for_one_shape_and_caches_the_engine() -> None:
    options = tensorrt_options(GPU, WANTED)
    assert options["device_id"] == "2"
    assert options["trt_fp16_enable"] == "1"
    assert options["trt_cuda_graph_enable"] == "1"
    assert {options[f"trt_profile_{which}_shapes"] for which in ("min", "opt", "max")} == {
        "pixels:4x256x128x3"
    }
    assert options["trt_engine_cache_enable"] == options["trt_timing_cache_enable"] == "1"
    assert options["trt_engine_cache_path"] == options["trt_timing_cache_path"] == "/var/cache/ugatit"
    plain = tensorrt_options(GpuOptions(), WANTED._replace(precision="float32", graph=False))
    assert (plain["trt_fp16_enable"], plain["trt_cuda_graph_enable"]) == ("0", "0")
    assert not [name for name in plain if "cache" in name]


def test_each_engine_has_its_own_file_name() -> None:
    """The provider's own file name depends neither on the weights nor on the shape."""
    others = [
        WANTED,
        WANTED._replace(model=b"other weights"),
        WANTED._replace(shape=(2, 256, 128)),
        WANTED._replace(precision="float32"),
    ]
    assert len({engine_prefix(each) for each in others}) == len(others)
    assert all(each.replace("_", "").isalnum() for each in map(engine_prefix, others))


def test_only_the_first_provider_records_the_graph() -> None:
    both = (TENSORRT, CUDA, CPU)
    assert provider_options(TENSORRT, both, GPU, WANTED)["trt_cuda_graph_enable"] == "1"
    assert provider_options(CUDA, both, GPU, WANTED)["enable_cuda_graph"] == "0"
    assert provider_options(CUDA, (CUDA, CPU), GPU, WANTED)["enable_cuda_graph"] == "1"
    assert provider_options(CPU, both, GPU, WANTED) == {}


def test_a_session_that_tests_the_provider_has_no_shape() -> None:
    assert provider_options(TENSORRT, (TENSORRT, CUDA, CPU), GPU, None) == {"device_id": "2"}


@pytest.mark.parametrize(
    ("library", "names"),
    [
        ("cuda", cuda_options(GPU, graph=True).keys() - {"device_id"}),
        ("tensorrt", tensorrt_options(GPU, WANTED).keys() - {"device_id"}),
    ],
)
def test_every_option_exists_in_the_provider_library(library: str, names: set[str]) -> None:
    found = Path(onnxruntime.__file__).parent / f"capi/libonnxruntime_providers_{library}.so"
    if not found.exists():
        pytest.skip("this onnxruntime is built without it")
    content = found.read_bytes()
    assert [name for name in sorted(names) if name.encode() not in content] == []


def bound(batch: int) -> BoundSession:
    """Return a bound session in the CPU's memory: onnxruntime's code path is the same."""
    opened = Runtime((CPU,)).open_session(generator(), (batch, 32, 16))
    return BoundSession(opened, (batch, 32, 16), precision="float32", memory="cpu")


def pictures(batch: int, seed: int) -> np.ndarray:
    return np.stack([smooth_picture(32, 16, seed=seed + index) for index in range(batch)])


def test_bound_buffers_give_the_outputs_of_a_plain_session() -> None:
    plain = Session(Runtime((CPU,)).open_session(generator()))
    session = bound(2)
    for seed in (1, 2):
        pixels = pictures(2, seed)
        expected = plain.run(pixels)
        found = session.run(pixels)
        assert found.keys() == expected.keys()
        assert all((found[name] == expected[name]).all() for name in expected)


def test_outputs_do_not_change_when_the_buffers_are_reused() -> None:
    session = bound(1)
    first = session.run(pictures(1, 1))
    remembered = {name: value.copy() for name, value in first.items()}
    session.run(pictures(1, 2))
    assert all((first[name] == remembered[name]).all() for name in first)


def test_pixels_that_are_not_contiguous_are_accepted() -> None:
    session = bound(1)
    turned = pictures(1, 3)[:, ::-1]
    assert (session.run(turned)["image"] == 255 - turned).all()


def test_an_output_of_dynamic_size_is_bound() -> None:
    opened = Runtime((CPU,)).open_session(generator())  # no shape is fixed
    session = BoundSession(opened, (1, 32, 16), precision="float32", memory="cpu")
    pixels = pictures(1, 4)
    assert (session.run(pixels)["image"] == 255 - pixels).all()


def test_a_bound_run_can_be_terminated() -> None:
    opened = Runtime((CPU,)).open_session(endless(), (1, 4, 4))
    session = BoundSession(opened, (1, 4, 4), precision="float32", memory="cpu")
    timer = threading.Timer(0.05, session.terminate)
    timer.start()
    with pytest.raises(Exception, match="terminate flag"):
        session.run(np.zeros((1, 4, 4, 3), np.uint8))
    timer.join()
