"""The real OpenVINO plug-in: its options and their effect. Skipped if it does not support the CPU."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import onnxruntime
import pytest

from app.engine.directions.direction_state import State
from app.engine.directions.verification import verify
from app.engine.local_engine import open_engine
from app.engine.runtime import openvino
from app.engine.runtime.providers import CPU, OPENVINO
from app.engine.runtime.runtime import Runtime, open_runtime
from app.settings.settings import Settings
from models.bundle.canary import read_canary
from models.bundle.canary_pictures import check_pictures
from models.bundle.directory import read_bundle
from models.bundle.errors import BundleError
from models.bundle.graph_switches import MIXED
from models.bundle.manifest import CANARY, GENERATOR
from tests.photos import photo
from tests.tiny_bundle import SIZE, generator, write_tiny_bundle

SHIPPED = Path("bundles/selfie2anime")

needs_openvino = pytest.mark.skipif(
    openvino.cpu_device() is None, reason="OpenVINO's plug-in is not installed, or does not support this CPU"
)


def on_openvino(precision: str) -> Runtime:
    return Runtime((OPENVINO, CPU), precision)


@needs_openvino
def test_in_float32_the_shipped_bundle_is_exact() -> None:
    assert verify(SHIPPED, on_openvino("float32").open).psnr_db > 70


@needs_openvino
def test_in_bfloat16_the_shipped_bundle_passes_but_differs_from_float32() -> None:
    """If the plug-in ignored the precision, this test or the one before would fail."""
    assert 45 < verify(SHIPPED, on_openvino("bfloat16").open).psnr_db < 70


@needs_openvino
@pytest.mark.skipif(not openvino.has_bfloat16(), reason="OpenVINO finds no bfloat16 on this CPU")
@pytest.mark.parametrize("direction", ["selfie2anime", "anime2selfie"])
def test_in_bfloat16_the_shipped_bundles_reach_50_db_on_natural_pictures(direction: str) -> None:
    bundle = read_bundle(SHIPPED.parent / direction)
    model = on_openvino("bfloat16").open(bundle.files[GENERATOR])
    check_pictures(read_canary(bundle.files[CANARY]), model.run)


@needs_openvino
@pytest.mark.skipif(not openvino.has_bfloat16(), reason="OpenVINO finds no bfloat16 on this CPU")
def test_what_stays_in_float32_makes_bfloat16_more_accurate() -> None:
    canary = read_canary((SHIPPED / CANARY).read_bytes())
    # Without its switch, which the loader turns on, the graph has the plain operators only.
    plain = (SHIPPED / GENERATOR).read_bytes().replace(MIXED.encode(), b"x" * len(MIXED))
    with pytest.raises(BundleError, match="natural pictures"):
        check_pictures(canary, on_openvino("bfloat16").open(plain).run)


@needs_openvino
@pytest.mark.anyio
async def test_a_bundle_that_is_wrong_in_bfloat16_is_served_in_float32(tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path, "cat2dog", delicate=True)
    write_tiny_bundle(tmp_path, "dog2cat")
    settings = Settings(bundles_dir=tmp_path, provider="openvino", precision="bfloat16")
    engine = open_engine(settings, open_runtime(settings))
    await engine.registry.load()
    fallen, other = engine.registry
    assert (fallen.state, fallen.execution) == (State.READY, (OPENVINO, "float32"))
    assert "in float32 instead of bfloat16" in str(fallen.reason)
    assert (other.state, other.execution, other.reason) == (State.READY, (OPENVINO, "bfloat16"), None)
    translation = await engine.translate("cat2dog", photo())
    assert (translation.entry.translation == 255 - translation.entry.source.pixels).all()
    engine.close()


@needs_openvino
def test_openvino_rejects_an_unknown_precision(capfd: pytest.CaptureFixture[str]) -> None:
    options = onnxruntime.SessionOptions()
    wrong = json.dumps({"CPU": {"INFERENCE_PRECISION_HINT": "f33"}})
    options.add_provider_for_devices([openvino.cpu_device()], {"load_config": wrong})
    with pytest.raises(Exception, match="INFERENCE_PRECISION_HINT"):
        onnxruntime.InferenceSession(generator(), options, enable_fallback=0)
    capfd.readouterr()  # OpenVINO prints the error, too


@needs_openvino
def test_the_whole_shipped_graph_runs_on_openvino() -> None:
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    openvino.add_provider(options, precision="float32", threads=0)
    session = onnxruntime.InferenceSession(str(SHIPPED / GENERATOR), options, enable_fallback=0)
    assert session.get_providers()[0] == OPENVINO


@needs_openvino
def test_a_session_is_compiled_for_one_shape() -> None:
    session = on_openvino("float32").open_session(generator(), (2, 32, 16))
    assert session.get_inputs()[0].shape == [2, 32, 16, 3]
    assert [output.shape for output in session.get_outputs()] == [[2, 32, 16, 3], [2, 4, 2], [2, 2]]


@needs_openvino
@pytest.mark.anyio
async def test_a_ready_direction_opens_no_more_sessions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No request waits for a compilation: every shape has its session before."""
    write_tiny_bundle(tmp_path, "cat2dog")
    settings = Settings(
        bundles_dir=tmp_path, provider="openvino", precision="float32", max_batch=3, batch_wait_ms=0
    )
    engine = open_engine(settings, open_runtime(settings))
    opened: list[object] = []
    open_session = onnxruntime.InferenceSession

    def counted(*arguments: object, **options: object) -> onnxruntime.InferenceSession:
        opened.append(arguments)
        return open_session(*arguments, **options)

    monkeypatch.setattr(onnxruntime, "InferenceSession", counted)
    await engine.registry.load()
    assert len(opened) == 3  # batches of 1, 2 and 3
    for batch in (1, 2, 3, 1):
        await asyncio.gather(*(engine.translate("cat2dog", photo()) for _ in range(batch)))
    assert len(opened) == 3
    engine.close()


