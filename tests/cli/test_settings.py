"""Settings from the environment: accepted values, and the sentences that refuse the others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.settings.load import display_value, load_settings
from app.settings.settings import SettingsError


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("UGATIT_"):
            monkeypatch.delenv(name)


def test_settings_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UGATIT_HOST", "0.0.0.0")
    monkeypatch.setenv("UGATIT_BUNDLES_DIR", "/models")
    monkeypatch.setenv("UGATIT_REQUIRE_GPU", "1")
    monkeypatch.setenv("UGATIT_TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8,::1")
    monkeypatch.setenv("UGATIT_PORT", "")  # as a compose file passes an unset variable
    settings = load_settings()
    assert (settings.host, settings.bundles_dir, settings.require_gpu) == ("0.0.0.0", Path("/models"), True)
    assert settings.port == 8000


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("UGATIT_PRT", "80", "Unknown setting UGATIT_PRT; did you mean UGATIT_PORT?"),
        ("UGATIT_BODY_LIMIT", "1", "did you mean UGATIT_BODY_LIMIT_BYTES?"),
        (
            "UGATIT_PORT",
            "eighty",
            "UGATIT_PORT must be a valid integer, unable to parse string as an integer, got 'eighty'.",
        ),
        ("UGATIT_QUEUE_SIZE", "0", "UGATIT_QUEUE_SIZE must be greater than or equal to 1, got '0'."),
        ("UGATIT_MAX_BATCH", "65", "less than or equal to 64"),
        ("UGATIT_PROVIDER", "gpu", "'tensorrt'"),
        ("UGATIT_DEADLINE_SECONDS", "40", "must be below UGATIT_GRACE_SECONDS (40)"),
        ("UGATIT_WORKERS", "2", "UGATIT_WORKERS=2 require a shared store: set UGATIT_STORE_URL"),
        (
            "UGATIT_TRUSTED_PROXIES",
            "10.0.0.1/8",
            "UGATIT_TRUSTED_PROXIES must list addresses or networks, as 10.0.0.7 or 10.0.0.0/8, got",
        ),
        ("UGATIT_TRUSTED_PROXIES", "::1, nginx", "got 'nginx'"),
        ("UGATIT_STORE_URL", "memcached://host", "UGATIT_STORE_URL must be a Redis address such as redis://"),
        ("UGATIT_STORE_URL", "redis://", "UGATIT_STORE_URL must be a Redis address such as redis://"),
        (
            "UGATIT_CORS_ORIGINS",
            "*",
            "UGATIT_CORS_ORIGINS must list origins without a path, as https://site.example",
        ),
        ("UGATIT_CORS_ORIGINS", "https://a.example/", "got 'https://a.example/'"),
        (
            "UGATIT_ROOT_PATH",
            "ugatit",
            "UGATIT_ROOT_PATH must be a path that begins with one slash, as /ugatit, got 'ugatit'.",
        ),
        ("UGATIT_ROOT_PATH", "//evil.example", "must be a path that begins with one slash"),
        ("UGATIT_ROOT_PATH", "/a/../b", "must be a path"),
        ("UGATIT_SERVICE_HOST", "localhost", "Unknown setting UGATIT_SERVICE_HOST; did you mean UGATIT_"),
        ("UGATIT_WEB_PORT", "8000", "Unknown setting UGATIT_WEB_PORT; did you mean UGATIT_PORT?"),
        ("UGATIT_SERVICE_PRT", "8000", "Unknown setting UGATIT_SERVICE_PRT"),
        ("UGATIT_DEADLINE_SECONDS", "nan", "UGATIT_DEADLINE_SECONDS must be"),
    ],
)
def test_invalid_setting_is_refused_with_its_variable_and_the_expected_value(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    "url", ["redis://user:pa#ss@host/0", "redis://:pa:ss@host:port", "http://:pass@host"]
)
def test_invalid_store_url_is_refused_without_showing_its_password(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("UGATIT_STORE_URL", url)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert "pa" not in str(refused.value).replace("password", "").replace("special characters", "")


def test_store_password_is_never_displayed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UGATIT_STORE_URL", "redis://me:hunter2@host:6380/1?password=hunter2")
    settings = load_settings()
    assert display_value(settings, "store_url") == "redis://***@host:6380/1"
    for url in (
        "redis://me:1/hunter2@host",
        "redis://me:1?hunter2@host",
    ):  # valid, with a port
        monkeypatch.setenv("UGATIT_STORE_URL", url)
        assert display_value(load_settings(), "store_url") == "redis://***@host"
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in str(settings)


SERVICES = {
    "ugatit": {
        "UGATIT_SERVICE_HOST": "10.96.12.7",
        "UGATIT_SERVICE_PORT": "8000",
        "UGATIT_SERVICE_PORT_HTTP": "8000",
        "UGATIT_PORT": "tcp://10.96.12.7:8000",
        "UGATIT_PORT_8000_TCP": "tcp://10.96.12.7:8000",
        "UGATIT_PORT_8000_TCP_PROTO": "tcp",
        "UGATIT_PORT_8000_TCP_PORT": "8000",
        "UGATIT_PORT_8000_TCP_ADDR": "10.96.12.7",
    },
    "ugatit-web-2 on IPv6": {
        "UGATIT_WEB_2_SERVICE_HOST": "fd00::7",
        "UGATIT_WEB_2_SERVICE_PORT": "53",
        "UGATIT_WEB_2_PORT": "udp://[fd00::7]:53",
        "UGATIT_WEB_2_PORT_53_UDP": "udp://[fd00::7]:53",
        "UGATIT_WEB_2_PORT_53_UDP_PROTO": "udp",
        "UGATIT_WEB_2_PORT_53_UDP_PORT": "53",
        "UGATIT_WEB_2_PORT_53_UDP_ADDR": "fd00::7",
    },
}


@pytest.mark.parametrize("service", SERVICES)
def test_variables_injected_by_kubernetes_are_ignored(monkeypatch: pytest.MonkeyPatch, service: str) -> None:
    for name, value in SERVICES[service].items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert settings.port == 8000
    assert "port" not in settings.model_fields_set
    monkeypatch.setenv("UGATIT_PORT", "8899")
    assert load_settings().port == 8899
    monkeypatch.setenv("UGATIT_QUEU_SIZE", "3")
    with pytest.raises(SettingsError, match="UGATIT_QUEU_SIZE; did you mean UGATIT_QUEUE_SIZE"):
        load_settings()


def test_cors_origins_are_normalized_as_browsers_send_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "UGATIT_CORS_ORIGINS",
        "https://a.example:443, HTTP://B.example:80,https://c.example:80,http://[::1]:3000",
    )
    assert load_settings().origins == {
        "https://a.example", "http://b.example", "https://c.example:80", "http://[::1]:3000",
    }  # fmt: skip


@pytest.mark.parametrize(("given", "root_path"), [("/ugatit", "/ugatit"), ("/a/b/", "/a/b"), ("/", "")])
def test_root_path_loses_its_last_slash(monkeypatch: pytest.MonkeyPatch, given: str, root_path: str) -> None:
    monkeypatch.setenv("UGATIT_ROOT_PATH", given)
    assert load_settings().root_path == root_path
