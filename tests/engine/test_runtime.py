"""Sessions open on the chosen provider, tested with a fake onnxruntime: no GPU is needed."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from app.engine.runtime import openvino, runtime, session
from app.engine.runtime.fixed_shapes import FixedShapeModel
from app.engine.runtime.providers import CPU, CUDA, OPENVINO, TENSORRT, Capabilities, ProviderRefused
from app.engine.runtime.runtime import Runtime, batch_sizes, device_runtimes, open_runtime
from app.settings.settings import Settings

NO_DEVICE = Capabilities(cuda=0, tensorrt=False)
DEVICE = Capabilities(cuda=4, tensorrt=False)
DEVICE_AND_TENSORRT = Capabilities(cuda=4, tensorrt=True)
INTEL = Capabilities(cuda=0, tensorrt=False, openvino=True)
CUDA_LIST, OPENVINO_LIST, CPU_LIST = (CUDA, CPU), (OPENVINO, CPU), (CPU,)


class FakeSessionOptions:
    """Records the options like onnxruntime's own class."""

    def __init__(self) -> None:
        self.entries: dict[str, str] = {}
        self.dimensions: dict[str, int] = {}
        self.plugins: list[tuple[str, dict[str, str]]] = []

    def add_session_config_entry(self, key: str, value: str) -> None:
        self.entries[key] = value

    def add_free_dimension_override_by_name(self, name: str, size: int) -> None:
        self.dimensions[name] = size

    def add_provider_for_devices(self, devices: list[Any], options: dict[str, str]) -> None:
        self.plugins += [(device.ep_name, options) for device in devices]


class FakeOnnxruntime:
    """A fake of the module: a session uses the first of its providers that is in `works`."""

    def __init__(self, works: set[str], raises: set[str] = frozenset()) -> None:
        self.works = works
        self.raises = raises
        self.requested: list[list[tuple[str, dict[str, str]]]] = []
        self.options: list[FakeSessionOptions] = []
        self.preloaded = False
        self.SessionOptions = FakeSessionOptions
        self.RunOptions = SimpleNamespace

    def get_available_providers(self) -> list[str]:
        return [TENSORRT, CUDA, CPU]

    def preload_dlls(self) -> None:
        self.preloaded = True

    def InferenceSession(self, _model: bytes, options: FakeSessionOptions, *, providers, enable_fallback):
        assert enable_fallback == 0
        assert not (options.plugins and providers), "onnxruntime refuses both at once"
        self.options.append(options)
        self.requested.append(options.plugins or providers)
        names = [name for name, _ in self.requested[-1]]
        if names[0] in self.raises:
            raise RuntimeError("libcudnn.so.9: cannot open shared object file")
        came_up = [name for name in [*names, CPU] if name in self.works]
        first = self.requested[-1][0][1]
        return SimpleNamespace(get_providers=lambda: came_up, get_outputs=list, options=first)


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    def put(fake: FakeOnnxruntime, answers: Capabilities) -> None:
        monkeypatch.setattr(session, "onnxruntime", fake)
        monkeypatch.setattr(runtime, "onnxruntime", fake)
        monkeypatch.setattr(runtime, "probe", lambda **_: answers)
        device = SimpleNamespace(ep_name=OPENVINO, ep_metadata={"OPTIMIZATION_CAPABILITIES": "FP32 BF16"})
        monkeypatch.setattr(openvino, "cpu_device", lambda: device)
        monkeypatch.setattr("app.engine.runtime.cpu_quota.cpu_quota", lambda: None)

    return put


def test_a_working_gpu_is_used(install) -> None:  # type: ignore[no-untyped-def]
    fake = FakeOnnxruntime({CUDA, CPU})
    install(fake, DEVICE)
    opened = open_runtime(Settings(devices="3"))
    assert opened.providers == CUDA_LIST
    assert opened.on_gpu
    assert fake.preloaded
    assert fake.requested[0][0][1]["device_id"] == "3"


def test_a_silent_fallback_to_the_cpu_is_detected(install) -> None:  # type: ignore[no-untyped-def]
    install(FakeOnnxruntime({CPU}), DEVICE)
    assert open_runtime(Settings()).providers == CPU_LIST


def test_a_provider_that_fails_to_load_is_noticed(install) -> None:  # type: ignore[no-untyped-def]
    install(FakeOnnxruntime({CUDA, CPU}, {TENSORRT}), DEVICE_AND_TENSORRT)
    assert open_runtime(Settings()).providers == CUDA_LIST


