"""Set what Ray reads when it is imported: 127.0.0.1 only, a secret, where its workers find the tests."""

from __future__ import annotations

import os
import secrets

from app.cluster.ray_head import ray_environment
from tests.cli.command import ROOT

os.environ.update(ray_environment(secrets.token_hex(16)) | {"PYTHONPATH": str(ROOT)})
