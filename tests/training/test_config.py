"""Test the config of a run: presets, changes, refused values."""

from __future__ import annotations

import json
from typing import Any

import pytest

from models.networks.config import ConfigError
from training.config.run_config import default_config, from_mapping, load_preset, merged, presets
from training.methods.registry import find_kind


def test_defaults_are_those_of_the_official_pytorch_code() -> None:
    config = from_mapping(load_preset("official-pytorch"))
    assert config == default_config()
    assert (config.steps, config.batch, config.data.resize_margin) == (1_000_000, 1, 30)
    assert config.ugatit.generator.light is False
    assert config.ugatit.local_discriminator.layers == 5
    assert (config.ugatit.learning_rate, config.ugatit.betas) == (1e-4, (0.5, 0.999))


@pytest.mark.parametrize("name", presets())
def test_every_preset_is_valid_and_has_a_comment_with_its_reason(name: str) -> None:
    from_mapping(load_preset(name))
    assert (find_kind("ugatit").presets / f"{name}.toml").read_text().startswith("# ")


def test_config_of_an_earlier_version_keeps_its_meaning() -> None:
    judge = {"channels": 64, "cam": True, "raw_cam_weight": True}
    old = {
        "generator": {
            "size": 256,
            "channels": 64,
            "blocks": 4,
            "light": False,
            "normalization": "adalin",
            "cam": True,
            "unbiased_variance": True,
        },
        "global_discriminator": {**judge, "layers": 7},
        "local_discriminator": {**judge, "layers": 5},
        "weights": {"adversarial": 1.0, "cycle": 10.0, "identity": 10.0, "cam": 1000.0},
        "learning_rate": 1e-4,
        "decay_from": 0.5,
        "betas": [0.5, 0.999],
        "weight_decay": 1e-4,
    }
    assert from_mapping({"ugatit": old}) == from_mapping(load_preset("official-pytorch"))


def test_written_config_is_read_back_equal() -> None:
    config = from_mapping(load_preset("cpu-demo"))
    assert from_mapping(json.loads(config.to_json())) == config
    assert config.sha256 != default_config().sha256


def test_changes_merge_into_sections_and_keep_the_rest() -> None:
    changed = merged(load_preset("cpu-demo"), {"steps": 5, "ugatit": {"generator": {"channels": 8}}})
    config = from_mapping(changed)
    assert (config.steps, config.ugatit.generator.channels) == (5, 8)
    assert config.ugatit.generator.light is True
    assert config.ugatit.global_discriminator.layers == 6


def test_section_with_one_value_keeps_the_defaults_of_the_others() -> None:
    config = from_mapping({"ugatit": {"local_discriminator": {"channels": 8}}})
    assert config.ugatit.local_discriminator.layers == 5


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"step": 5}, "Unknown config key 'step'; did you mean 'steps'?"),
        ({"ugatit": {"generator": {"chanels": 5}}}, "did you mean 'ugatit.generator.channels'?"),
        ({"learning_rate": 1}, "Unknown config key 'learning_rate'; did you mean 'ugatit.learning_rate'?"),
        ({"generator": {"channels": 8}}, "did you mean 'ugatit.generator'?"),
        ({"layers": 5}, "'ugatit.global_discriminator.layers' or 'ugatit.local_discriminator.layers'?"),
        ({"foo": 5}, "Unknown config key 'foo'; ugatit-train config lists all keys."),
        ({"ugatit": 3}, "ugatit is a section"),
        ({"steps": "many"}, "steps: Input should be a valid integer"),
        ({"steps": 0}, "must be at least 1"),
        ({"average_decay": 1.0}, "average_decay must be at least 0 and below 1, got 1.0"),
        (
            {"data": {"size": 128}},
            "data.size and ugatit.generator.size must be equal, got 128 and 256; --size sets both.",
        ),
        ({"ugatit": {"generator": {"normalization": "bn"}}}, "ugatit.generator.normalization"),
        ({"method": "diffusion"}, "Unknown method 'diffusion'; the methods are ugatit"),
    ],
)
def test_invalid_config_is_one_sentence_that_names_the_key(values: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        from_mapping(values)
    assert says in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("value", ["inf", "nan", "-inf"])
def test_number_that_is_not_finite_is_refused(value: str) -> None:
    with pytest.raises(ConfigError, match=r"^ugatit\.weights\.cycle must be a finite number, got"):
        from_mapping({"ugatit": {"weights": {"cycle": float(value)}}})
