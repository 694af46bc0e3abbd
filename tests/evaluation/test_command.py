"""`ugatit-train evaluate`: from folders to a table, a JSON file and features, or one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.evaluation.making import Colours, draw_data
from tests.tiny_bundle import write_tiny_bundle
from tests.training.command import SMALL, data_set, typed
from training.evaluation.choice import EXTRACTORS
from training.evaluation.fid import frechet_distance
from training.evaluation.inception import import_torch_fidelity
from training.evaluation.kid import subset_mmd, unbiased_mmd
from training.evaluation.rows import Row


@pytest.fixture
def colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quick extractor in the place of the real ones."""
    monkeypatch.setattr("training.commands.evaluate.choose_extractor", lambda *_, **__: (Colours(), None))


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    bundles = tmp_path / "bundles"
    return write_tiny_bundle(bundles, "cat2dog"), write_tiny_bundle(bundles, "dog2cat")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return draw_data(tmp_path / "data")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    run, pictures = folder / "run", data_set(folder / "data")
    code, _, error = typed("fit", "--data", pictures, "--out", run, "--steps=2", *SMALL)
    assert code == 0, error
    return run


def evaluated(tmp_path: Path, *arguments: object) -> dict[str, Any]:
    """The JSON document of an evaluation that must succeed."""
    file = tmp_path / "out" / "figures.json"
    code, _, error = typed("evaluate", *map(str, arguments), "--json", file)
    assert (code, error) == (0, "")
    return dict(json.loads(file.read_text()))


def one(document: dict[str, Any], direction: str, metric: str, protocol: str | None = None) -> dict[str, Any]:
    """The one row of that kind."""
    (row,) = (
        row
        for row in document["rows"]
        if (row["direction"], row["metric"], row["protocol"]) == (direction, metric, protocol)
    )
    return dict(row)


@pytest.mark.usefixtures("colours")
def test_every_figure_has_a_row_with_the_facts_to_compare_it(
    tmp_path: Path, pair: tuple[Path, Path], data: Path
) -> None:
    document = evaluated(tmp_path, *pair, "--data", data, "--seed", 3)
    assert document["extractor"] == {"name": "colours", "weights": "none.pth", "sha256": "0" * 64}
    assert document["seed"] == 3
    assert document["data"]["pictures"] == {"A": 5, "B": 4}
    assert document["data"]["domains"] == {"A": "cat", "B": "dog"}
    assert document["code"]
    assert document["machine"]["processor"]
    assert [each["name"] for each in document["subjects"]] == ["cat2dog", "dog2cat"]
    for row in document["rows"]:
        assert row.keys() == Row.__dataclass_fields__.keys()
    plain = one(document, "cat2dog", "kid-colours", "plain")
    assert (plain["subject"], plain["domains"]) == ("cat2dog", "A2B")
    assert (plain["n_translations"], plain["n_targets"]) == (5, 4)
    assert plain["subset_std"] is None
    assert plain["subset_size"] is None
    for protocol in ("paper-mean", "paper-alpha"):
        paper = one(document, "dog2cat", "kid-colours", protocol)
        assert (paper["n_sources"], paper["block_size"]) == (4, 10)


@pytest.mark.usefixtures("colours")
def test_other_figures_exist_for_both_directions(tmp_path: Path, pair: tuple[Path, Path], data: Path) -> None:
    document = evaluated(tmp_path, *pair, "--data", data)
    for direction in ("cat2dog", "dog2cat"):
        # The tiny bundles turn a picture into its negative: there and back again nothing is lost.
        assert one(document, direction, "cycle-l1")["value"] == 0
        assert one(document, direction, "identity-l1")["value"] > 0.1
        for metric in ("cam-accuracy-source", "cam-accuracy-target"):
            assert 0 <= one(document, direction, metric)["value"] <= 1
        assert one(document, direction, "sharpness")["value"] > 0
    (kid, fid) = document["baselines"]
    assert (kid["subject"], kid["metric"]) == ("untranslated", "kid-colours")
    assert fid["metric"] == "fid-colours"


