"""Fuzz the reading of manifests and models: `python -W error -m tests.fuzz.manifests -runs=100000`."""

from __future__ import annotations

import json

import atheris

with atheris.instrument_imports(include=["models.bundle"]):
    from models.bundle.errors import BundleError
    from models.bundle.external_tensors import refuse_external_tensors
    from models.bundle.parse import parse_manifest

from tests.bundle import making
from tests.fuzz.targets import check_sentence, fuzz
from tests.tiny_bundle import both_discriminators, endless, generator


def one_input(data: bytes) -> None:
    """Check that bytes are read as a manifest that can be written again, or refused; models likewise."""
    try:
        manifest = parse_manifest(data)
    except BundleError as refusal:
        check_sentence(refusal)
    else:
        assert parse_manifest(manifest.to_bytes()) == manifest
    try:
        refuse_external_tensors(data)
    except BundleError as refusal:
        check_sentence(refusal)


def seeds() -> list[bytes]:
    """Return valid manifests, and models of every kind that the tests build."""
    manifest = making.manifest(making.files()).to_bytes()
    facts = json.loads(manifest)
    without = [json.dumps({k: v for k, v in facts.items() if k != name}).encode() for name in facts]
    return [manifest, *without, generator(), generator(attention=False), both_discriminators(), endless()]


if __name__ == "__main__":
    fuzz(one_input, seeds())
