"""All limits and switches of the service, with their defaults and checks."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from app.settings.addresses import (
    normalized_origin,
    normalized_root_path,
    require_networks,
    require_origins,
    require_redis,
    split_list,
)
from app.settings.environment import PREFIX, OwnVariables

ProviderName = Literal["auto", "cpu", "openvino", "cuda", "tensorrt"]
PrecisionName = Literal["auto", "float32", "bfloat16", "float16"]


class SettingsError(ValueError):
    """A setting is invalid. The message is one sentence that names the variable and the remedy."""


class Settings(BaseSettings):
    """The settings of a deployment. Defaults are safe and never unlimited."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True)

    host: str = Field(
        "127.0.0.1", description="Address to listen on; 0.0.0.0 accepts connections from the network."
    )
    port: int = Field(8000, ge=0, le=65_535, description="Port to listen on; 0 takes any free port.")
    bundles_dir: Path = Field(
        Path("bundles"), description="Folder of the bundles, with one directory per direction."
    )
    workers: int = Field(
        1,
        ge=1,
        le=64,
        description="Worker processes on one address, each with its own models and a share of the cores; "
        "more than one require UGATIT_STORE_URL.",
    )
    preferred_direction: str = Field(
        "selfie2anime",
        description="Direction that is listed and loaded first if it exists; the page's default.",
    )

    load_seconds: float = Field(
        600,
        gt=0,
        le=86_400,
        description="Time for a bundle's model to open and warm up; then the direction is defunct.",
    )
    reload: Literal["off", "signal", "poll"] = Field(
        "signal",
        description="When new and changed bundles are loaded: never, at SIGHUP, or at SIGHUP and by polling.",
    )
    reload_poll_seconds: float = Field(
        10, ge=0.1, le=86_400, description="Interval of the checks for new bundles with UGATIT_RELOAD=poll."
    )

    body_limit_bytes: int = Field(
        20 * 1024**2, ge=1, description="Largest request body; a phone's photo has 3 to 12 MB."
    )
    max_pixels: int = Field(
        50_000_000,
        ge=1,
        description="Most pixels of a picture; checked in its header before it is decoded.",
    )
    max_side_pixels: int = Field(16_384, ge=1, description="Longest side of a picture.")
    max_files: int = Field(
        16, ge=1, le=1000, description="Most files of one POST /translate/batch; the body limit holds too."
    )
    max_frames: int = Field(
        200, ge=1, le=1000, description="Most frames of an animation, times its faces with face=all."
    )
    max_animation_pixels: int = Field(
        50_000_000,
        ge=1,
        description="Most pixels of all frames of an animation together; checked before it is decoded.",
    )
    native_pixels: int = Field(
        1_000_000,
        ge=0,
        le=50_000_000,
        description="Most pixels at which fit=native translates a photo; a larger one is shrunk to it. A "
        "million takes about 0.5 to 1 GB and several seconds of a CPU; 0 refuses fit=native.",
    )
    answer_side_pixels: int = Field(
        4096,
        ge=64,
        le=16_384,
        description="Longest side of a translated picture enlarged with the option size.",
    )
    receiving_bytes: int = Field(
        256 * 1024**2,
        ge=1,
        description="Most memory for the bodies of all requests together; beyond it, requests get 503.",
    )
    decoders: int = Field(
        2,
        ge=1,
        le=64,
        description="Pictures decoded at once; one of 50 megapixels needs about 400 MB while it is decoded.",
    )

    max_faces: int = Field(
        16, ge=1, le=64, description="Most faces of one photo that are translated; the largest ones."
    )

    queue_size: int = Field(
        16,
        ge=1,
        le=10_000,
        description="Most pictures of one direction, waiting and running; the next gets 503.",
    )
    deadline_seconds: float = Field(
        30, gt=0, le=3600, description="Time for a picture after it was admitted; then 504."
    )
    grace_seconds: float = Field(
        40,
        gt=0,
        le=3600,
        description="Time after SIGTERM to finish admitted pictures; longer than the deadline.",
    )
    linger_seconds: float = Field(
        0,
        ge=0,
        le=600,
        description="Time after SIGTERM in which pictures are still admitted while /readyz answers 503, so "
        "that a load balancer can stop routing here; then UGATIT_GRACE_SECONDS begin.",
    )
    request_read_seconds: float = Field(
        15,
        gt=0,
        le=600,
        description="Time for a request's headers to arrive, and the window over which "
        "UGATIT_BODY_MIN_BYTES_PER_SECOND is averaged.",
    )
    body_min_bytes_per_second: int = Field(
        2000,
        ge=1,
        description="Lowest rate of a body, averaged over each window of UGATIT_REQUEST_READ_SECONDS; below "
        "it 408. A 2G connection sends 5,000 or more.",
    )
    body_read_seconds: float = Field(
        600,
        gt=0,
        le=86_400,
        description="Time for a whole body at any rate; 20 MiB at 50 kB/s take 420 s.",
    )
    max_connections: int = Field(
        512,
        ge=1,
        le=100_000,
        description="Most open connections; beyond it, those that wait for their client are closed. Must be "
        "below the limit on open files (ulimit -n, often 1024).",
    )
    trusted_proxies: str = Field(
        "",
        description="Addresses or networks of trusted proxies, separated by commas. Their X-Forwarded-For, "
        "-Proto and -Prefix are used; those of other senders are ignored. If empty, only the -Prefix of this "
        "machine's own addresses is used.",
    )
    root_path: str = Field(
        "",
        description="Path prefix under which a proxy serves this service, for example /ugatit; a trusted "
        "proxy's X-Forwarded-Prefix overrides it.",
    )
    keep_alive_seconds: int = Field(5, ge=1, le=600, description="Time that an idle connection stays open.")

    attention_ttl_seconds: float = Field(
        600, gt=0, le=86_400, description="Time that a translation's heat maps are kept."
    )
    attention_max_entries: int = Field(
        256, ge=1, description="Most translations whose heat maps are kept in memory."
    )
    attention_max_bytes: int = Field(256_000_000, ge=1, description="Most memory for kept heat maps.")
    store_url: SecretStr = Field(
        SecretStr(""),
        description="Redis server that keeps heat maps for several workers and replicas, as "
        "redis://host:6379/0 or rediss://...; set Redis' maxmemory to bound it. Without this setting, "
        "heat maps are kept in this process.",
    )
    store_timeout_seconds: float = Field(
        1,
        ge=0.05,
        le=60,
        description="Timeout of one request to the store, which usually takes milliseconds.",
    )
    store_entry_bytes: int = Field(
        16 * 1024**2,
        ge=1024,
        description="Largest translation sent to the store; one of 1024 px needs 7 MB, a photo with 16 faces "
        "of 256 px 10 MB.",
    )

    answer_cache_mb: float = Field(
        0,
        ge=0,
        le=1_000_000,
        description="Megabytes of answers kept in this process: the same photo with the same options gets "
        "its answer again without a model run, as long as its heat maps are kept; 0 keeps none.",
    )

    api_keys_file: Path | None = Field(
        None,
        description="File with a line of `ugatit key NAME` for each client; without it, clients need no key.",
    )
    rate_per_minute: float = Field(
        0, ge=0, le=1_000_000, description="Requests of one client per minute and worker; 0 for no limit."
    )
    rate_burst: int = Field(
        20, ge=1, le=1_000_000, description="Requests of one client at once before the rate limit applies."
    )
    cors_origins: str = Field(
        "",
        description="Origins of other sites whose pages may use the service (CORS), as "
        "https://a.example,https://b.example; without it, only the service's own page may.",
    )

    provider: ProviderName = Field(
        "auto",
        description="Execution provider of the models; auto takes TensorRT or CUDA if available, else the "
        "CPU, through OpenVINO if it supports the CPU.",
    )
    precision: PrecisionName = Field(
        "auto",
        description="Number format of the models; auto is float32, but bfloat16 on a CPU with AMX.",
    )
    devices: str = Field(
        "0",
        pattern=r"^\d{1,3}(,\d{1,3})*$",
        description="Numbers of the GPUs to use, as 0,1; each has its own copy of every model.",
    )
    gpu_memory_limit_bytes: int = Field(
        0, ge=0, description="Most GPU memory for each session of a model; 0 for no limit."
    )
    engine_cache_dir: Path | None = Field(
        None,
        description="Folder in which TensorRT keeps its engines; without it, each start builds them.",
    )
    require_gpu: bool = Field(False, description="Refuse to start if models would run on the CPU.")
    max_batch: int = Field(
        0, ge=0, le=64, description="Most pictures in one model run; 0 means 1 on a CPU and 8 on a GPU."
    )
    batch_wait_ms: float = Field(
        2,
        ge=0,
        le=1000,
        description="Time a model run waits for more pictures if UGATIT_MAX_BATCH is above 1.",
    )
    intra_op_threads: int = Field(
        0,
        ge=0,
        le=1024,
        description="Threads of one model run on a CPU; 0 means all cores, or a container's CPU quota.",
    )

    jpeg_quality: int = Field(90, ge=1, le=100, description="Quality of JPEG and WebP pictures in answers.")
    docs: bool = Field(True, description="Serve /docs and /openapi.json.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Lowest level that is logged."
    )
    log_format: Literal["plain", "json"] = Field(
        "plain", description="Form of log lines; json writes one JSON object per line."
    )
    tracing: bool = Field(
        False,
        description="Send a trace of each request to the OpenTelemetry collector at "
        "OTEL_EXPORTER_OTLP_ENDPOINT. Requires ugatit[tracing].",
    )

    @property
    def device_numbers(self) -> tuple[int, ...]:
        """The GPUs to use, each once, in the given order."""
        return tuple(dict.fromkeys(map(int, self.devices.split(","))))

    @property
    def origins(self) -> frozenset[str]:
        """The origins of `cors_origins` as browsers send them."""
        return frozenset(filter(None, map(normalized_origin, split_list(self.cors_origins))))

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *_others: PydanticBaseSettingsSource,
        **_named: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources of values: a command's arguments, then the environment."""
        return init_settings, OwnVariables(settings_cls)

    @field_validator("root_path")
    @classmethod
    def _root_path_is_a_path(cls, given: str) -> str:
        path = normalized_root_path(given)
        if path is None:
            raise ValueError("must be a path that begins with one slash, as /ugatit")
        return path

    @model_validator(mode="after")
    def _addresses_are_valid(self) -> Self:
        require_origins(self.cors_origins)
        require_networks(self.trusted_proxies)
        require_redis(self.store_url.get_secret_value())
        return self

    @model_validator(mode="after")
    def _workers_have_a_store(self) -> Self:
        if self.workers > 1 and not self.store_url.get_secret_value():
            raise ValueError(
                f"{PREFIX}WORKERS={self.workers} require a shared store: set {PREFIX}STORE_URL "
                "to a Redis server, or serve with one worker."
            )
        return self

    @model_validator(mode="after")
    def _deadline_within_grace(self) -> Self:
        if self.deadline_seconds >= self.grace_seconds:
            raise ValueError(
                f"{PREFIX}DEADLINE_SECONDS ({self.deadline_seconds:g}) must be below "
                f"{PREFIX}GRACE_SECONDS ({self.grace_seconds:g}), or a shutdown would cut off pictures."
            )
        return self
