"""The config file for `serve deploy`, and its arguments."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from app.cluster.options import APPLICATION, ClusterOptions
from tests.cli.command import ROOT

pytestmark = pytest.mark.filterwarnings("ignore")  # Ray's own


def test_serve_accepts_the_file_and_its_application_can_be_built(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from ray.serve.schema import ServeDeploySchema

    from app.cluster.application import build

    monkeypatch.setenv("UGATIT_BUNDLES_DIR", str(tmp_path))
    config = ServeDeploySchema.model_validate(yaml.safe_load((ROOT / "docker/serve.yaml").read_text()))
    (application,) = config.applications
    assert (config.proxy_location, application.name) == ("Disabled", APPLICATION)
    assert application.import_path == f"{build.__module__}:{build.__name__}"
    assert ClusterOptions.model_validate(application.args).replica_cpus == 1
    assert build(application.args)


def test_an_unknown_argument_is_refused() -> None:
    with pytest.raises(ValidationError, match="replica"):
        ClusterOptions.model_validate({"replica": 2})
