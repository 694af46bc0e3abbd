"""The engine on an NVIDIA GPU. Skipped without one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.engine.directions.verification import verify
from app.engine.local_engine import open_engine
from app.engine.runtime.gpu import BoundSession
from app.engine.runtime.providers import CPU, CUDA, TENSORRT, probe
from app.engine.runtime.runtime import Runtime, open_runtime
from app.engine.runtime.session import Model
from app.settings.settings import Settings
from models.bundle.canary import MIN_PSNR_DB, smooth_picture
from models.bundle.directory import read_bundle
from models.bundle.manifest import GENERATOR
from tests.photos import photo

CAPABILITIES = probe(with_openvino=False)
BUNDLES = Path("bundles")
SHIPPED = BUNDLES / "selfie2anime"

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not CAPABILITIES.cuda, reason="no CUDA device was found on this machine"),
]
needs_tensorrt = pytest.mark.skipif(
    not CAPABILITIES.tensorrt, reason="TensorRT's libraries are not installed"
)


def generator(runtime: Runtime) -> Model:
    return runtime.open(read_bundle(SHIPPED).files[GENERATOR])


def pictures(batch: int) -> np.ndarray:
    size = read_bundle(SHIPPED).manifest.image
    return np.stack([smooth_picture(size.height, size.width, seed=seed) for seed in range(batch)])


@pytest.fixture(scope="module")
def cuda() -> Runtime:
    return open_runtime(Settings(provider="cuda"))


@pytest.mark.parametrize("bundle", sorted(path.name for path in BUNDLES.iterdir() if path.is_dir()))
def test_a_shipped_bundle_is_exact_on_cuda(cuda: Runtime, bundle: str) -> None:
    verified = verify(BUNDLES / bundle, cuda.open)
    assert verified.execution == (CUDA, "float32")


def test_batched_pictures_equal_single_ones_on_cuda(cuda: Runtime) -> None:
    model = generator(cuda)
    pixels = pictures(8)
    for batch in (8, 4, 2):
        together = model.run(pixels[:batch])["image"].astype(int)
        alone = [model.run(pixels[index : index + 1])["image"][0] for index in range(batch)]
        assert np.abs(together - np.stack(alone)).max() <= 1


def test_the_gpu_agrees_with_the_cpu(cuda: Runtime) -> None:
    pixels = pictures(1)
    on_gpu, on_cpu = (generator(each).run(pixels)["image"].astype(int) for each in (cuda, Runtime((CPU,))))
    assert np.abs(on_gpu - on_cpu).max() <= 1


def test_the_run_is_recorded_as_a_cuda_graph(cuda: Runtime, caplog: pytest.LogCaptureFixture) -> None:
    model = generator(cuda)
    first = model.run(pictures(1))
    assert "not recorded" not in caplog.text
    again = model.run(pictures(1))
    assert all((first[name] == again[name]).all() for name in first)


def test_buffers_are_on_the_device(cuda: Runtime) -> None:
    model = generator(cuda)
    pixels = pictures(1)
    model.run(pixels)
    session = model._session(pixels.shape[:3])
    assert isinstance(session, BoundSession)
    assert session._input.device_name().lower() == "cuda"


@needs_tensorrt
@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_tensorrt_passes_the_canary_and_caches_its_engines(tmp_path: Path, precision: str) -> None:
    settings = Settings(provider="tensorrt", precision=precision, engine_cache_dir=tmp_path)
    verified = verify(SHIPPED, open_runtime(settings).open)
    assert verified.execution == (TENSORRT, precision)
    assert verified.psnr_db >= MIN_PSNR_DB
    assert list(tmp_path.glob("ugatit_*.engine"))


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_the_service_translates_on_every_device(anyio_backend: str) -> None:
    devices = ",".join(map(str, range(CAPABILITIES.cuda)))
    settings = Settings(bundles_dir=BUNDLES, provider="cuda", devices=devices)
    engine = open_engine(settings, open_runtime(settings))
    engine.start()
    await engine.wait_until_loaded()
    assert engine.registry["selfie2anime"].execution.provider == CUDA
    translation = await engine.translate("selfie2anime", photo())
    assert translation.entry.translation.std() > 0
    engine.close()
