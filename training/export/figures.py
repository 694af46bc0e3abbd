"""Read the figures of a translator from the file that `ugatit-train evaluate --json` writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from models.bundle.declarations import Figure
from models.bundle.errors import BundleError
from models.files.text import as_text


class _Extractor(BaseModel):
    name: str
    sha256: str


class _Data(BaseModel):
    name: str
    fingerprint: str


class _Row(BaseModel):
    subject: str
    domains: str
    steps: int | None
    metric: str
    protocol: str | None
    extractor: str | None
    value: float
    subset_std: float | None
    standard_error: float | None
    n_translations: int | None
    n_targets: int | None


class _Document(BaseModel):
    extractor: _Extractor
    data: _Data
    seed: int
    rows: list[_Row]


def read_figures(path: Path, domains: str, *, steps: int) -> list[Figure]:
    """Return the figures of one translator after a number of training steps.

    Args:
        path: the file.
        domains: `A2B` or `B2A`.
        steps: of the checkpoint.

    Raises:
        BundleError: the file cannot be read, is of another kind, or has no figures of that translator, or
            those of several.
    """
    try:
        document = _Document.model_validate_json(path.read_bytes())
    except OSError as error:
        raise BundleError(f"The figures in {as_text(path)} cannot be read: {error.strerror}.") from None
    except ValidationError:
        raise BundleError(
            f"{as_text(path)} is not a file of figures; write one with ugatit-train evaluate --json."
        ) from None
    rows = [row for row in document.rows if (row.domains, row.steps) == (domains, steps)]
    subjects = {row.subject for row in rows}
    if len(subjects) != 1:
        found = f"figures of {len(subjects)} translators" if subjects else "no figures"
        raise BundleError(
            f"{as_text(path)} has {found} for {domains} at step {steps:,}; evaluate that checkpoint alone."
        )
    return [_figure(row, document) for row in rows]


def _figure(row: _Row, document: _Document) -> Figure:
    facts: dict[str, Any] = row.model_dump(exclude={"subject", "domains", "steps"})
    return Figure(
        **facts,
        extractor_sha256=document.extractor.sha256 if row.extractor is not None else None,
        seed=document.seed,
        data=document.data.name,
        data_fingerprint=document.data.fingerprint,
    )
