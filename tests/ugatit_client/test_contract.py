"""The client knows every option, field and code of the service's OpenAPI document."""

from __future__ import annotations

import dataclasses
import typing
from typing import Any

import pytest

from app.http.factory import create_app
from app.http.problems.problems import CODES, PROBLEM_KINDS
from app.settings.settings import Settings
from tests.fake_engine import FakeModel, fake_engine
from ugatit_client import answers, errors, options


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the OpenAPI document."""
    settings = Settings(bundles_dir=tmp_path_factory.mktemp("contract") / "bundles")
    return create_app(settings, fake_engine(settings, FakeModel())).openapi()


def declared(document: dict[str, Any], path: str, method: str) -> dict[str, dict[str, Any]]:
    """Return the schemas of a route's options by name."""
    parameters = document["paths"][path][method]["parameters"]
    return {each["name"]: each["schema"] for each in parameters if each["in"] == "query"}


def choices(schema: dict[str, Any]) -> set[str]:
    """Return the values of an option that is one of several words."""
    return {value for each in [schema, *schema.get("anyOf", [])] for value in each.get("enum", [])}


@pytest.mark.parametrize(
    ("path", "method", "known"),
    [
        ("/translate", "post", options.TranslateOptions),
        ("/attention/{id}", "get", options.HeatMapOptions),
        ("/attention/{id}/raw", "get", options.ValuesOptions),
    ],
)
def test_client_has_every_option_with_its_values(
    document: dict[str, Any], path: str, method: str, known: Any
) -> None:
    hints = typing.get_type_hints(known)
    given = declared(document, path, method)
    given.pop("direction", None)
    assert hints.keys() == given.keys()
    for name, schema in given.items():
        assert set(typing.get_args(hints[name])) == choices(schema), name


SCHEMAS = {
    "TranslateAnswer": answers.Translation,
    "AnimationAnswer": answers.Animation,
    "Attention": answers.Attention,
    "Picture": answers.Picture,
    "Model": answers.Model,
    "Timings": answers.Timings,
    "FaceAnswer": answers.Face,
    "FaceBoxAnswer": answers.Box,
    "FaceLandmarks": answers.Landmarks,
    "FramingAnswer": answers.Framing,
    "InputAnswer": answers.Input,
    "InputFace": answers.FaceMeasures,
    "RawAttention": answers.HeatMapValues,
    "DirectionsAnswer": answers.Directions,
    "DirectionAnswer": answers.Direction,
    "HeatMap": answers.HeatMapDeclaration,
    "StyleAnswer": answers.Style,
    "StyledPicture": answers.StyledPicture,
    "StylesAnswer": answers.Styles,
    "CycleAnswer": answers.Cycle,
    "Figure": answers.Figure,
    "FramedFace": answers.FramedFace,
    "Limits": answers.Limits,
    "Networks": answers.Networks,
    "Size": answers.Size,
    "Range": answers.ValueRange,
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_client_has_every_field_of_an_answer(document: dict[str, Any], name: str) -> None:
    fields = {field.name.removesuffix("_") for field in dataclasses.fields(SCHEMAS[name])}
    assert fields == document["components"]["schemas"][name]["properties"].keys()


def test_every_problem_has_a_class_of_its_status() -> None:
    for kind in PROBLEM_KINDS.values():
        problem = errors.problem_of(kind.status, {}, b'{"code": "%s"}' % kind.code.encode())
        assert type(problem) is not errors.ProblemError or kind.status == 499, kind
    assert set(errors._BY_CODE) <= set(CODES)
