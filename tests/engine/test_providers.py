"""Where models run: decisions, and that a session really came up there. No GPU is needed for any of it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from app.engine import session
from app.engine.providers import (
    CPU,
    CUDA,
    TENSORRT,
    Answers,
    ProviderRefused,
    choose_providers,
    provider_options,
)
from app.engine.session import Runtime, batch_shapes, open_runtime
from app.settings import Settings

EVERYTHING = (TENSORRT, CUDA, CPU)
NO_DEVICE = Answers(cuda=False, tensorrt=False)
DEVICE = Answers(cuda=True, tensorrt=False)
DEVICE_AND_TENSORRT = Answers(cuda=True, tensorrt=True)
TRT_LIST, CUDA_LIST, CPU_LIST = (TENSORRT, CUDA, CPU), (CUDA, CPU), (CPU,)


@pytest.mark.parametrize(
    ("requested", "available", "answers", "require_gpu", "expected"),
    [
        ("auto", EVERYTHING, DEVICE_AND_TENSORRT, False, [TRT_LIST, CUDA_LIST, CPU_LIST]),
        ("auto", EVERYTHING, DEVICE, False, [CUDA_LIST, CPU_LIST]),
        ("auto", EVERYTHING, NO_DEVICE, False, [CPU_LIST]),
        ("auto", (CPU,), DEVICE, False, [CPU_LIST]),
        ("auto", EVERYTHING, DEVICE, True, [CUDA_LIST]),
        ("cpu", EVERYTHING, DEVICE, False, [CPU_LIST]),
        ("cuda", EVERYTHING, DEVICE_AND_TENSORRT, False, [CUDA_LIST]),
        ("tensorrt", EVERYTHING, DEVICE_AND_TENSORRT, False, [TRT_LIST]),
    ],
)
def test_the_lists_to_try_follow_from_what_there_is(
    requested: str,
    available: tuple[str, ...],
    answers: Answers,
    require_gpu: bool,
    expected: list[tuple[str, ...]],
) -> None:
    assert (
        choose_providers(requested, available=available, answers=answers, require_gpu=require_gpu) == expected
    )


@pytest.mark.parametrize(
    ("requested", "available", "answers", "require_gpu", "sentence"),
    [
        ("auto", EVERYTHING, NO_DEVICE, True, "no CUDA device answers"),
        ("auto", (CPU,), DEVICE, True, "install onnxruntime-gpu"),
        ("cpu", EVERYTHING, DEVICE, True, "UGATIT_PROVIDER asks for the CPU"),
        ("cuda", EVERYTHING, NO_DEVICE, False, "no CUDA device answers"),
        ("cuda", (CPU,), DEVICE, False, "install onnxruntime-gpu"),
        ("tensorrt", EVERYTHING, DEVICE, False, "UGATIT_PROVIDER=cuda"),
    ],
)
def test_what_cannot_be_had_is_refused_with_the_remedy(
    requested: str, available: tuple[str, ...], answers: Answers, require_gpu: bool, sentence: str
) -> None:
    with pytest.raises(ProviderRefused, match=sentence):
        choose_providers(requested, available=available, answers=answers, require_gpu=require_gpu)


class FakeSessionOptions(SimpleNamespace):
    """Keeps config entries as onnxruntime's own does."""

    def __init__(self) -> None:
        super().__init__(entries={})

    def add_session_config_entry(self, key: str, value: str) -> None:
        self.entries[key] = value


class FakeOnnxruntime:
    """Stands for the module: sessions come up on whatever of `works` is asked for first."""

    def __init__(self, works: set[str], raises: set[str] = frozenset()) -> None:
        self.works = works
        self.raises = raises
        self.asked: list[list[tuple[str, dict[str, str]]]] = []
        self.preloaded = False
        self.SessionOptions = FakeSessionOptions
        self.RunOptions = SimpleNamespace

    def get_available_providers(self) -> list[str]:
        return list(EVERYTHING)

    def preload_dlls(self) -> None:
        self.preloaded = True

    def InferenceSession(self, _model: bytes, _options: object, *, providers, enable_fallback):
        assert enable_fallback == 0
        self.asked.append(providers)
        names = [name for name, _ in providers]
        if names[0] in self.raises:
            raise RuntimeError("libcudnn.so.9: cannot open shared object file")
        came_up = [name for name in names if name in self.works]
        return SimpleNamespace(get_providers=lambda: came_up, get_outputs=list)


def open_with(
    monkeypatch: pytest.MonkeyPatch, fake: FakeOnnxruntime, answers: Answers, **settings: object
) -> Runtime:
    monkeypatch.setattr(session, "onnxruntime", fake)
    monkeypatch.setattr(session, "probe", lambda: answers)
    return open_runtime(Settings(**settings))


def test_a_gpu_that_comes_up_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeOnnxruntime({CUDA, CPU})
    runtime = open_with(monkeypatch, fake, DEVICE, device=3)
    assert runtime.providers == CUDA_LIST
    assert runtime.on_gpu
    assert fake.preloaded
    assert fake.asked[0][0][1]["device_id"] == "3"


def test_a_silent_fall_back_to_the_cpu_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = open_with(monkeypatch, FakeOnnxruntime({CPU}), DEVICE)
    assert runtime.providers == CPU_LIST


def test_a_provider_that_fails_to_load_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = open_with(monkeypatch, FakeOnnxruntime({CUDA, CPU}, {TENSORRT}), DEVICE_AND_TENSORRT)
    assert runtime.providers == CUDA_LIST


def test_a_required_gpu_that_does_not_come_up_refuses_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ProviderRefused, match="did not come up"):
        open_with(monkeypatch, FakeOnnxruntime({CPU}), DEVICE, require_gpu=True)


def test_without_a_device_no_gpu_session_is_even_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeOnnxruntime({CPU})
    open_with(monkeypatch, fake, NO_DEVICE)
    assert [[name for name, _ in asked] for asked in fake.asked] == [[CPU]]
    assert not fake.preloaded


def test_cuda_keeps_float32_and_does_not_hoard_memory() -> None:
    options = provider_options(CUDA, 0)
    assert options["use_tf32"] == "0"
    assert options["arena_extend_strategy"] == "kSameAsRequested"


def test_a_gpu_runs_few_batch_shapes_and_a_cpu_any() -> None:
    assert batch_shapes(8, on_gpu=True) == [1, 2, 4, 8]
    assert batch_shapes(6, on_gpu=True) == [1, 2, 4, 6]
    assert batch_shapes(1, on_gpu=True) == [1]
    assert batch_shapes(3, on_gpu=False) == [1, 2, 3]


def test_starting_on_this_machine_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    open_runtime(Settings(provider="cpu"))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("provider", "machine", "expected"),
    [(CPU, "x86_64", True), (CPU, "AMD64", True), (CPU, "aarch64", False), (CUDA, "x86_64", False)],
)
def test_the_winograd_form_runs_only_where_it_was_measured_to_be_faster(
    monkeypatch: pytest.MonkeyPatch, provider: str, machine: str, expected: bool
) -> None:
    monkeypatch.setattr("platform.machine", lambda: machine)
    assert Runtime((provider,), device=0, threads=1).winograd is expected


def test_opening_a_model_turns_its_switch_on(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[bytes] = []
    monkeypatch.setattr(session, "turn_on", lambda model, switch: model + switch.encode())
    monkeypatch.setattr(session.onnxruntime, "InferenceSession", _recording(opened))
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    Runtime((CPU,), device=0, threads=1).open(b"model:")
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    Runtime((CPU,), device=0, threads=1).open(b"model:")
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
