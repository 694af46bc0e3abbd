"""Every limit and switch of the service, from environment variables named `UGATIT_*`."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from app.settings.addresses import is_network, is_redis, listed, origin_of, root_path_of
from app.settings.environment import PREFIX, OwnVariables, unknown_setting, variable

ProviderName = Literal["auto", "cpu", "openvino", "cuda", "tensorrt"]
PrecisionName = Literal["auto", "float32", "bfloat16", "float16"]


class SettingsError(ValueError):
    """The environment asks for something impossible. The message is one sentence that names the variable."""


class Settings(BaseSettings):
    """What a deployment may decide. Defaults are safe, never unlimited."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True)

    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 opens it to the network.")
    port: int = Field(8000, ge=0, le=65_535, description="Port to listen on; 0 takes any free one.")
    bundles_dir: Path = Field(
        Path("bundles"), description="Where the bundles lie, one directory a direction."
    )
    workers: int = Field(
        1,
        ge=1,
        le=64,
        description="Processes that share the address, each with its own models and its share of the cores; "
        "more than one need UGATIT_STORE_URL.",
    )
    preferred_direction: str = Field(
        "selfie2anime", description="Listed and loaded first if it is there; the page starts with it."
    )

    load_seconds: float = Field(
        600, gt=0, le=86_400, description="Time a bundle's model may take to open and warm up; then defunct."
    )
    reload: Literal["off", "signal", "poll"] = Field(
        "signal",
        description="When new and changed bundles are taken up: never, at SIGHUP, or also every few seconds.",
    )
    reload_poll_seconds: float = Field(
        10, ge=0.1, le=86_400, description="Time between two looks at the bundles when they are polled."
    )

    body_limit_bytes: int = Field(
        20 * 1024**2, ge=1, description="Largest request body; a phone's photo has 3 to 12 MB."
    )
    max_pixels: int = Field(
        50_000_000,
        ge=1,
        description="Most pixels of a picture; the header is asked before anything is decoded.",
    )
    max_side_pixels: int = Field(16_384, ge=1, description="Longest side of a picture.")
    answer_side_pixels: int = Field(
        4096,
        ge=64,
        le=16_384,
        description="Longest side of a translated picture that is enlarged by the option size.",
    )
    receiving_bytes: int = Field(
        256 * 1024**2,
        ge=1,
        description="Most memory for the bodies of all requests together; the next byte gets 503.",
    )
    decoders: int = Field(
        2,
        ge=1,
        le=64,
        description="Pictures decoded at once; one of 50 megapixels takes some 400 MB meanwhile.",
    )

    queue_size: int = Field(
        16,
        ge=1,
        le=10_000,
        description="Pictures one direction holds, waiting and running; the next gets 503.",
    )
    deadline_seconds: float = Field(
        30, gt=0, le=3600, description="Time a picture may take once it is admitted; then 504."
    )
    grace_seconds: float = Field(
        40, gt=0, le=3600, description="Time to finish what was admitted after SIGTERM; above the deadline."
    )
    linger_seconds: float = Field(
        0,
        ge=0,
        le=600,
        description="Time after SIGTERM in which pictures are still admitted while /readyz answers 503, so "
        "that a load balancer can stop routing here; then the grace begins.",
    )
    request_read_seconds: float = Field(
        15,
        gt=0,
        le=600,
        description="Time for a request's headers to arrive, and the window in which a body must keep "
        "UGATIT_BODY_MIN_BYTES_PER_SECOND.",
    )
    body_min_bytes_per_second: int = Field(
        2000,
        ge=1,
        description="Slowest rate at which a body may arrive, averaged over each window; then 408. "
        "A 2G connection sends 5,000 or more.",
    )
    body_read_seconds: float = Field(
        600,
        gt=0,
        le=86_400,
        description="Time for a whole body, however steadily it arrives; 20 MiB at 50 kB/s take 420 s.",
    )
    max_connections: int = Field(
        512,
        ge=1,
        le=100_000,
        description="Open connections; beyond, those that keep the service waiting are closed. "
        "Below the limit on open files (ulimit -n, often 1024).",
    )
    trusted_proxies: str = Field(
        "",
        description="Addresses or networks of proxies, separated by commas, whose X-Forwarded-For, "
        "-Proto and -Prefix are believed; from others they are ignored.",
    )
    root_path: str = Field(
        "",
        description="Path under which a proxy serves this service to its clients, as /ugatit; a trusted "
        "proxy's X-Forwarded-Prefix wins.",
    )
    keep_alive_seconds: int = Field(5, ge=1, le=600, description="Time an idle connection is kept.")

    attention_ttl_seconds: float = Field(
        600, gt=0, le=86_400, description="Time a translation's heat maps can be asked for."
    )
    attention_max_entries: int = Field(
        256, ge=1, description="Most translations whose heat maps are kept in memory."
    )
    attention_max_bytes: int = Field(256_000_000, ge=1, description="Most memory for kept heat maps.")
    store_url: SecretStr = Field(
        SecretStr(""),
        description="Redis that keeps heat maps for several workers and replicas, as redis://host:6379/0 or "
        "rediss://...; bound it by its maxmemory. Without, they are kept in this process.",
    )
    store_timeout_seconds: float = Field(
        1, ge=0.05, le=60, description="Time for one answer of the store; it should take milliseconds."
    )
    store_entry_bytes: int = Field(
        8 * 1024**2, ge=1024, description="Largest translation that is sent to the store; 1024 px need 7 MB."
    )

    api_keys_file: Path | None = Field(
        None, description="A line of `ugatit key NAME` for each client who may ask; without, everybody may."
    )
    rate_per_minute: float = Field(
        0, ge=0, le=1_000_000, description="Requests of one client a minute, per worker; 0 for no limit."
    )
    rate_burst: int = Field(
        20, ge=1, le=1_000_000, description="Requests that a client may make at once before the rate holds."
    )
    cors_origins: str = Field(
        "",
        description="Origins of other sites whose pages may ask, as https://a.example,https://b.example; "
        "without, only the service's own page may.",
    )

    provider: ProviderName = Field(
        "auto",
        description="Where models run; auto takes TensorRT or CUDA where they answer, else the CPU, through "
        "OpenVINO where it knows the CPU.",
    )
    precision: PrecisionName = Field(
        "auto",
        description="What models compute in; auto is exact (float32), but bfloat16 on a CPU with AMX.",
    )
    devices: str = Field(
        "0",
        pattern=r"^\d{1,3}(,\d{1,3})*$",
        description="Numbers of the GPUs to use, as 0,1; each gets its own copy of every model.",
    )
    gpu_memory_limit_bytes: int = Field(
        0, ge=0, description="Most memory of the GPU for each session of a model; 0 for no limit."
    )
    engine_cache_dir: Path | None = Field(
        None, description="Where TensorRT keeps its engines between starts; none builds them each time."
    )
    require_gpu: bool = Field(False, description="Refuse to start rather than run on the CPU.")
    max_batch: int = Field(
        0, ge=0, le=64, description="Most pictures in one run; 0 chooses: 1 on a CPU, 8 on a GPU."
    )
    batch_wait_ms: float = Field(
        2, ge=0, le=1000, description="Time a run waits for more pictures when it may hold more than one."
    )
    intra_op_threads: int = Field(
        0,
        ge=0,
        le=1024,
        description="Threads of one run on a CPU; 0 takes all cores, or what a container's quota grants.",
    )

    jpeg_quality: int = Field(90, ge=1, le=100, description="Quality of JPEG and WebP answers.")
    docs: bool = Field(True, description="Serve /docs and /openapi.json.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level logged.")
    log_format: Literal["plain", "json"] = Field("plain", description="json writes one object a line.")
    tracing: bool = Field(
        False,
        description="Send a trace of each request to an OpenTelemetry collector; OTEL_EXPORTER_OTLP_ENDPOINT "
        "says where it is. Needs ugatit[tracing].",
    )

    @property
    def device_numbers(self) -> tuple[int, ...]:
        """The GPUs to use, each once, the first one first."""
        return tuple(dict.fromkeys(map(int, self.devices.split(","))))

    @property
    def origins(self) -> frozenset[str]:
        """The origins that `cors_origins` lists, as browsers send them."""
        return frozenset(filter(None, map(origin_of, listed(self.cors_origins))))

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *_others: PydanticBaseSettingsSource,
        **_named: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return where values come from: what a command was given, then the environment."""
        return init_settings, OwnVariables(settings_cls)

    @field_validator("root_path")
    @classmethod
    def _root_path_is_a_path(cls, given: str) -> str:
        path = root_path_of(given)
        if path is None:
            raise ValueError("it should be a path that begins with one slash, as /ugatit")
        return path

    @model_validator(mode="after")
    def _origins_are_origins(self) -> Self:
        for origin in listed(self.cors_origins):
            if origin_of(origin) is None:
                raise ValueError(
                    f"{PREFIX}CORS_ORIGINS lists {origin!r}; write each as a browser does, "
                    "as https://site.example or http://localhost:3000, without a path."
                )
        return self

    @model_validator(mode="after")
    def _proxies_are_addresses(self) -> Self:
        for proxy in listed(self.trusted_proxies):
            if not is_network(proxy) and self.trusted_proxies != "*":
                raise ValueError(
                    f"{PREFIX}TRUSTED_PROXIES lists {proxy!r}; write each as an address or a network, "
                    "as 10.0.0.7 or 10.0.0.0/8: the server would trust nobody by another name."
                )
        return self

    @model_validator(mode="after")
    def _store_is_redis(self) -> Self:
        url = self.store_url.get_secret_value()
        if url and not is_redis(url):  # what was given is not repeated: it may hold a password
            raise ValueError(
                f"{PREFIX}STORE_URL is no address such as redis://host:6379/0 or "
                "rediss://user:password@host/0; percent-encode special characters in its password."
            )
        if self.workers > 1 and not url:
            raise ValueError(
                f"{PREFIX}WORKERS={self.workers} need a store that they share: set {PREFIX}STORE_URL "
                "to a Redis server, or serve with one worker."
            )
        return self

    @model_validator(mode="after")
    def _deadline_within_grace(self) -> Self:
        if self.deadline_seconds >= self.grace_seconds:
            raise ValueError(
                f"{PREFIX}DEADLINE_SECONDS ({self.deadline_seconds:g}) must be below "
                f"{PREFIX}GRACE_SECONDS ({self.grace_seconds:g}), or a shutdown would cut pictures off."
            )
        return self


def load_settings(**given: Any) -> Settings:
    """The settings that the environment asks for; what a command was given wins over it.

    Raises:
        SettingsError: a variable is unknown, has a bad value, or contradicts another one.
    """
    if (sentence := unknown_setting(os.environ, Settings.model_fields)) is not None:
        raise SettingsError(sentence)
    try:
        return Settings(**given)
    except ValidationError as error:
        raise SettingsError(_sentence(error)) from None


def shown(settings: Settings, field: str) -> str:
    """A setting's value for people, without its password."""
    value = getattr(settings, field)
    if not isinstance(value, SecretStr):
        return str(value)
    return re.sub(r"//.*@", "//***@", value.get_secret_value()).partition("?")[0]


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    if not first["loc"]:
        return str(first["ctx"]["error"])
    name = variable(str(first["loc"][0]))
    reason = first["msg"].removeprefix("Value error, ").lower().replace("input", "it")
    return f"{name}={first['input']!r} cannot be used: {reason}."
