"""Log lines as plain text or JSON. They never contain a file's name, a pixel or an API key."""

from __future__ import annotations

import json
import logging
import logging.config
import sys
import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Literal

log = logging.getLogger("ugatit")

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
    """Formats each record as one JSON object on one line."""

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
        return json.dumps(line, default=str)


class PlainFormatter(logging.Formatter):
    """Formats each record as a line of text with the recorded fields at its end."""

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        extras = [
            f"{name}={value}"
            for name in ("problem", "direction", "client", "stages", "request_id", "trace_id")
            if (value := getattr(record, name, None)) is not None
        ]
        return " ".join([line, *extras])


def json_line(level: int, sentence: str) -> str:
    """Return a sentence as the JSON log line it would be, for output outside the log."""
    record = logging.makeLogRecord(
        {"name": "ugatit", "levelno": level, "levelname": logging.getLevelName(level), "msg": sentence}
    )
    return JsonFormatter().format(record)


def configure_logging(level: str, form: Literal["plain", "json"], worker: int | None = None) -> None:
    """Send every log line to the standard error stream in one form.

    Args:
        level: the lowest level logged by ugatit.
        form: the form of every line.
        worker: the number of this worker process, which each line then contains; None without workers.
    """
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
                # Their lower levels repeat what ugatit logs.
                "uvicorn": {"level": "ERROR"},
                "python_multipart": {"level": "CRITICAL"},
            },
        }
    )


def log_what_python_prints() -> None:
    """Log warnings and uncaught exceptions, which Python would otherwise print as plain text."""
    logging.captureWarnings(True)

    def in_process(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        log.critical("Uncaught exception: the process ends", exc_info=(kind, error, trace))

    def in_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
            log.error("Uncaught exception: a thread ended", exc_info=args.exc_value)

    def unraisable(args: sys.UnraisableHookArgs) -> None:
        log.error("%s", args.err_msg or "Exception ignored: it could not be raised", exc_info=args.exc_value)

    sys.excepthook, threading.excepthook, sys.unraisablehook = in_process, in_thread, unraisable
