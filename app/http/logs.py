"""Log lines for people or for machines; never a file's name, a pixel or a key."""

from __future__ import annotations

import json
import logging
import logging.config
from datetime import UTC, datetime
from typing import Final, Literal

_FIELDS: Final = (
    "request_id",
    "method",
    "route",
    "status",
    "problem",
    "direction",
    "client",
    "milliseconds",
    "stages",
    "trace_id",
)


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def __init__(self, worker: int | None = None) -> None:
        super().__init__()
        self._worker: dict[str, object] = {} if worker is None else {"worker": worker}

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        } | self._worker
        line |= {name: value for name in _FIELDS if (value := getattr(record, name, None)) is not None}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


class PlainFormatter(logging.Formatter):
    """A line for people; what was measured stands at its end."""

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        extras = [
            f"{name}={value}"
            for name in ("problem", "direction", "client", "stages", "request_id", "trace_id")
            if (value := getattr(record, name, None)) is not None
        ]
        return " ".join([line, *extras])


def configure_logging(level: str, form: Literal["plain", "json"], worker: int | None = None) -> None:
    """Send everything to the standard error stream in one form; of several workers each tells its number."""
    of_worker = "" if worker is None else f"worker {worker}: "
    formatters = {
        "plain": {
            "()": PlainFormatter,
            "format": f"%(asctime)s %(levelname)-7s {of_worker}%(message)s",
            "datefmt": "%H:%M:%S",
        },
        "json": {"()": JsonFormatter, "worker": worker},
    }
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": formatters,
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": form}},
            "root": {"level": "WARNING", "handlers": ["stderr"]},
            "loggers": {
                "ugatit": {"level": level.upper()},
                # Each says in its own words what ours say already.
                "uvicorn": {"level": "ERROR"},
                "python_multipart": {"level": "CRITICAL"},
            },
        }
    )