@pytest.mark.usefixtures("colours")
def test_figures_can_be_computed_again_from_the_features(
    tmp_path: Path, pair: tuple[Path, Path], data: Path
) -> None:
    folder = tmp_path / "features"
    document = evaluated(tmp_path, *pair, "--data", data, "--features", folder)
    kept = {path.name: np.load(path) for path in sorted((folder / "cat2dog").iterdir())}
    assert {name: rows.shape for name, rows in kept.items()} == {
        "cat2dog-reconstruction.npy": (5, 48),
        "cat2dog-source.npy": (5, 48),
        "cat2dog-target.npy": (4, 48),
        "cat2dog-translation.npy": (5, 48),
    }
    assert {rows.dtype for rows in kept.values()} == {np.dtype(np.float32)}
    made, real = kept["cat2dog-translation.npy"], kept["cat2dog-target.npy"]
    assert one(document, "cat2dog", "kid-colours", "plain")["value"] == unbiased_mmd(made, real)
    assert one(document, "cat2dog", "fid-colours")["value"] == frechet_distance(made, real)
    assert document["baselines"][0]["value"] == unbiased_mmd(kept["cat2dog-source.npy"], real)


@pytest.mark.usefixtures("colours")
def test_one_subject_keeps_its_features_in_the_folder_itself(
    tmp_path: Path, pair: tuple[Path, Path], data: Path
) -> None:
    folder = tmp_path / "features"
    for _ in range(2):  # the second evaluation replaces what the first one wrote
        evaluated(tmp_path, pair[1], "--data", data, "--a2b", "cat2dog", "--features", folder)
    assert sorted(path.name for path in folder.iterdir()) == [
        "dog2cat-source.npy",
        "dog2cat-target.npy",
        "dog2cat-translation.npy",
    ]


@pytest.mark.usefixtures("colours")
def test_subsets_have_a_spread_and_are_recorded(tmp_path: Path, pair: tuple[Path, Path], data: Path) -> None:
    folder = tmp_path / "features"
    flags = ("--subset-size", 3, "--subsets", 7, "--seed", 11)
    document = evaluated(tmp_path, pair[0], "--data", data, "--features", folder, *flags)
    row = one(document, "cat2dog", "kid-colours", "plain")
    made, real = (np.load(folder / f"cat2dog-{kind}.npy") for kind in ("translation", "target"))
    expected = subset_mmd(made, real, size=3, subsets=7, seed=11)
    assert (row["value"], row["subset_std"]) == expected[:2]
    assert (row["subset_size"], row["subsets"]) == (3, 7)
    assert document["subsets"] == {"size": 3, "number": 7}


@pytest.mark.usefixtures("colours")
def test_torch_fidelity_computes_the_same_figures_from_the_kept_features(
    tmp_path: Path, pair: tuple[Path, Path], data: Path
) -> None:
    import_torch_fidelity()
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
    from torch_fidelity.metric_kid import kid_features_to_metric

    folder = tmp_path / "features"
    flags = ("--subset-size", 3, "--subsets", 20, "--seed", 5)
    document = evaluated(tmp_path, pair[0], "--data", data, "--features", folder, *flags)
    made, real = (
        torch.from_numpy(np.load(folder / f"cat2dog-{kind}.npy")) for kind in ("translation", "target")
    )
    theirs = kid_features_to_metric(
        made.double(), real.double(), kid_subsets=20, kid_subset_size=3, rng_seed=5, verbose=False
    )
    row = one(document, "cat2dog", "kid-colours", "plain")
    assert row["value"] == pytest.approx(theirs["kernel_inception_distance_mean"], abs=1e-6)
    assert row["subset_std"] == pytest.approx(theirs["kernel_inception_distance_std"], abs=1e-6)
    statistics = (fid_features_to_statistics(each) for each in (made, real))
    frechet = fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]
    assert one(document, "cat2dog", "fid-colours")["value"] == pytest.approx(frechet, rel=1e-4)


@pytest.mark.usefixtures("colours")
def test_equal_inputs_and_seed_give_equal_bytes(tmp_path: Path, pair: tuple[Path, Path], data: Path) -> None:
    written = []
    for number in range(2):
        file, folder = tmp_path / f"{number}.json", tmp_path / f"features{number}"
        code, out, error = typed(
            "evaluate", *pair, "--data", data, "--json", file, "--features", folder, "--subset-size=3"
        )
        assert (code, error) == (0, "")
        features = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.npy")}
        written.append((file.read_bytes(), features, out))
    assert written[0] == written[1]


