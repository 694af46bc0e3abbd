"""A client generated from the OpenAPI document."""

from __future__ import annotations

import importlib
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.http.conftest import MakeLive
from tests.http.live import Live
from tests.photos import photo, pixels_of

Part = Callable[[str], ModuleType]


@pytest.fixture
def live(make_live: MakeLive) -> Live:
    return make_live()


@pytest.fixture
def client(live: Live, part: Part) -> Iterator[Any]:
    host, port = live.address
    with part("client").Client(base_url=f"http://{host}:{port}") as client:
        yield client


@pytest.fixture
def part(live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Part:
    """Return a function that imports a module of the generated package."""
    document, config = tmp_path / "openapi.json", tmp_path / "config.yml"
    document.write_text(json.dumps(live.ask("GET", "/openapi.json")[1]))
    config.write_text("post_hooks: []")
    arguments = ["--path", document, "--config", config, "--meta", "none", "--output-path", tmp_path / "made"]
    command = [sys.executable, "-m", "openapi_python_client", "generate", *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "made"]:
        monkeypatch.delitem(sys.modules, name)
    return lambda name: importlib.import_module(f"made.{name}")


def test_generated_client_translates_and_fetches_heat_maps(client: Any, part: Part) -> None:
    types, translate = part("types"), part("api.translation.translate")
    file = types.File(payload=io.BytesIO(photo()), file_name="a.png", mime_type="image/png")
    form = part("models").TranslateFilesBody(file=file)
    for body in (form, types.File(payload=io.BytesIO(photo()))):
        answer = translate.sync(client=client, direction="cat2dog", body=body)
        assert answer.direction == "cat2dog"
        assert answer.image.media_type.value == "image/png"
    heat_map = part("api.attention.heat_map").sync_detailed(answer.id, client=client, size=64)
    assert heat_map.status_code == 200
    assert pixels_of(heat_map.content).shape == (64, 64, 3)
    values = part("api.attention.heat_map_values").sync(answer.id, client=client)
    assert (values.kind.value, values.network.value) == ("relevance", "generator")


def test_generated_client_parses_problems_and_limits(client: Any, part: Part) -> None:
    raw: Any = part("types").File(payload=io.BytesIO(b"no picture"))
    refusal = part("api.translation.translate").sync(client=client, direction="cat2dog", body=raw)
    assert refusal.code is part("models").ProblemCode.UNSUPPORTED_FORMAT
    limits = part("api.service.directions").sync(client=client).limits
    assert limits.body_bytes == 20 * 1024**2
