"""The parts of a CAM's attention add up to it, and the classifier's map to its logit."""

import pytest
import torch
from torch import Tensor

from models.networks.cam import CAM

CAMS = [
    pytest.param({}, id="generator's"),
    pytest.param({"shared": True}, id="shared"),
    pytest.param({"slope": 0.2, "spectral": True}, id="spectral"),
    pytest.param({"slope": 0.2, "spectral": True, "raw_weight": True}, id="raw weight"),
    pytest.param(
        {"slope": 0.2, "spectral": True, "raw_weight": True, "shared": True}, id="shared raw weight"
    ),
]


def cam_and_features(options: dict[str, object]) -> tuple[CAM, Tensor]:
    torch.manual_seed(4)
    return CAM(6, **options).double().eval(), torch.randn(2, 6, 5, 7, dtype=torch.float64)  # type: ignore[arg-type]


@pytest.mark.parametrize("options", CAMS)
def test_both_pools_shares_and_the_biass_share_are_the_attention(options: dict[str, object]) -> None:
    cam, x = cam_and_features(options)
    found, parts = cam(x), cam.parts(x)
    slopes = torch.where(found.features > 0, 1.0, x.new_full((), cam.slope))
    of_bias = torch.einsum("bchw,c->bhw", slopes, cam.merge.bias)
    torch.testing.assert_close(parts.average + parts.maximum + of_bias, found.attention)


@pytest.mark.parametrize("options", CAMS)
def test_a_pools_share_is_the_attention_if_the_other_has_no_weight(
    options: dict[str, object],
) -> None:
    cam, x = cam_and_features(options)
    with torch.no_grad():
        cam.merge.bias.zero_()
        cam.merge.weight[:, :6].zero_()  # of the average pool
    parts = cam.parts(x)
    assert not parts.average.any()
    torch.testing.assert_close(parts.maximum, cam(x).attention)


@pytest.mark.parametrize("options", CAMS)
def test_the_mean_of_the_classifiers_map_is_its_logit(options: dict[str, object]) -> None:
    cam, x = cam_and_features(options)
    bias = cam.classifier.bias if cam.shared else 0.0
    logits = cam.parts(x).classifier.mean((1, 2)) + bias
    torch.testing.assert_close(logits, cam(x).cam_logit[:, 0])
