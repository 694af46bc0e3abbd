"""Test `ugatit-train config`, which lists the keys that `--set` takes."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import pytest

from models.networks.config import GeneratorConfig
from tests.training.command import typed
from training.config.keys import Key, config_keys, field_docstrings, toml
from training.config.run_config import default_config, from_mapping, load_preset


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return found


def listed(*arguments: str) -> dict[str, dict[str, Any]]:
    code, out, error = typed("config", *arguments, "--json")
    assert (code, error) == (0, "")
    return {key["name"]: key for key in json.loads(out)}


def test_every_key_of_the_config_is_listed_with_its_default() -> None:
    keys = {key.name: key.default for key in config_keys(default_config())}
    assert keys == flat(dataclasses.asdict(default_config()))


@pytest.mark.parametrize("key", config_keys(default_config()), ids=lambda key: key.name)
def test_every_key_has_a_reason(key: Key) -> None:
    assert key.reason.endswith(".")


def test_reason_is_the_docstring_of_the_field() -> None:
    keys = {key.name: key for key in config_keys(default_config())}
    light = keys["ugatit.generator.light"]
    assert light.reason == field_docstrings(GeneratorConfig)["light"] != ""
    assert light.kind == "true or false"
    assert keys["speed.precision"].kind == '"auto", "float32" or "bfloat16"'
    assert keys["ugatit.betas"].kind == "2 numbers"


def test_preset_and_flags_change_values_but_not_defaults() -> None:
    keys = listed("--preset=cpu-demo", "--batch=4")
    assert (keys["steps"]["value"], keys["steps"]["default"]) == (10_000, 1_000_000)
    assert (keys["batch"]["value"], keys["batch"]["default"]) == (4, 1)


def test_set_accepts_every_listed_value() -> None:
    config = from_mapping(load_preset("paper"))
    assignments = [f"--set={key.name}={toml(key.value)}" for key in config_keys(config)]
    keys = listed(*assignments)
    assert {name: key["value"] for name, key in keys.items()} == flat(json.loads(config.to_json()))


def test_names_filter_keys_and_the_text_has_value_type_and_default() -> None:
    code, out, _ = typed("config", "learning_rate", "epochs", "--preset=cpu-demo")
    assert code == 0
    assert "ugatit.learning_rate = 0.0002  (number; default 0.0001)\n    Adam's learning rate" in out
    assert "ugatit.epochs = 0  (whole number)" in out
    assert "ugatit.betas" not in out


def test_name_that_no_key_contains_is_one_sentence() -> None:
    code, _, error = typed("config", "colour")
    assert code == 2
    assert error == "ugatit-train: No config key contains colour; leave the name out to see all.\n"
