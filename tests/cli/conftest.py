"""The command line against a running site: the same processes the tests of the control process use."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.cli.__main__ import main
from tests.cli.said import Said, Shoumi
from tests.control.site import Site, running


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with running(tmp_path / "home") as started:
        yield started


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One site for all tests of a module that change nothing."""
    with running(tmp_path_factory.mktemp("shared") / "home") as started:
        yield started


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shoumi:
    """Run one command line in English, or in the language named."""

    def shoumi(*words: str, language: str = "en") -> Said:
        monkeypatch.setenv("SHOUMI_LANG", language)
        capsys.readouterr()
        code = main(words)
        return Said(code, *capsys.readouterr())

    return shoumi


@pytest.fixture
def shoumi(site: Site, run: Shoumi) -> Shoumi:
    """Run one command line against the running site."""
    return lambda *words, **how: run("--home", str(site.home.root), *words, **how)
