"""The changelog begins with what is not released, knows the version the program has, and uses the agreed headings."""

import re
import tomllib

from tests import ROOT

TEXT = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
_KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_versions_stand_newest_first_and_the_programs_own_is_among_them() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    first, *versions = re.findall(r"^## \[?([\w.]+)\]?", TEXT, re.MULTILINE)
    assert first == "Unreleased"
    assert version in versions
    assert versions == sorted(versions, key=lambda one: tuple(map(int, one.split("."))), reverse=True)


def test_what_changed_stands_under_the_headings_of_keep_a_changelog() -> None:
    kinds = re.findall(r"^### (.+)$", TEXT, re.MULTILINE)
    assert kinds
    assert set(kinds) <= _KINDS
