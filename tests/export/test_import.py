"""`ugatit-train import`: an official checkpoint becomes verified bundles, or is refused with one sentence."""

import argparse
import io
import json
import os
import pickle
import tarfile
import warnings
import zipfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.bundle.canary import check_canary, read_canary
from models.bundle.directory import Bundle, read_bundle
from models.bundle.manifest import CANARY, DISCRIMINATORS, GENERATOR
from tests.golden.reading import checkpoint
from training.cli import cli, main
from training.export import bundles as exporting
from training.export.parity import cpu_session, run
from training.export.translator import Translator
from training.importers.pytorch import read_official

Command = Callable[..., tuple[int, str]]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run `ugatit-train`, and return the exit code and standard error."""

    def call(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["ugatit-train", *map(str, arguments)])
        try:
            main()
        except SystemExit as exit_:
            return int(exit_.code or 0), capsys.readouterr().err
        return 0, capsys.readouterr().err

    return call


def imported(command: Command, source: Path, out: Path, *more: object) -> tuple[int, str]:
    return command(
        "import", source, "--a2b", "cat2dog", "--b2a", "dog2cat", "--size", 128, "--out", out, *more
    )


def changed(tmp_path: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    content = torch.load(checkpoint("light"), weights_only=True)
    path = tmp_path / "changed.pt"
    torch.save(change(content), path)
    return path


def assert_whole(bundle: Bundle) -> None:
    session = cpu_session(bundle.files[GENERATOR])
    check_canary(read_canary(bundle.files[CANARY]), lambda pixels: run(session, pixels), exact=True)


@pytest.mark.parametrize("variant", ["light", "full"])
def test_checkpoint_becomes_one_verified_bundle_per_direction(
    tmp_path: Path, command: Command, variant: str
) -> None:
    code, error = imported(command, checkpoint(variant), tmp_path / "out", "--discriminators")
    assert (code, error) == (0, "")
    for direction, source in (("cat2dog", "cat"), ("dog2cat", "dog")):
        bundle = read_bundle(tmp_path / "out" / direction)
        assert_whole(bundle)
        assert bundle.manifest.direction == direction
        assert bundle.manifest.source == source
        assert bundle.manifest.image.fixed == (variant == "full")
        assert bundle.manifest.image.width == 128
        assert bundle.manifest.architecture["channels"] == 4
        assert DISCRIMINATORS in bundle.files


def test_each_direction_has_its_own_generator_and_discriminators(tmp_path: Path, command: Command) -> None:
    imported(command, checkpoint("light"), tmp_path, "--discriminators")
    a, b = (read_bundle(tmp_path / direction).files for direction in ("cat2dog", "dog2cat"))
    assert a[GENERATOR] != b[GENERATOR]
    assert a[DISCRIMINATORS] != b[DISCRIMINATORS]


def test_options_are_written_to_manifest_and_card(tmp_path: Path, command: Command) -> None:
    (tmp_path / "notes.md").write_text("Whiskers come out well.")
    facts = ("--steps", 1234, "--data", "my cats", "--licence", "CC0", "--notes", tmp_path / "notes.md")
    imported(command, checkpoint("light"), tmp_path / "out", *facts)
    bundle = read_bundle(tmp_path / "out" / "cat2dog")
    assert bundle.manifest.training.steps == 1234
    assert bundle.manifest.licence == "CC0"
    assert "1,234 steps; data: my cats" in bundle.card
    assert "Whiskers come out well." in bundle.card


def test_only_writes_one_direction(tmp_path: Path, command: Command) -> None:
    imported(command, checkpoint("light"), tmp_path / "out", "--only", "b2a")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["dog2cat"]


def test_generators_alone_and_module_prefixes_are_read(tmp_path: Path, command: Command) -> None:
    def strip(content: dict[str, Any]) -> dict[str, Any]:
        return {
            name: {f"module.{key}": value for key, value in content[name].items()}
            for name in ("genA2B", "genB2A")
        }

    path = changed(tmp_path, strip)
    assert imported(command, path, tmp_path / "out")[0] == 0
    bundle = read_bundle(tmp_path / "out" / "cat2dog")
    assert DISCRIMINATORS not in bundle.files
    code, error = imported(command, path, tmp_path / "more", "--discriminators")
    assert code == 2
    assert "has no discriminators" in error


def flat(content: dict[str, Any]) -> dict[str, Any]:
    return {f"module.{name}.{key}": value for name, part in content.items() for key, value in part.items()}


@pytest.mark.parametrize(
    "wrap",
    [
        lambda content: {"state_dict": content, "epoch": 3},
        lambda content: {"model": content},
        lambda content: {"model": {"state_dict": content}},
        lambda content: {"state_dict": flat(content)},
        lambda content: {name: {"state_dict": part} for name, part in content.items()},
        lambda content: {
            name: {f"_orig_mod.module.{key}": value for key, value in part.items()}
            for name, part in content.items()
        },
    ],
)
def test_what_people_put_around_the_networks_is_taken_off(
    tmp_path: Path, wrap: Callable[[dict[str, Any]], Any]
) -> None:
    expected, found = (
        read_official(path, size=128) for path in (checkpoint("light"), changed(tmp_path, wrap))
    )
    for name, network in {**expected.generators, **expected.discriminators}.items():
        same = {**found.generators, **found.discriminators}[name].state_dict()
        assert all(torch.equal(value, same[key]) for key, value in network.state_dict().items())


def test_tensors_of_a_gpu_are_read_on_a_machine_without_one(tmp_path: Path) -> None:
    """A checkpoint names the device of each of its storages in the pickle."""
    with (
        zipfile.ZipFile(checkpoint("light")) as before,
        zipfile.ZipFile(tmp_path / "cuda.pt", "w") as after,
    ):
        for info in before.infolist():
            content = before.read(info)
            if info.filename.endswith("data.pkl"):
                assert b"X\x03\x00\x00\x00cpu" in content
                content = content.replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0")
            after.writestr(info, content)
    assert read_official(tmp_path / "cuda.pt", size=128).generators.keys() == {"genA2B", "genB2A"}


def test_old_tar_format_of_pytorch_is_refused(tmp_path: Path, command: Command) -> None:
    with tarfile.open(tmp_path / "old.pt", "w") as archive:
        for name in ("sys_info", "pickle", "tensors", "storages"):
            archive.addfile(tarfile.TarInfo(name), io.BytesIO(b""))
    code, error = imported(command, tmp_path / "old.pt", tmp_path / "out")
    assert code == 2
    assert "found a checkpoint in PyTorch's old tar format" in error
    assert error.count("\n") == 1


def without(key: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda content: {name: part for name, part in content.items() if name != key}


def with_other_shape(content: dict[str, Any]) -> dict[str, Any]:
    content["genA2B"]["FC.2.weight"] = torch.zeros(3, 3)
    return content


def with_an_unknown_key(content: dict[str, Any]) -> dict[str, Any]:
    content["genB2A"]["HourGlass.0.weight"] = torch.zeros(1)
    return content


def with_a_sparse_tensor(content: dict[str, Any]) -> dict[str, Any]:
    content["genA2B"]["DownBlock.1.weight"] = content["genA2B"]["DownBlock.1.weight"].to_sparse()
    return content


def with_a_tensor_without_data(content: dict[str, Any]) -> dict[str, Any]:
    content["genA2B"]["DownBlock.1.weight"] = content["genA2B"]["DownBlock.1.weight"].to("meta")
    return content


def without_channels(content: dict[str, Any]) -> dict[str, Any]:
    content["genA2B"]["DownBlock.1.weight"] = torch.zeros(0, 3, 7, 7)
    return content


def with_a_number(content: dict[str, Any]) -> dict[str, Any]:
    content["genA2B"]["gap_fc.weight"] = 3.0
    return content


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (without("genB2A"), "found no genB2A among its entries"),
        (lambda content: content["genA2B"], "found no genA2B and no genB2A among its entries (gap_fc.weight"),
        (lambda _: [1, 2], "found a list"),
        (with_other_shape, "genA2B: expected style.hidden.2.weight of shape (16, 16), found (3, 3)"),
        (with_an_unknown_key, "genB2A has HourGlass.0.weight: its architecture is not U-GAT-IT"),
        (with_a_number, "genA2B is not a state dict of tensors: gap_fc.weight is a float"),
        (with_a_sparse_tensor, "genA2B is not a state dict of tensors"),
        (with_a_tensor_without_data, "genA2B is not a state dict of tensors"),
        (without_channels, "genA2B is a full generator of"),
    ],
)
def test_other_content_is_refused_with_one_sentence(
    tmp_path: Path, command: Command, change: Callable[[dict[str, Any]], Any], says: str
) -> None:
    code, error = imported(command, changed(tmp_path, change), tmp_path / "out")
    assert code == 2
    assert says in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("network", "key", "says"),
    [
        ("genA2B", "UpBlock2.11.weight", "image of the generator is not finite"),
        ("genB2A", "gap_fc.weight", "of the generator is not finite"),
        ("disGB", "conv.weight_orig", "logit of the global discriminator is not finite"),
    ],
)
def test_weights_that_are_not_finite_are_refused(
    tmp_path: Path, command: Command, network: str, key: str, says: str
) -> None:
    def broken(content: dict[str, Any]) -> dict[str, Any]:
        content[network][key].view(-1)[0] = float("nan")
        return content

    code, error = imported(command, changed(tmp_path, broken), tmp_path / "out", "--discriminators")
    assert code == 2
    assert says in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_discriminators_of_one_domain_are_used_for_one_direction(tmp_path: Path, command: Command) -> None:
    path = changed(
        tmp_path,
        lambda content: {name: part for name, part in content.items() if name[-2:] not in ("GA", "LA")},
    )
    code, error = imported(command, path, tmp_path / "out", "--discriminators")
    assert code == 2
    assert "has no discriminators for genB2A" in error
    assert imported(command, path, tmp_path / "out", "--discriminators", "--only", "a2b") == (0, "")


def test_half_precision_and_any_memory_layout_are_read(tmp_path: Path, command: Command) -> None:
    def halved(content: dict[str, Any]) -> dict[str, Any]:
        return {
            name: {
                key: value.half().mT.contiguous().mT if value.dim() > 1 else value.half()
                for key, value in part.items()
            }
            for name, part in content.items()
        }

    assert imported(command, changed(tmp_path, halved), tmp_path / "out") == (0, "")


def test_checkpoint_with_one_generator_becomes_one_bundle(tmp_path: Path, command: Command) -> None:
    path = changed(tmp_path, lambda content: {"genA2B": content["genA2B"]})
    arguments = ("import", path, "--size", 128, "--out", tmp_path / "out")
    assert command(*arguments, "--a2b", "cat2dog", "--b2a", "dog2cat", "--only", "a2b") == (0, "")
    assert command(*arguments, "--a2b", "cow2dog", "--only", "a2b") == (0, "")
    code, error = command(*arguments, "--b2a", "dog2cat", "--only", "b2a")
    assert code == 2
    assert "found no genB2A among its entries (genA2B)" in error


def test_light_checkpoint_reports_the_assumed_size(tmp_path: Path, command: Command) -> None:
    code, said = command(
        "import", checkpoint("light"), "--a2b", "cat2dog", "--only", "a2b", "--out", tmp_path
    )
    assert code == 0
    assert "does not record its training size: assumed 256 px. Give --size" in said
    code, said = command("import", checkpoint("full"), "--b2a", "dog2cat", "--only", "b2a", "--out", tmp_path)
    assert (code, said) == (0, "")


def test_other_objects_in_a_checkpoint_are_named_and_not_read(tmp_path: Path, command: Command) -> None:
    def crowded(content: dict[str, Any]) -> dict[str, Any]:
        return {
            **content,
            "args": argparse.Namespace(dataset="cats"),
            "loss": np.float64(1.25),
            "options": Options(rate=1e-4),
            "counts": defaultdict(int, a=1),
            "step": 1000,
        }

    code, said = imported(command, changed(tmp_path, crowded), tmp_path / "out")
    assert code == 0
    assert "args (argparse.Namespace), loss (numpy" in said
    assert "step (int)" in said


def packed(kind: str, content: bytes) -> bytes:
    file = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("params.pt", content)
    else:
        with tarfile.open(fileobj=file, mode="w:gz" if kind == "gz" else "w") as archive:
            entry = tarfile.TarInfo("params.pt")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (lambda _: b"", "found an empty file; copy or download it again"),
        (lambda _: b"<!DOCTYPE html><html>", "found a web page; download the file itself"),
        (
            lambda _: b"version https://git-lfs.github.com/spec/v1\n",
            "found a Git LFS pointer; fetch",
        ),
        (
            lambda whole: whole[: len(whole) // 2],
            "found a file that is cut off or damaged; copy",
        ),
        (lambda whole: packed("zip", whole), "found a ZIP archive; unpack it, and give the checkpoint in it"),
        (lambda whole: packed("gz", whole), "found a gzip archive; unpack it"),
        (lambda whole: packed("tar", whole), "found a tar archive; unpack it"),
        (lambda _: b"7z\xbc\xaf\x27\x1c" + bytes(90), "found a 7z archive; unpack it"),
        (lambda _: b'\x20\0\0\0\0\0\0\0{"a":{}}', "found a safetensors file; give the file that torch.save"),
    ],
)
def test_file_of_another_type_is_named_with_a_remedy(
    tmp_path: Path, command: Command, content: Callable[[bytes], bytes], says: str
) -> None:
    (tmp_path / "file.pt").write_bytes(content(checkpoint("light").read_bytes()))
    code, error = imported(command, tmp_path / "file.pt", tmp_path / "out")
    assert code == 2
    assert says in error
    assert error.count("\n") == 1


def test_truncated_legacy_file_is_reported(tmp_path: Path, command: Command) -> None:
    content = torch.load(checkpoint("light"), weights_only=True)
    torch.save(content, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    whole = (tmp_path / "old.pt").read_bytes()
    (tmp_path / "old.pt").write_bytes(whole[:-1000])
    code, error = imported(command, tmp_path / "old.pt", tmp_path / "out")
    assert code == 2
    assert "cut off or damaged" in error


def test_damaged_weights_are_refused(tmp_path: Path, command: Command) -> None:
    damaged = bytearray(checkpoint("light").read_bytes())
    damaged[len(damaged) // 2] ^= 0x01
    (tmp_path / "file.pt").write_bytes(damaged)
    code, error = imported(command, tmp_path / "file.pt", tmp_path / "out")
    assert code == 2
    assert "found a file that is cut off or damaged; copy or download it again" in error


def test_pickle_of_another_protocol_is_refused_without_a_warning(tmp_path: Path, command: Command) -> None:
    (tmp_path / "file.pt").write_bytes(pickle.dumps({"genA2B": {}}, protocol=4))
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        code, error = imported(command, tmp_path / "file.pt", tmp_path / "out")
    assert code == 2
    assert error.count("\n") == 1
    assert shown == []


class Network(torch.nn.Module):
    """A model that a checkpoint can contain as a pickled object."""


class Options(dict[str, float]):
    """A mapping of a custom class, as configs often are."""


@pytest.mark.parametrize("old", [True, False])
def test_pickled_model_is_refused_with_the_advice_to_save_its_state_dict(
    tmp_path: Path, command: Command, old: bool
) -> None:
    path = tmp_path / "model.pt"
    torch.save(Network(), path, _use_new_zipfile_serialization=not old)
    code, error = imported(command, path, tmp_path / "out")
    assert code == 2
    assert "found pickled models; save" in error if old else "found a pickled object of the class" in error
    assert "save the state dicts of its networks instead" in error


def test_pickled_model_among_the_entries_is_named(tmp_path: Path, command: Command) -> None:
    torch.save({"genA2B": Network(), "genB2A": {}}, tmp_path / "model.pt")
    code, error = imported(command, tmp_path / "model.pt", tmp_path / "out")
    assert code == 2
    assert "found that genA2B is a pickled" in error


class Shell:
    def __reduce__(self) -> tuple[Any, ...]:
        return (os.system, ("exit 1",))


def test_file_that_would_run_a_command_is_refused(tmp_path: Path, command: Command) -> None:
    torch.save({"args": Shell()}, tmp_path / "file.pt")
    code, error = imported(command, tmp_path / "file.pt", tmp_path / "out")
    assert code == 2
    assert "would run" in error
    assert "system when it is opened; do not open it" in error


class Malicious:
    def __reduce__(self) -> tuple[Any, ...]:
        return (print, ("code in a checkpoint was run",))


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04", b"\x80\x02."])
def test_any_other_file_is_refused_with_one_sentence(
    tmp_path: Path, command: Command, content: bytes
) -> None:
    (tmp_path / "file.pt").write_bytes(content)
    code, error = imported(command, tmp_path / "file.pt", tmp_path / "out")
    assert code == 2
    assert "expected a dict of state dicts named genA2B, genB2A" in error
    assert error.count("\n") == 1


def test_code_in_a_checkpoint_is_never_run(
    tmp_path: Path, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save({"genA2B": Malicious(), "genB2A": {}}, tmp_path / "file.pt")
    code, _ = imported(command, tmp_path / "file.pt", tmp_path / "out")
    assert code == 2
    assert "code in a checkpoint was run" not in capsys.readouterr().out


def test_data_set_at_the_target_is_refused_before_any_work(tmp_path: Path, command: Command) -> None:
    (tmp_path / "dog2cat" / "trainA").mkdir(parents=True)
    code, error = imported(command, checkpoint("light"), tmp_path)
    assert code == 2
    assert "dog2cat exists and is not a bundle" in error
    assert [path.name for path in tmp_path.iterdir()] == ["dog2cat"]
    assert (tmp_path / "dog2cat" / "trainA").is_dir()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--a2b", "cats", "--b2a", "dog2cat"), "A direction has the form SOURCE2TARGET"),
        (("--a2b", "cat2dog", "--b2a", "cat2dog"), "name the same direction"),
        (("--a2b", "cat2dog"), "Missing option '--b2a'"),
        (
            ("--a2b", "cat2dog", "--b2a", "dog2cat", "--size", "130"),
            "size must be a multiple of 4 and at least 8, got 130",
        ),
        (
            ("--a2b", "cat2dog", "--b2a", "dog2cat", "--size", "0"),
            "size must be a multiple of 4 and at least 8, got 0",
        ),
        (
            ("--a2b", "cat2dog", "--b2a", "dog2cat", "--size", "92", "--discriminators"),
            "A discriminator of 7 layers needs pictures of at least 96 px, got 92",
        ),
        (("--a2b", "cat2dog", "--b2a", "dog2cat", "--steps", "-1"), "-1 is not in the range x>=0"),
        (("--a2b", "cat2dog", "--b2a", "dog2cat", "--sise", "128"), "No such option"),
    ],
)
def test_usage_error_is_one_line(
    tmp_path: Path, command: Command, arguments: tuple[str, ...], says: str
) -> None:
    code, error = command("import", checkpoint("light"), "--out", tmp_path / "out", *arguments)
    assert code == 2
    assert says in error
    assert error.count("\n") == 1


def test_size_that_contradicts_a_full_checkpoint_is_refused(tmp_path: Path, command: Command) -> None:
    code, error = command(
        "import", checkpoint("full"), "--a2b", "cat2dog", "--b2a", "dog2cat", "--size", 256, "--out", tmp_path
    )
    assert code == 2
    assert "is a full generator of 128 px" in error


def test_nothing_is_written_if_the_second_direction_fails_its_parity(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = exporting.export_translator, []

    def spoilt(translator: Translator) -> bytes:
        calls.append(translator)
        if len(calls) == 2:
            network: Any = translator.network
            with torch.no_grad():
                network.to_image[1].weight *= 1.1
            model = real(translator)
            with torch.no_grad():
                network.to_image[1].weight /= 1.1
            return model
        return real(translator)

    monkeypatch.setattr(exporting, "export_translator", spoilt)
    code, error = imported(command, checkpoint("light"), tmp_path / "out")
    assert code == 2
    assert "differs from torch, and nothing was written" in error
    assert not (tmp_path / "out").exists()


def test_manifest_has_the_measured_parity(tmp_path: Path, command: Command) -> None:
    imported(command, checkpoint("light"), tmp_path)
    manifest = json.loads((tmp_path / "cat2dog" / "manifest.json").read_text())
    assert manifest["parity"]["image_max_levels"] <= 1
    assert manifest["parity"]["image_equal"] >= 0.995
    assert np.isfinite(manifest["parity"]["attention_relative"])
    assert manifest["evaluation"] == []


def test_every_command_has_help() -> None:
    assert cli.help
    assert all(command.help for command in cli.commands.values())
