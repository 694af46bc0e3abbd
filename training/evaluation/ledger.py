"""The ledger: the figures of many evaluations in one JSON file, one row for each figure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, Literal

from pydantic import ConfigDict, JsonValue, TypeAdapter, ValidationError

from models.files.text import as_text
from training.evaluation.domains import Domains
from training.evaluation.errors import EvaluationError
from training.evaluation.rows import Row

FORMAT: Final = 1


@dataclass(frozen=True, kw_only=True)
class LedgerRow(Row):
    """One figure with every fact of its evaluation."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    task: str
    """The direction by the names of its domains, such as `selfie2anime`; `DATA, A2B` without such names."""
    kind: Literal["run", "bundle", "baseline"]
    facts: dict[str, JsonValue]
    """What identifies a run or a bundle: the hash of its config, or its version."""
    extractor_weights: str | None
    extractor_sha256: str | None
    data: str
    """The name of the data set."""
    data_fingerprint: str
    pictures: dict[str, int]
    """The number of pictures by domain."""
    unreadable: list[str]
    left_out: list[str]
    seed: int
    code: str
    machine: dict[str, JsonValue]

    @property
    def key(self) -> tuple[str | int | None, ...]:
        """Return what identifies the row: an evaluation replaces rows of equal keys.

        Steps are not part of it, and the seed only where subsets were drawn with it.
        """
        return (
            self.subject,
            self.direction,
            self.metric,
            self.protocol,
            self.extractor,
            self.extractor_sha256,
            self.data_fingerprint,
            self.subset_size,
            self.subsets,
            self.seed if self.subsets is not None else None,
        )


_ROWS: Final = TypeAdapter(list[LedgerRow])


def ledger_rows(
    document: Mapping[str, Any], names: Mapping[str, str], domains: Domains | None
) -> list[LedgerRow]:
    """Return the rows of an evaluation.

    Args:
        document: as `to_document` returns it.
        names: the subjects' names in the ledger, by those in the document.
        domains: the names of the domains, where they are known.
    """
    subjects = {each["name"]: each for each in document["subjects"]}
    rows = []
    for row in (*document["baselines"], *document["rows"]):
        subject = subjects.get(row["subject"], {"kind": "baseline"})
        featured = row["extractor"] is not None
        facts = {name: fact for name, fact in subject.items() if name not in ("name", "kind", "steps")}
        extractor, data = document["extractor"], document["data"]
        rows.append(
            LedgerRow(
                **{**row, "subject": names.get(row["subject"], row["subject"])},
                task=_task(row["domains"], data["name"], domains),
                kind=subject["kind"],
                facts=facts,
                extractor_weights=extractor["weights"] if featured else None,
                extractor_sha256=extractor["sha256"] if featured else None,
                data=data["name"],
                data_fingerprint=data["fingerprint"],
                **{name: data[name] for name in ("pictures", "unreadable", "left_out")},
                **{name: document[name] for name in ("seed", "code", "machine")},
            )
        )
    return rows


def _task(direction: str, data: str, domains: Domains | None) -> str:
    if domains is None:
        return f"{data}, {direction}"
    return f"{domains.A}2{domains.B}" if direction == "A2B" else f"{domains.B}2{domains.A}"


def read_ledger(path: Path) -> list[LedgerRow]:
    """Return the rows of a ledger; none if there is no such file.

    Raises:
        EvaluationError: the file is not a ledger.
        OSError: it cannot be read.
    """
    if not path.exists():
        return []
    try:
        document = json.loads(path.read_bytes())
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise ValueError
        return _ROWS.validate_python(document.get("rows"))
    except (ValueError, ValidationError):
        raise EvaluationError(
            f"--ledger needs a new file or one that it has written, and {as_text(path)} is another; name a "
            "new file."
        ) from None


def merge(before: Iterable[LedgerRow], rows: Iterable[LedgerRow]) -> list[LedgerRow]:
    """Return the rows of both, sorted; new ones replace those of equal keys."""
    by_key = {row.key: row for row in (*before, *rows)}
    return sorted(by_key.values(), key=lambda row: tuple(map(str, (row.task, *row.key))))


def to_ledger(rows: Iterable[LedgerRow]) -> bytes:
    """Return the bytes of a ledger; each row is one line."""
    lines = ",\n".join(json.dumps(asdict(row), allow_nan=False) for row in rows)
    return f'{{"format": {FORMAT}, "rows": [\n{lines}\n]}}\n'.encode()
