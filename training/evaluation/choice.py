"""Choose the extractor: the named one, or the best one available."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from training.evaluation import efficientnet, inception
from training.evaluation.efficientnet import EfficientNetLite0
from training.evaluation.errors import EvaluationError
from training.evaluation.extractor import Extractor
from training.evaluation.inception import Inception

EXTRACTORS: Final = (inception.NAME, efficientnet.NAME)


def choose_extractor(
    name: str | None,
    inception_weights: Path | None,
    *,
    device: str = "cpu",
    remedy: str = inception.OTHER_WAYS,
) -> tuple[Extractor, str | None]:
    """Return the extractor, and a remark where it is a substitute for Inception.

    Args:
        name: one of `EXTRACTORS`; None is Inception where its weights are on this machine, else
            EfficientNet-Lite0. Only a named Inception may be downloaded.
        inception_weights: the file of Inception's weights, if one was given.
        device: where to compute.
        remedy: what to do about a file with other weights, as the end of a sentence.

    Raises:
        EvaluationError: the two contradict each other, or the extractor is not available.
    """
    if name == efficientnet.NAME:
        if inception_weights is not None:
            raise EvaluationError(
                f"--inception-weights and --extractor {name} contradict each other; leave one of them out."
            )
        return EfficientNetLite0(device=device), None
    weights = inception_weights or inception.cached_weights()
    if name is None and inception_weights is None and not weights.exists():
        remark = (
            f"Inception's weights are not on this machine, so the extractor is {efficientnet.NAME}: its "
            "figures are KID-lite and FID-lite, which cannot be compared with KID and FID. For those, give "
            f"the file {inception.WEIGHTS} with --inception-weights, or download it with "
            "--extractor inception."
        )
        return EfficientNetLite0(device=device), remark
    if inception_weights is None and not weights.exists():
        weights = inception.download_weights()
    return Inception(weights, device=device, remedy=remedy), None