def test_a_required_gpu_that_does_not_work_stops_the_start(install) -> None:  # type: ignore[no-untyped-def]
    install(FakeOnnxruntime({CPU}), DEVICE)
    with pytest.raises(ProviderRefused, match="does not work here"):
        open_runtime(Settings(require_gpu=True))


def test_without_a_device_no_gpu_session_is_tried(install) -> None:  # type: ignore[no-untyped-def]
    fake = FakeOnnxruntime({CPU})
    install(fake, NO_DEVICE)
    open_runtime(Settings())
    assert [[name for name, _ in asked] for asked in fake.requested] == [[CPU]]
    assert not fake.preloaded


def test_openvino_precedes_the_cpu_provider_with_its_precision_set(install) -> None:  # type: ignore[no-untyped-def]
    fake = FakeOnnxruntime({OPENVINO, CPU})
    install(fake, INTEL)
    opened = open_runtime(Settings(intra_op_threads=3))
    assert (opened.providers, opened.precision, opened.on_gpu) == (OPENVINO_LIST, "float32", False)
    ((_, options),) = fake.requested[0]
    assert '"INFERENCE_PRECISION_HINT": "f32"' in options["load_config"]
    assert '"INFERENCE_NUM_THREADS": "3"' in options["load_config"]


def test_openvino_is_benchmarked_only_in_float32_and_by_default(install) -> None:  # type: ignore[no-untyped-def]
    install(FakeOnnxruntime({OPENVINO, CPU}), INTEL)
    assert open_runtime(Settings()).benchmark is not None
    assert open_runtime(Settings(provider="openvino")).benchmark is None
    assert open_runtime(Settings(provider="cpu")).benchmark is None
    install(FakeOnnxruntime({OPENVINO, CPU}), INTEL._replace(amx=True))
    required = open_runtime(Settings(precision="bfloat16"))
    assert required.benchmark is None
    assert required.fallback is not None  # for models that need float32
    assert required.fallback.benchmark is not None
    assert open_runtime(Settings(precision="float32")).benchmark is not None


def test_bfloat16_is_benchmarked_against_float32_where_it_is_chosen_automatically(install) -> None:  # type: ignore[no-untyped-def]
    install(FakeOnnxruntime({OPENVINO, CPU}), INTEL._replace(amx=True))
    for provider in ("auto", "openvino"):
        opened = open_runtime(Settings(provider=provider))
        assert (opened.precision, opened.automatic_precision) == ("bfloat16", True)
        assert opened.benchmark is not None
    assert not open_runtime(Settings(precision="bfloat16")).automatic_precision


def test_the_cpu_provider_replaces_an_openvino_that_fails(install) -> None:  # type: ignore[no-untyped-def]
    install(FakeOnnxruntime({CPU}, {OPENVINO}), INTEL)
    assert open_runtime(Settings()).providers == CPU_LIST
    with pytest.raises(ProviderRefused, match="does not work here"):
        open_runtime(Settings(provider="openvino"))


def test_openvino_sessions_have_fixed_shapes(install) -> None:  # type: ignore[no-untyped-def]
    fake = FakeOnnxruntime({OPENVINO, CPU})
    install(fake, INTEL)
    model = Runtime(OPENVINO_LIST, "bfloat16").open(b"model")
    assert isinstance(model, FixedShapeModel)
    model._session((2, 32, 16))
    assert fake.options[-1].dimensions == {"N": 2, "H": 32, "W": 16}


class FakeBound:
    """A fake of a session with buffers on a device."""

    made: ClassVar[list[FakeBound]] = []
    fails_with_graph = False

    def __init__(self, opened: Any, shape: tuple[int, int, int], *, precision: str, device: int) -> None:
        self.shape, self.device, self.precision = shape, device, precision
        self.graph = opened.options["enable_cuda_graph"] == "1"
        self.made.append(self)

    def run(self, pixels: Any, _style: Any = None) -> dict[str, Any]:
        assert pixels.shape == (*self.shape, 3)
        if self.graph and self.fails_with_graph:
            raise RuntimeError("all compute graph nodes have not been partitioned to CUDA")
        return {}


@pytest.fixture
def on_cuda(install, monkeypatch: pytest.MonkeyPatch) -> Runtime:  # type: ignore[no-untyped-def]
    fake = FakeOnnxruntime({CUDA, CPU})
    install(fake, DEVICE)
    monkeypatch.setattr(FakeBound, "made", [])
    monkeypatch.setattr(runtime, "BoundSession", FakeBound)
    return open_runtime(Settings(devices="1,3", gpu_memory_limit_bytes=10**9))


