"""Phrases in messages: a duration, a list of file names."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta


def format_duration(seconds: float) -> str:
    """Return seconds as `3 min 20 s`, `5 h 7 min` or `41 d 16 h`."""
    whole = timedelta(seconds=round(seconds))
    hours, minutes = divmod(whole.seconds // 60, 60)
    if whole.days:
        return f"{whole.days:,} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {whole.seconds % 60} s"


def shorten_list(names: Sequence[str], *, most: int = 6) -> str:
    """Return the first names of a list and the number of the others: `a, b and 3 more`."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def metric_name(metric: str) -> str:
    """Return the name of a kernel or Frechet distance as papers write it: `KID-lite` for `kid-lite`."""
    return f"{metric[:3].upper()}{metric[3:]}"
