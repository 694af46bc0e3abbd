"""An evaluation as one JSON document: equal bytes for equal inputs, seed and machine."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np
import onnxruntime
import PIL
import torch
from pydantic import JsonValue

from models.files.text import as_text
from models.files.walk import name_below
from training.data.folder import DOMAINS
from training.evaluation.data import EvaluationData
from training.evaluation.distances import Distances
from training.evaluation.domains import Domains
from training.evaluation.evaluate import Evaluation
from training.evaluation.subject import Subject
from training.run_folder.environment import code_version, processor

FORMAT: Final = 1


def to_json(document: Mapping[str, Any]) -> bytes:
    """Return the bytes of a document."""
    return (json.dumps(document, indent=1, allow_nan=False) + "\n").encode()


def to_document(
    evaluation: Evaluation,
    subjects: Sequence[Subject],
    data: EvaluationData,
    domains: Domains | None,
    distances: Distances,
    *,
    device: str,
) -> dict[str, Any]:
    """Return the document. It holds no time and no path, which would differ between equal evaluations."""
    extractor = distances.extractor
    return {
        "format": FORMAT,
        "extractor": {"name": extractor.name, "weights": extractor.weights, "sha256": extractor.sha256},
        "data": _data_facts(data, domains),
        "seed": distances.seed,
        "subsets": None if distances.subsets is None else distances.subsets._asdict(),
        "code": code_version(),
        "machine": _machine_facts(device),
        "subjects": [
            {"name": each.name, "kind": each.kind, "steps": each.steps, **each.facts} for each in subjects
        ],
        "baselines": [asdict(row) for row in evaluation.baselines],
        "rows": [asdict(row) for row in evaluation.rows],
        "remarks": evaluation.remarks,
    }


def _data_facts(data: EvaluationData, domains: Domains | None) -> dict[str, JsonValue]:
    return {
        "name": as_text(data.folder.resolve().name),
        "fingerprint": data.fingerprint,
        "domains": None if domains is None else {"A": domains.A, "B": domains.B},
        "pictures": {domain: data.count(domain) for domain in DOMAINS},
        "unreadable": [str(each) for each in data.unreadable],
        "left_out": [f"{name_below(each.path, data.folder)}: {each.reason}" for each in data.left_out],
    }


def _machine_facts(device: str) -> dict[str, JsonValue]:
    return {
        "processor": processor(),
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "versions": {module.__name__: module.__version__ for module in (np, onnxruntime, PIL, torch)},
    }
