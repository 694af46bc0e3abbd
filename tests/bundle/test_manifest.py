"""What a manifest declares, and the manifests of format 1."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from models.bundle.declarations import PARTS, FramedFace, HeatMap, Range
from models.bundle.errors import BundleError
from models.bundle.parse import parse_manifest
from tests.bundle import making

MAP = {"name": "attention", "network": "generator", "part": "both", "kind": "relevance", "range": {"low": 0}}


def format_1(**changes: Any) -> bytes:
    """Return a manifest as the first versions wrote it."""
    facts = json.loads(making.manifest(making.files()).to_bytes())
    for name in ("inputs", "maps", "logits", "framing", "evaluation"):
        del facts[name]
    return json.dumps({**facts, "format": 1, "attention": True, "kid": [], **changes}).encode()


def format_2(**changes: Any) -> bytes:
    facts = json.loads(making.manifest(making.files()).to_bytes())
    return json.dumps({**facts, **changes}).encode()


def test_format_1_declares_the_outputs_that_all_its_bundles_have() -> None:
    files = {**json.loads(format_1())["files"], "discriminators.onnx": {"sha256": 64 * "0", "size_bytes": 1}}
    manifest = parse_manifest(format_1(files=files))
    assert [(each.name, each.network) for each in manifest.maps] == [
        ("attention", "generator"),
        ("attention_local", "local"),
        ("attention_global", "global"),
    ]
    assert {each.part for each in manifest.maps} == {"both"}
    assert [each.name for each in manifest.logits] == ["cam_logit"]


def test_format_1_without_attention_declares_no_maps_and_no_logits() -> None:
    manifest = parse_manifest(format_1(attention=False))
    assert (manifest.maps, manifest.logits, manifest.attention) == ([], [], False)


def test_kid_of_format_1_is_divided_by_100() -> None:
    kid = [{"value": 11.61, "deviation": 0.57, "protocol": "paper-mean"}]
    (figure,) = parse_manifest(format_1(kid=kid)).evaluation
    assert (figure.metric, figure.protocol) == ("kid", "paper-mean")
    assert (figure.value, figure.subset_std) == pytest.approx((0.1161, 0.0057))


@pytest.mark.parametrize(("source", "framing"), [("selfie", "face"), ("face", "face"), ("horse", None)])
def test_the_framing_of_format_1_follows_from_its_source_domain(source: str, framing: str | None) -> None:
    names = {"source": source, "target": "anime", "direction": f"{source}2anime"}
    assert parse_manifest(format_1(**names)).framing == framing


def test_the_place_of_a_face_is_read_and_absent_where_it_was_not_measured() -> None:
    assert b'"face"' not in parse_manifest(format_2()).to_bytes()
    face = {"height": 0.7, "centre_x": 0.5, "centre_y": 0.4}
    manifest = parse_manifest(format_2(framing="face", face=face))
    assert manifest.face == FramedFace(**face)
    assert json.loads(manifest.to_bytes())["face"] == face


def test_shipped_bundles_are_read() -> None:
    for path in Path("bundles").glob("*/manifest.json"):
        assert parse_manifest(path.read_bytes()).maps_of("generator")


def test_a_newer_format_is_refused_by_its_number_whatever_its_fields() -> None:
    with pytest.raises(BundleError, match="format 3; this version reads the formats 1 and 2"):
        parse_manifest(b'{"format": 3, "news": true}')


PICTURE = {"name": "pixels", "kind": "picture"}
FILES = json.loads(format_2())["files"]
STYLE = {"name": "style", "kind": "style", "dimension": 8, "prior": "normal"}


def test_style_codes_are_a_declared_input() -> None:
    assert parse_manifest(format_2(inputs=[PICTURE])).style is None
    style = parse_manifest(format_2(inputs=[PICTURE, STYLE])).style
    assert style is not None
    assert (style.dimension, style.prior) == (8, "normal")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"maps": [MAP, MAP]}, "each output has a name of its own"),
        ({"maps": [MAP, {**MAP, "name": "other"}]}, "a network and part of its own"),
        ({"maps": [{**MAP, "name": "image"}]}, "each output has a name of its own"),
        ({"maps": [{**MAP, "network": "local"}]}, "need the file discriminators.onnx"),
        ({"maps": [{**MAP, "kind": "mask"}]}, "both ends of its range"),
        ({"maps": [{**MAP, "range": {"low": 1, "high": 1}}]}, "low must be less than high"),
        ({"maps": [{**MAP, "kind": "heat"}]}, "maps.0.kind"),
        ({"inputs": [{"name": "pixels", "kind": "sound"}]}, "inputs.0: .*'kind'"),
        ({"inputs": []}, "inputs"),
        ({"inputs": [STYLE]}, "one picture, and after it at most one style"),
        ({"inputs": [STYLE, PICTURE]}, "one picture, and after it at most one style"),
        ({"inputs": [PICTURE, PICTURE]}, "one picture, and after it at most one style"),
        (
            {"files": {**FILES, "style_encoder.onnx": FILES["generator.onnx"]}},
            "needs a style among the inputs",
        ),
        ({"inputs": [PICTURE, {**STYLE, "dimension": 0}]}, "inputs.1.style.dimension"),
    ],
)
def test_contradictory_declarations_are_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BundleError, match=sentence):
        parse_manifest(format_2(**changes))


def test_maps_are_found_by_their_network() -> None:
    manifest = parse_manifest(format_2(maps=[MAP]))
    assert manifest.maps_of("generator") == [
        HeatMap(name="attention", network="generator", kind="relevance", range=Range(low=0))
    ]
    assert manifest.maps_of("local", "global") == []


def test_parts_of_attention_that_a_bundle_lacks_are_named() -> None:
    assert parse_manifest(format_1()).missing_parts == ["average", "maximum", "classifier"]
    every = [{**MAP, "name": part, "part": part} for part in PARTS]
    logits = [{"name": "cam_logit"}]
    assert parse_manifest(format_2(maps=every, logits=logits)).missing_parts == []
    mask = {**MAP, "kind": "mask", "range": {"low": 0, "high": 1}}
    assert parse_manifest(format_2(maps=[mask], logits=logits)).missing_parts == []