@pytest.mark.usefixtures("colours")
def test_a_run_is_evaluated_in_both_directions(tmp_path: Path, run: Path, data: Path) -> None:
    document = evaluated(tmp_path, run, "--data", data, "--features", tmp_path / "features")
    (subject,) = document["subjects"]
    assert (subject["name"], subject["kind"], subject["steps"]) == ("run", "run", 2)
    for direction, counts in (("A2B", (5, 4)), ("B2A", (4, 5))):
        row = one(document, direction, "kid-colours", "plain")
        assert (row["n_translations"], row["n_targets"], row["steps"]) == (*counts, 2)
        assert one(document, direction, "cycle-l1")["value"] > 0
        assert np.load(tmp_path / "features" / f"{direction}-reconstruction.npy").shape == (counts[0], 48)


@pytest.mark.usefixtures("colours")
def test_a_run_and_its_bundle_have_almost_the_same_figures(tmp_path: Path, run: Path, data: Path) -> None:
    names = ("--a2b=cat2dog", "--b2a=dog2cat")
    code, _, error = typed("export", run, *names, "--out", tmp_path / "exported")
    assert code == 0, error
    bundles = [tmp_path / "exported" / name for name in ("cat2dog", "dog2cat")]
    document = evaluated(tmp_path, run, *bundles, "--data", data, "--a2b", "cat2dog")
    for metric in ("cycle-l1", "identity-l1", "sharpness"):
        own, bundled = (one(document, direction, metric)["value"] for direction in ("A2B", "cat2dog"))
        assert bundled == pytest.approx(own, rel=1e-2)


@pytest.mark.usefixtures("colours")
@pytest.mark.parametrize("flags", [("--best",), ("--step", "2")])
def test_step_and_best_choose_another_checkpoint(
    tmp_path: Path, run: Path, data: Path, flags: tuple[str, ...]
) -> None:
    assert evaluated(tmp_path, run, "--data", data, *flags)["subjects"][0]["steps"] == 2


def test_a_step_without_a_checkpoint_is_one_sentence(run: Path, data: Path) -> None:
    code, _, error = typed("evaluate", run, "--data", data, "--step", "9")
    assert code == 2
    assert "has no checkpoint of step 9" in error


@pytest.mark.usefixtures("colours")
def test_the_table_names_spread_protocol_and_extractor(pair: tuple[Path, Path], data: Path) -> None:
    big = draw_data(data.parent / "big", a=12, b=14)
    code, out, _ = typed("evaluate", *pair, "--data", big)
    assert code == 0
    assert "Extractor: colours" in out
    assert "paper-alpha" in out
    assert "standard error" in out
    assert "12/12/14" in out


def test_the_offline_extractor_names_its_figures_lite(
    tmp_path: Path, pair: tuple[Path, Path], data: Path
) -> None:
    document = evaluated(tmp_path, pair[0], "--data", data, "--extractor", "efficientnet-lite0")
    metrics = {row["metric"] for row in (*document["rows"], *document["baselines"])}
    assert {"kid-lite", "fid-lite"} <= metrics
    assert not {"kid", "fid"} & metrics
    assert document["extractor"]["name"] in EXTRACTORS


@pytest.mark.usefixtures("colours")
def test_sets_too_unequal_for_blocks_lose_only_the_papers_figures(
    tmp_path: Path, pair: tuple[Path, Path]
) -> None:
    data = draw_data(tmp_path / "unequal", a=2, b=13)
    document = evaluated(tmp_path, pair[0], "--data", data)
    assert one(document, "cat2dog", "kid-colours", "plain")
    assert {row["protocol"] for row in document["rows"]} == {"plain", None}
    (remark,) = document["remarks"]
    assert "too unequal for blocks" in remark


