"""The times of a translation's stages, for answers, metrics, log lines and traces."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import NamedTuple, Self

from app.engine.translation import StageSeconds, TranslationResult
from app.http.monitoring.metrics import Metrics
from app.http.monitoring.request_record import Interval, RequestRecord


class StageTimes(NamedTuple):
    """StageSeconds in each stage of one request."""

    decode: float
    queue: float
    inference: float
    encode: float
    total: float
    started: float
    """When the picture had arrived, in seconds of `time.perf_counter`."""

    @classmethod
    def of(cls, seconds: StageSeconds, *, encode: float, started: float) -> Self:
        """Combine the engine's times with the time of encoding; the total ends now."""
        return cls(*seconds, encode, time.perf_counter() - started, started)

    def record(self, metrics: Metrics, record: RequestRecord, translation: TranslationResult) -> None:
        """Store the times in the metrics, and in the request's record for its log line and trace."""
        for stage, seconds in self.seconds().items():
            metrics.observe_stage(translation.entry.direction, stage, seconds)
        record.stages_ms = self.milliseconds()
        record.intervals = list(self._intervals())
        record.run = {
            "ugatit.model_version": translation.entry.version,
            "ugatit.batch_pictures": translation.batch,
            "ugatit.provider": translation.execution.provider if translation.execution is not None else "",
        }

    def seconds(self) -> dict[str, float]:
        """Return the seconds of each stage, and of the total."""
        return {name: value for name, value in self._asdict().items() if name != "started"}

    def milliseconds(self) -> dict[str, float]:
        """Return the milliseconds of each stage, and of the total."""
        return {stage: round(seconds * 1000, 2) for stage, seconds in self.seconds().items()}

    def header(self) -> str:
        """Return the value of `Server-Timing` (W3C), for answers without JSON and for browser tools."""
        return ", ".join(f"{stage};dur={ms}" for stage, ms in self.milliseconds().items())

    def _intervals(self) -> Iterator[Interval]:
        """Yield the stages in order; the engine's follow each other without a gap, encoding is the last."""
        end = self.started
        for stage, seconds in zip(StageSeconds._fields, self, strict=False):
            yield Interval(stage, end, end := end + seconds)
        done = self.started + self.total
        yield Interval("encode", done - self.encode, done)
