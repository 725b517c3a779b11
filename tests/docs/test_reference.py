"""Documentation that cannot drift: generated pages say what the program says, and named files exist."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.docs import pages
from tests.docs.reference import DOCS, PAGES

ROOT = DOCS.parent


@pytest.mark.parametrize(("name", "page"), PAGES.items())
def test_a_generated_page_says_what_the_program_says(name: str, page: Callable[[], str]) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == page(), "run: make docs"


@pytest.mark.parametrize("page", pages.DOCUMENTS, ids=lambda page: page.name)
def test_links_and_named_files_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)#]+)", text) if "://" not in target]
    named = re.findall(r"`((?:agent|rules|tests|tui|docs)/[\w./]+)`", text)
    missing = [t for t in targets if not (page.parent / t).exists()] + [n for n in named if not (ROOT / n).exists()]
    assert not missing