def test_a_gpu_run_is_recorded_for_every_shape(on_cuda: Runtime) -> None:
    model = on_cuda.open(b"model")
    model.prepare_shapes([(1, 32, 16), (2, 32, 16)])
    assert [(made.shape, made.device, made.graph) for made in FakeBound.made] == [
        ((1, 32, 16), 1, True),
        ((2, 32, 16), 1, True),
    ]
    assert model.execution.provider == CUDA


def test_a_model_that_cannot_be_recorded_runs_without_a_graph(
    on_cuda: Runtime, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(FakeBound, "fails_with_graph", True)
    on_cuda.open(b"model").prepare_shapes([(1, 32, 16)])
    assert [made.graph for made in FakeBound.made] == [True, False]
    assert "not recorded" in caplog.text


def test_every_device_has_its_own_copy(on_cuda: Runtime) -> None:
    for each in device_runtimes(on_cuda, Settings(devices="1,3")):
        each.open(b"model").prepare_shapes([(1, 32, 16)])
    assert [made.device for made in FakeBound.made] == [1, 3]


def test_on_a_cpu_there_is_one_copy(install) -> None:  # type: ignore[no-untyped-def]
    install(FakeOnnxruntime({CPU}), NO_DEVICE)
    settings = Settings(devices="0,1")
    assert len(device_runtimes(open_runtime(settings), settings)) == 1


def test_a_missing_device_stops_the_start(install) -> None:  # type: ignore[no-untyped-def]
    install(FakeOnnxruntime({CUDA, CPU}), DEVICE)
    with pytest.raises(ProviderRefused, match="UGATIT_DEVICES names GPU 4, but the driver finds 4"):
        open_runtime(Settings(devices="0,4"))


def test_tensorrt_keeps_float32_and_requires_a_writable_cache(
    install,  # type: ignore[no-untyped-def]
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    install(FakeOnnxruntime({TENSORRT, CUDA, CPU}), DEVICE_AND_TENSORRT)
    monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", "?")
    monkeypatch.delenv("NVIDIA_TF32_OVERRIDE")
    with pytest.raises(ProviderRefused, match=r"UGATIT_ENGINE_CACHE_DIR must be .* mount a volume"):
        open_runtime(Settings(engine_cache_dir=tmp_path / "absent"))
    opened = open_runtime(Settings(engine_cache_dir=tmp_path, precision="float32"))
    assert opened.providers[0] == TENSORRT
    assert opened.gpu.engine_cache_dir == tmp_path
    assert os.environ["NVIDIA_TF32_OVERRIDE"] == "0"


def test_few_batch_sizes_are_powers_of_two() -> None:
    assert batch_sizes(8, few=True) == [1, 2, 4, 8]
    assert batch_sizes(6, few=True) == [1, 2, 4, 6]
    assert batch_sizes(1, few=True) == [1]
    assert batch_sizes(3, few=False) == [1, 2, 3]


def test_starting_on_this_machine_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    open_runtime(Settings(provider="cpu"))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("provider", "precision", "machine", "expected"),
    [
        (CPU, "float32", "x86_64", True),
        (CPU, "float32", "AMD64", True),
        (CPU, "float32", "aarch64", False),
        (CUDA, "float32", "x86_64", False),
        (OPENVINO, "float32", "x86_64", True),
        (OPENVINO, "bfloat16", "x86_64", False),
    ],
)
def test_the_winograd_form_runs_only_where_it_was_measured_to_be_faster(
    monkeypatch: pytest.MonkeyPatch, provider: str, precision: str, machine: str, expected: bool
) -> None:
    monkeypatch.setattr("platform.machine", lambda: machine)
    assert Runtime((provider,), precision).winograd is expected


def test_opening_a_model_turns_its_switch_on(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[bytes] = []
    monkeypatch.setattr(runtime, "turn_on", lambda model, switch: model + switch.encode())
    monkeypatch.setattr(runtime.onnxruntime, "InferenceSession", _recording(opened))
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    Runtime((CPU,)).open(b"model:")
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    Runtime((CPU,)).open(b"model:")
    assert opened == [b"model:winograd", b"model:"]


def _recording(opened: list[bytes]):  # type: ignore[no-untyped-def]
    def open_session(model: bytes, *_: object, **__: object) -> SimpleNamespace:
        opened.append(model)
        return SimpleNamespace(get_outputs=list, get_providers=lambda: [CPU])

    return open_session


def test_threads_stop_spinning_after_a_run() -> None:
    options = session.session_options(threads=2)
    assert options.get_session_config_entry("session.force_spinning_stop") == "1"
    assert options.intra_op_num_threads == 2
