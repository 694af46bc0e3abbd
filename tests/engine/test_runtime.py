"""That a session really came up where it was decided, with a fake onnxruntime: no GPU is needed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from app.engine import openvino, runtime, session
from app.engine.providers import CPU, CUDA, OPENVINO, TENSORRT, Answers, ProviderRefused
from app.engine.runtime import Runtime, batch_shapes, open_runtime
from app.engine.shaped import Shaped
from app.settings import Settings

NO_DEVICE = Answers(cuda=0, tensorrt=False)
DEVICE = Answers(cuda=4, tensorrt=False)
DEVICE_AND_TENSORRT = Answers(cuda=4, tensorrt=True)
INTEL = Answers(cuda=0, tensorrt=False, openvino=True)
CUDA_LIST, OPENVINO_LIST, CPU_LIST = (CUDA, CPU), (OPENVINO, CPU), (CPU,)


class FakeSessionOptions:
    """Keeps what it is told as onnxruntime's own does."""

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
    """Stands for the module: sessions come up on whatever of `works` is asked for first."""

    def __init__(self, works: set[str], raises: set[str] = frozenset()) -> None:
        self.works = works
        self.raises = raises
        self.asked: list[list[tuple[str, dict[str, str]]]] = []
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
        self.asked.append(options.plugins or providers)
        names = [name for name, _ in self.asked[-1]]
        if names[0] in self.raises:
            raise RuntimeError("libcudnn.so.9: cannot open shared object file")
        came_up = [name for name in [*names, CPU] if name in self.works]
        return SimpleNamespace(get_providers=lambda: came_up, get_outputs=list)


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    def put(fake: FakeOnnxruntime, answers: Answers) -> None:
        monkeypatch.setattr(session, "onnxruntime", fake)
        monkeypatch.setattr(runtime, "onnxruntime", fake)
        monkeypatch.setattr(runtime, "probe", lambda **_: answers)
        device = SimpleNamespace(ep_name=OPENVINO, ep_metadata={"OPTIMIZATION_CAPABILITIES": "FP32 BF16"})
        monkeypatch.setattr(openvino, "cpu_device", lambda: device)
        monkeypatch.setattr("app.engine.cores.cpu_quota", lambda: None)

    return put


def test_a_gpu_that_comes_up_is_used(install) -> None:  # type: ignore[no-untyped-def]
    fake = FakeOnnxruntime({CUDA, CPU})
    install(fake, DEVICE)
    opened = open_runtime(Settings(device=3))
    assert opened.providers == CUDA_LIST
    assert opened.on_gpu
    assert fake.preloaded
    assert fake.asked[0][0][1]["device_id"] == "3"


def test_a_silent_fall_back_to_the_cpu_is_noticed(install) -> None:  # type: ignore[no-untyped-def]
    install(FakeOnnxruntime({CPU}), DEVICE)
    assert open_runtime(Settings()).providers == CPU_LIST


def test_a_provider_that_fails_to_load_is_noticed(install) -> None:  # type: ignore[no-untyped-def]
    install(FakeOnnxruntime({CUDA, CPU}, {TENSORRT}), DEVICE_AND_TENSORRT)
    assert open_runtime(Settings()).providers == CUDA_LIST


def test_a_required_gpu_that_does_not_come_up_refuses_the_start(install) -> None:  # type: ignore[no-untyped-def]
    install(FakeOnnxruntime({CPU}), DEVICE)
    with pytest.raises(ProviderRefused, match="did not come up"):
        open_runtime(Settings(require_gpu=True))


def test_without_a_device_no_gpu_session_is_even_tried(install) -> None:  # type: ignore[no-untyped-def]
    fake = FakeOnnxruntime({CPU})
    install(fake, NO_DEVICE)
    open_runtime(Settings())
    assert [[name for name, _ in asked] for asked in fake.asked] == [[CPU]]
    assert not fake.preloaded


def test_openvino_comes_before_the_cpu_provider_and_is_told_its_precision(install) -> None:  # type: ignore[no-untyped-def]
    fake = FakeOnnxruntime({OPENVINO, CPU})
    install(fake, INTEL)
    opened = open_runtime(Settings(intra_op_threads=3))
    assert (opened.providers, opened.precision, opened.on_gpu) == (OPENVINO_LIST, "float32", False)
    ((_, options),) = fake.asked[0]
    assert '"INFERENCE_PRECISION_HINT": "f32"' in options["load_config"]
    assert '"INFERENCE_NUM_THREADS": "3"' in options["load_config"]


def test_only_in_float32_and_by_itself_does_openvino_have_to_win_a_race(install) -> None:  # type: ignore[no-untyped-def]
    install(FakeOnnxruntime({OPENVINO, CPU}), INTEL)
    assert open_runtime(Settings()).race is not None
    assert open_runtime(Settings(provider="openvino")).race is None
    assert open_runtime(Settings(provider="cpu")).race is None
    install(FakeOnnxruntime({OPENVINO, CPU}), INTEL._replace(amx=True))
    assert open_runtime(Settings()).race is None
    assert open_runtime(Settings(precision="float32")).race is not None


def test_an_openvino_that_fails_gives_way_to_the_cpu_provider(install) -> None:  # type: ignore[no-untyped-def]
    install(FakeOnnxruntime({CPU}, {OPENVINO}), INTEL)
    assert open_runtime(Settings()).providers == CPU_LIST
    with pytest.raises(ProviderRefused, match="did not come up"):
        open_runtime(Settings(provider="openvino"))


def test_openvino_gets_every_shape_fixed(install) -> None:  # type: ignore[no-untyped-def]
    fake = FakeOnnxruntime({OPENVINO, CPU})
    install(fake, INTEL)
    model = Runtime(OPENVINO_LIST, "bfloat16", device=0, threads=1).open(b"model")
    assert isinstance(model, Shaped)
    model._session((2, 32, 16))
    assert fake.options[-1].dimensions == {"N": 2, "H": 32, "W": 16}


def test_where_shapes_are_dear_there_are_few() -> None:
    assert batch_shapes(8, few=True) == [1, 2, 4, 8]
    assert batch_shapes(6, few=True) == [1, 2, 4, 6]
    assert batch_shapes(1, few=True) == [1]
    assert batch_shapes(3, few=False) == [1, 2, 3]


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
    assert Runtime((provider,), precision, device=0, threads=1).winograd is expected


def test_opening_a_model_turns_its_switch_on(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[bytes] = []
    monkeypatch.setattr(runtime, "turn_on", lambda model, switch: model + switch.encode())
    monkeypatch.setattr(runtime.onnxruntime, "InferenceSession", _recording(opened))
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    Runtime((CPU,), "float32", device=0, threads=1).open(b"model:")
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    Runtime((CPU,), "float32", device=0, threads=1).open(b"model:")
    assert opened == [b"model:winograd", b"model:"]


def _recording(opened: list[bytes]):  # type: ignore[no-untyped-def]
    def open_session(model: bytes, *_: object, **__: object) -> SimpleNamespace:
        opened.append(model)
        return SimpleNamespace(get_outputs=list, get_providers=lambda: [CPU])

    return open_session


def test_threads_do_not_spin_on_when_a_run_is_over() -> None:
    options = session.session_options(threads=2)
    assert options.get_session_config_entry("session.force_spinning_stop") == "1"
    assert options.intra_op_num_threads == 2
