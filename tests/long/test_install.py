"""What a clean root gets is what the documents name: both languages the same, and of the tests' what CI installs."""

import re

from tests import ROOT
from tests.long.install import NAMED, OF_THE_TESTS, named


def test_both_readmes_name_the_same_packages() -> None:
    packages = named("README.md", NAMED)
    assert packages == named("README.zh.md", NAMED)
    assert {"python3-venv", "make"} <= set(packages)


def test_the_tests_ask_for_what_ci_installs() -> None:
    needed = re.search(r"^need ([a-z0-9 .-]+)$", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.MULTILINE)
    assert needed
    assert named("CONTRIBUTING.md", OF_THE_TESTS) == needed[1].split()
