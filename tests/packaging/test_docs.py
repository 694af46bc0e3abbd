"""Test that the documentation names files, links and settings that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.settings.environment import variable
from app.settings.settings import Settings
from tests.packaging.files import ROOT, text

PAGES = ["README.md", *(path.relative_to(ROOT).as_posix() for path in sorted(ROOT.glob("docs/**/*.md")))]
TOP_LEVEL = ("app", "bench", "bundles", "docker", "docs", "models", "tests", "training")
PATH = re.compile(rf"`((?:{'|'.join(TOP_LEVEL)})/[\w./-]*)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")


@pytest.mark.parametrize("page", PAGES)
def test_named_paths_exist(page: str) -> None:
    assert [path for path in PATH.findall(text(page)) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_links_to_files_and_headings_resolve(page: str) -> None:
    missing = []
    for link in LINK.findall(text(page)):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, heading = link.partition("#")
        file = (ROOT / page).parent / target if target else ROOT / page
        if not file.exists() or (heading and heading not in headings(file)):
            missing.append(link)
    assert missing == []


def headings(file: Path) -> set[str]:
    """Return the anchors of a page's headings."""
    titles = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES)
def test_named_settings_exist(page: str) -> None:
    known = {variable(name) for name in Settings.model_fields}
    named = set(re.findall(r"\bUGATIT_[A-Z_]*[A-Z]\b", text(page)))
    others = {name for name in named if name.startswith("UGATIT_TESTS_")} | {"UGATIT_SERVICE_HOST"}
    assert named - others <= known