@needs_openvino
@pytest.mark.anyio
async def test_openvino_translates_a_picture(tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path, "cat2dog")
    settings = Settings(bundles_dir=tmp_path, provider="openvino", precision="float32")
    engine = open_engine(settings, open_runtime(settings))
    engine.start()
    await engine.wait_until_loaded()
    translation = await engine.translate("cat2dog", photo())
    assert (translation.entry.translation == 255 - translation.entry.source.pixels).all()
    maps = await engine.attention(translation.id, "local")
    assert maps.values.shape == (SIZE // 4, SIZE // 4)
    assert engine.registry["cat2dog"].execution == (OPENVINO, "float32")
    engine.close()


def test_without_the_plug_in_there_is_no_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime_ep_openvino", None)
    assert openvino.cpu_device.__wrapped__() is None


def test_a_plug_in_that_cannot_be_loaded_is_ignored(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("GLIBC_2.99 not found")

    plugin = SimpleNamespace(get_library_path=lambda: "plugin.so")
    monkeypatch.setitem(sys.modules, "onnxruntime_ep_openvino", plugin)
    monkeypatch.setattr(onnxruntime, "register_execution_provider_library", refuse)
    assert openvino.cpu_device.__wrapped__() is None
    assert "GLIBC_2.99" in caplog.text


def test_a_plug_in_that_offers_no_cpu_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = onnxruntime.OrtHardwareDeviceType
    offered = [
        SimpleNamespace(ep_name=name, device=SimpleNamespace(type=kind))
        for name, kind in ((CPU, kinds.CPU), (f"{OPENVINO}.AUTO", kinds.CPU), (OPENVINO, kinds.GPU))
    ]
    plugin = SimpleNamespace(get_library_path=lambda: "plugin.so")
    monkeypatch.setitem(sys.modules, "onnxruntime_ep_openvino", plugin)
    monkeypatch.setattr(onnxruntime, "register_execution_provider_library", lambda *_: None)
    monkeypatch.setattr(onnxruntime, "get_ep_devices", lambda: offered)
    assert openvino.cpu_device.__wrapped__() is None


def test_the_precision_is_always_set_and_threads_only_on_request() -> None:
    config = json.loads(openvino.provider_options("bfloat16", 0)["load_config"])["CPU"]
    assert config["INFERENCE_PRECISION_HINT"] == "bf16"
    assert "INFERENCE_NUM_THREADS" not in config
    config = json.loads(openvino.provider_options("float32", 4)["load_config"])["CPU"]
    assert (config["INFERENCE_PRECISION_HINT"], config["INFERENCE_NUM_THREADS"]) == ("f32", "4")
