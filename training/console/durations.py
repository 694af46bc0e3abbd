"""A length of time in words."""

from __future__ import annotations

from datetime import timedelta


def in_words(seconds: float) -> str:
    """Seconds as `3 min 20 s`, `5 h 7 min` or `41 d 16 h`."""
    whole = timedelta(seconds=round(seconds))
    hours, minutes = divmod(whole.seconds // 60, 60)
    if whole.days:
        return f"{whole.days:,} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {whole.seconds % 60} s"