@pytest.mark.usefixtures("colours")
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--data", "empty"), r"empty/testA holds no pictures"),
        (("--data", "one"), r"needs at least 2 readable pictures in one/testA, found 1"),
        (("--data", "horse2zebra"), r"but the test pictures are horse and zebra"),
        (("--data", "data", "--subset-size", "5"), r"data/testB has 4; give a --subset-size of at most 4"),
        (("--data", "data", "--a2b", "nonsense"), r"got 'nonsense'"),
        (("--data", "data", "--step", "3"), r"choose a checkpoint of a run, and only bundles are given"),
        (("--data", "data", "--best"), r"choose a checkpoint of a run, and only bundles are given"),
    ],
)
def test_invalid_arguments_are_one_sentence_and_write_nothing(
    tmp_path: Path,
    pair: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, count in (("empty", 0), ("one", 1), ("data", 5), ("horse2zebra", 5)):
        draw_data(tmp_path / name, a=count)
    before = sorted(tmp_path.rglob("*"))
    code, _, error = typed("evaluate", *pair, *arguments, "--json", "out/figures.json", "--features", "f")
    assert code == 2
    assert error.count("\n") == 1
    assert sentence in error
    assert sorted(tmp_path.rglob("*")) == before


def test_weights_of_another_hash_are_one_sentence(
    tmp_path: Path, pair: tuple[Path, Path], data: Path
) -> None:
    weights, file = tmp_path / "weights.pth", tmp_path / "figures.json"
    weights.write_bytes(b"something else")
    flags = ("--inception-weights", weights, "--json", file)
    code, _, error = typed("evaluate", *pair, "--data", data, *flags)
    assert code == 2
    assert "to have the sha256" in error
    assert not file.exists()


@pytest.mark.usefixtures("colours")
def test_other_files_are_never_replaced_by_features(
    tmp_path: Path, pair: tuple[Path, Path], data: Path
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "thesis.tex").write_text("years of work")
    code, _, error = typed("evaluate", *pair, "--data", data, "--features", folder)
    assert code == 2
    assert "which holds thesis.tex; name a new folder" in error
    assert (folder / "thesis.tex").read_text() == "years of work"


@pytest.mark.usefixtures("colours")
def test_an_interrupted_evaluation_leaves_the_earlier_files(
    tmp_path: Path, pair: tuple[Path, Path], data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("evaluate", *pair, "--data", data, "--json", tmp_path / "j", "--features", tmp_path / "f")
    assert typed(*arguments)[0] == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device", "f")

    monkeypatch.setattr("numpy.save", full)
    code, _, error = typed(*arguments, "--seed", "1")
    assert code == 2
    assert "No space left on device" in error
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.usefixtures("colours")
@pytest.mark.parametrize(
    ("option", "function", "error"),
    [
        ("--json", "models.storage.durable.write_all", OSError(28, "No space left on device")),
        ("--ledger", "models.storage.durable.write_all", OSError(28, "No space left on device")),
        ("--features", "numpy.save", OSError("5120 requested and 4096 written")),  # as numpy raises it
    ],
)
def test_a_full_disk_is_one_sentence_that_names_the_output(
    tmp_path: Path,
    pair: tuple[Path, Path],
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
    option: str,
    function: str,
    error: OSError,
) -> None:
    def full(*_: object, **__: object) -> None:
        raise error

    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setattr(function, full)
    path = tmp_path / "figures.json"
    code, _, told = typed("evaluate", *pair, "--data", data, option, path)
    assert (code, told) == (2, f"ugatit-train: {path}: {error.strerror or error}.\n")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.usefixtures("colours")
@pytest.mark.parametrize("option", ["--json", "--features", "--ledger"])
def test_an_output_that_cannot_be_written_is_refused_before_the_work(
    tmp_path: Path, pair: tuple[Path, Path], data: Path, option: str
) -> None:
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "results.json"
    code, _, error = typed("evaluate", *pair, "--data", data, option, path)
    assert (code, error.count("\n")) == (2, 1)
    assert f"{option} needs a folder that can be written, and {tmp_path / 'file'} cannot be" in error


@pytest.mark.usefixtures("colours")
def test_only_the_test_folders_are_asked_for(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    (tmp_path / "empty").mkdir()
    code, _, error = typed("evaluate", *pair, "--data", tmp_path / "empty")
    assert code == 2
    assert error.endswith("empty/testA; a data set has pictures in testA, testB.\n")
