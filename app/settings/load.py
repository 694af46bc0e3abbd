"""Load the settings from the environment, and display their values."""

from __future__ import annotations

import os
import re
from typing import Any

from pydantic import SecretStr, ValidationError

from app.settings.environment import unknown_setting, variable
from app.settings.settings import Settings, SettingsError


def load_settings(**overrides: Any) -> Settings:
    """Return the settings of the environment; `overrides` are a command's arguments and take precedence.

    Raises:
        SettingsError: a variable is unknown, has an invalid value, or contradicts another variable.
    """
    if (sentence := unknown_setting(os.environ, Settings.model_fields)) is not None:
        raise SettingsError(sentence)
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise SettingsError(_sentence(error)) from None


def display_value(settings: Settings, field: str) -> str:
    """Return a setting's value for display, without its password."""
    value = getattr(settings, field)
    if not isinstance(value, SecretStr):
        return str(value)
    return re.sub(r"//.*@", "//***@", value.get_secret_value()).partition("?")[0]


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    if not first["loc"]:
        return str(first["ctx"]["error"])
    name = variable(str(first["loc"][0]))
    reason = first["msg"].removeprefix("Value error, ").removeprefix("Input should be ").lower()
    expected = reason if reason.startswith("must ") else f"must be {reason}"
    return f"{name} {expected}, got {first['input']!r}."
