"""Distinguish settings, variables injected by Kubernetes and unknown variables among `UGATIT_*`."""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource

PREFIX: Final = "UGATIT_"

# Kubernetes sets variables in all pods of a namespace for each of its Services. Those of a Service named
# `ugatit` or `ugatit-web` have names like settings.
_SERVICE: Final = rf"{PREFIX}(?:[A-Z0-9_]+_)?"
_PROTOCOL: Final = "(?:TCP|UDP|SCTP)"
_INJECTED: Final = {
    rf"{_SERVICE}SERVICE_HOST": "address",
    rf"{_SERVICE}SERVICE_PORT(?:_[A-Z0-9_]+)?": "port",
    rf"{_SERVICE}PORT(?:_\d+_{_PROTOCOL})?": "url",
    rf"{_SERVICE}PORT_\d+_{_PROTOCOL}_PROTO": "protocol",
    rf"{_SERVICE}PORT_\d+_{_PROTOCOL}_PORT": "port",
    rf"{_SERVICE}PORT_\d+_{_PROTOCOL}_ADDR": "address",
}
_VALUES: Final = {
    "port": re.compile(r"\d{1,5}"),
    "url": re.compile(r"(?:tcp|udp|sctp)://\S+:\d{1,5}"),
    "protocol": re.compile(r"tcp|udp|sctp"),
}


class OwnVariables(EnvSettingsSource):
    """The environment without the variables that Kubernetes injects, as a source of settings."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return the field's value or None, its key, and whether the value must be parsed."""
        value, key, is_complex = super().get_field_value(field, field_name)
        injected = value is not None and is_injected(variable(field_name), value)
        return None if injected else value, key, is_complex


def variable(field: str) -> str:
    """Return the name of a setting's environment variable."""
    return PREFIX + field.upper()


def unknown_setting(environment: Mapping[str, str], fields: Iterable[str]) -> str | None:
    """Return a sentence about the first unknown variable with the nearest setting; None if all are known.

    Variables that Kubernetes injects are ignored.
    """
    known = [variable(field) for field in fields]
    for name, value in sorted(environment.items()):
        upper = name.upper()
        if upper.startswith(PREFIX) and upper not in known and not is_injected(name, value):
            near = difflib.get_close_matches(upper, known, n=1, cutoff=0)[0]
            return f"Unknown setting {name}; did you mean {near}?"
    return None


def is_injected(name: str, value: str) -> bool:
    """Return whether Kubernetes sets this variable, for a Service named `ugatit` or `ugatit-<anything>`.

    The value matters too: `UGATIT_PORT=8000` is a setting, `UGATIT_PORT=tcp://10.0.0.1:8000` is injected.
    """
    kinds = [kind for pattern, kind in _INJECTED.items() if re.fullmatch(pattern, name.upper())]
    return any(_is_address(value) if kind == "address" else _VALUES[kind].fullmatch(value) for kind in kinds)


def _is_address(value: str) -> bool:
    try:
        return bool(ipaddress.ip_address(value))
    except ValueError:
        return False
