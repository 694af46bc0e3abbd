"""Inception as torch-fidelity computes it, with weights drawn at random in place of the real ones."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch
from PIL import Image

from models.bundle.canary import smooth_picture
from training.evaluation import inception
from training.evaluation.choice import choose_extractor
from training.evaluation.efficientnet import EfficientNetLite0
from training.evaluation.errors import EvaluationError
from training.evaluation.inception import Inception, import_torch_fidelity
from training.evaluation.kid import subset_mmd


@pytest.fixture(scope="module")
def file_of_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of weights of the right shapes."""
    path = tmp_path_factory.mktemp("inception") / "weights.pth"
    network_class = import_torch_fidelity().FeatureExtractorInceptionV3
    empty = io.BytesIO()
    torch.save({}, empty)
    empty.seek(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network_class, "load_state_dict", lambda *_: None)
        torch.manual_seed(0)
        network = network_class("drawn", ["2048"], feature_extractor_weights_path=empty)
    torch.save(network.state_dict(), path)
    return path


@pytest.fixture
def drawn_weights(file_of_weights: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, its hash in the place of the real one."""
    monkeypatch.setattr(inception, "SHA256", hashlib.sha256(file_of_weights.read_bytes()).hexdigest())
    return file_of_weights


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Two folders of pictures, the second ones larger than the first."""
    for name, size, count in (("made", 32, 3), ("real", 48, 2)):
        (tmp_path / name).mkdir()
        for number in range(count):
            picture = smooth_picture(size, size, seed=number + 10 * size)
            Image.fromarray(picture).save(tmp_path / name / f"{number}.png")
    return tmp_path / "made", tmp_path / "real"


def test_kid_equals_that_of_torch_fidelity_on_the_same_files(
    drawn_weights: Path, folders: tuple[Path, Path]
) -> None:
    theirs = import_torch_fidelity().calculate_metrics(
        input1=str(folders[0]),
        input2=str(folders[1]),
        kid=True,
        kid_subsets=3,
        kid_subset_size=2,
        rng_seed=5,
        cuda=False,
        cache=False,
        verbose=False,
        save_cpu_ram=True,
        feature_extractor_weights_path=str(drawn_weights),
    )
    extractor = Inception(drawn_weights)
    made, real = (
        extractor.features(np.asarray(Image.open(path)) for path in sorted(folder.iterdir()))
        for folder in folders
    )
    assert made.shape == (3, 2048)
    ours = subset_mmd(made, real, size=2, subsets=3, seed=5)
    assert ours.value == pytest.approx(theirs["kernel_inception_distance_mean"], abs=1e-6)
    assert ours.subset_std == pytest.approx(theirs["kernel_inception_distance_std"], abs=1e-6)


def test_weights_of_another_hash_are_refused_before_they_are_read(tmp_path: Path) -> None:
    other = tmp_path / inception.WEIGHTS
    other.write_bytes(b"not what it says")
    with pytest.raises(EvaluationError, match=r"to have the sha256 6726825d0af5.*use --extractor"):
        choose_extractor(None, other)


def test_missing_weights_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"absent\.pth cannot be read: No such file or directory; give"):
        choose_extractor("inception", tmp_path / "absent.pth")


def test_without_weights_and_network_one_sentence_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def no_network(*args: object, **kwargs: object) -> None:
        raise URLError(OSError(113, "No route to host"))

    monkeypatch.setattr("torch.hub.get_dir", lambda: str(tmp_path))
    monkeypatch.setattr("torch.hub.download_url_to_file", no_network)
    with pytest.raises(EvaluationError, match=r"could not be downloaded \(No route to host\); give the file"):
        choose_extractor("inception", None)


def test_without_weights_the_default_is_the_offline_extractor_and_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("torch.hub.get_dir", lambda: str(tmp_path))
    extractor, remark = choose_extractor(None, None)
    assert isinstance(extractor, EfficientNetLite0)
    assert remark is not None
    assert "cannot be compared with KID and FID" in remark


def test_cached_weights_are_the_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, drawn_weights: Path
) -> None:
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / inception.WEIGHTS).symlink_to(drawn_weights)
    monkeypatch.setattr("torch.hub.get_dir", lambda: str(tmp_path))
    extractor, remark = choose_extractor(None, None)
    assert isinstance(extractor, Inception)
    assert remark is None


def test_weights_of_an_extractor_that_is_not_used_are_refused(drawn_weights: Path) -> None:
    with pytest.raises(EvaluationError, match="contradict each other"):
        choose_extractor("efficientnet-lite0", drawn_weights)


def test_torch_fidelity_that_cannot_be_imported_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, drawn_weights: Path
) -> None:
    def broken(name: str) -> None:
        raise RuntimeError("operator torchvision::roi_align does not exist")

    monkeypatch.setattr("importlib.import_module", broken)
    monkeypatch.setattr(inception, "_declare_operators", lambda: None)
    with pytest.raises(EvaluationError, match=r"cannot be imported \(operator torchvision::roi_align"):
        Inception(drawn_weights)
